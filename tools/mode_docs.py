"""Fills the table of docs/write-modes.md from the connectors' declarations: `python -m tools.mode_docs`.

The page holds `<!-- modes -->` ... `<!-- end -->`; what stands between is made here, the rest is written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.contract import Connector
from airflow_provider_flux.connectors.declare import ObjectType

PAGE = Path(__file__).parents[1] / "docs" / "write-modes.md"

MODES = ("create", "update", "upsert", "create_if_missing")
DELETES = ("ignore", "archive", "delete")

_BLOCK = re.compile(r"<!-- modes -->\n.*?<!-- end -->", re.DOTALL)
_HEAD = [
    f"| connector | object | {' | '.join(MODES)} | deletes | fallback keys | a write whose answer was lost |",
    f"|{'---|' * (len(MODES) + 5)}",
]


def render(text: str) -> str:
    """The page with its table made anew."""
    return _BLOCK.sub(lambda _: "\n".join(["<!-- modes -->", *_HEAD, *_lines(), "<!-- end -->"]), text)


def _lines() -> Iterator[str]:
    for name in sorted(registry.names()):
        connector = registry.get(name)
        if connector.destination_options is not None:
            yield from _of_connector(name, connector)


def _of_connector(name: str, connector: type[Connector]) -> Iterator[str]:
    """One line for all objects that are written alike."""
    alike: dict[tuple[Any, ...], list[str]] = {}
    for declared in connector.objects:
        if declared.modes:
            alike.setdefault(_ways(declared), []).append(f"`{declared.name}`")
    if connector.any_object is not None and connector.any_object.modes:
        alike.setdefault(_ways(connector.any_object), []).append(connector.any_object.name)
    for (modes, deletes, fallback_keys, doubt), objects in alike.items():
        cells = [
            f"`{name}`",
            ", ".join(objects),
            *("yes" if mode in modes else "-" for mode in MODES),
            ", ".join(way for way in DELETES if way in deletes),
            "yes" if fallback_keys else "-",
            doubt,
        ]
        yield f"| {' | '.join(cells)} |"


def _ways(declared: ObjectType) -> tuple[Any, ...]:
    return declared.modes, declared.deletes, declared.fallback_keys, declared.doubt


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

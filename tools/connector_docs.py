"""Fills the tables of docs/connectors.md from the connectors' declarations: `python -m tools.connector_docs`.

The page holds `<!-- connectors -->` or `<!-- objects -->`, then `<!-- end -->`; what stands between is made here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.declare import ObjectType
from airflow_provider_flux.connectors.facts import Facts, facts_of, limit_text

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "connectors.md"

_BLOCK = re.compile(r"<!-- (connectors|objects) -->\n.*?<!-- end -->", re.DOTALL)


def render(text: str) -> str:
    """The page with its tables made anew."""
    known = [facts_of(registry.get(name)) for name in sorted(registry.names())]
    tables = {"connectors": _connectors(known), "objects": _objects(known)}
    return _BLOCK.sub(lambda found: f"<!-- {found[1]} -->\n{tables[found[1]]}\n<!-- end -->", text)


def page_of(connector: str) -> str | None:
    """The connector's own page, below docs/."""
    names = (f"connectors/{connector}.md", f"{connector}.md")
    return next((name for name in names if (DOCS / name).exists()), None)


def _connectors(known: Iterable[Facts]) -> str:
    rows = [
        (
            _linked(facts.connector),
            f"`{facts.connection_type}`",
            " and ".join(word for word, true in (("reads", facts.reads), ("writes", facts.writes)) if true),
            ", ".join(facts.sign_in) or "as the flow or the connection says",
            "; ".join(map(limit_text, facts.limits)) or "none declared",
            "yes" if facts.describes_itself else "no",
        )
        for facts in known
    ]
    return _table(("connector", "connection type", "does", "signs in by", "limits", "tells its fields"), rows)


def _objects(known: Iterable[Facts]) -> str:
    rows = [(f"`{facts.connector}`", *row) for facts in known for row in _rows(facts)]
    return _table(("connector", "object", "key", "what changed", "paging", "found by", "in one call"), rows)


def _rows(facts: Facts) -> Iterator[tuple[str, ...]]:
    """One row for all objects of a connector of which the same is declared."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for one in facts.objects:
        alike.setdefault(_facts(one), []).append(f"`{one.name}`")
    if facts.others is not None:
        alike.setdefault(_facts(facts.others), []).append(facts.others.name)
    for told, names in alike.items():
        yield (", ".join(names), *told)


def _facts(one: ObjectType) -> tuple[str, ...]:
    cursor = f"`{one.cursor.field}`: " if one.cursor is not None else ""
    changed = f"{cursor}{one.incremental}".removesuffix(": ") or "-"
    found_by = ", ".join(one.match) or "any field that is unique there"
    return (
        ", ".join(one.key),
        changed,
        one.paging or "-",
        found_by if one.modes else "-",
        f"{one.batch_size:,}" if one.modes else "-",
    )


def _linked(connector: str) -> str:
    page = page_of(connector)
    return f"`{connector}`" if page is None else f"[`{connector}`]({page})"


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

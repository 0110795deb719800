"""docs/connectors.md says what the connectors declare."""

from __future__ import annotations

import re

from airflow_provider_flux.connectors import registry
from tools.connector_docs import PAGE, page_of, render

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_tables_are_those_of_the_declarations() -> None:
    assert render(TEXT) == TEXT, "run `python -m tools.connector_docs`"


def test_both_tables_are_there_and_name_every_connector() -> None:
    assert re.findall(r"<!-- (connectors|objects) -->", TEXT) == ["connectors", "objects"]
    missing = [name for name in registry.names() if TEXT.count(f"| `{name}` |") + TEXT.count(f"[`{name}`](") < 2]
    assert missing == []


def test_every_connector_has_a_page_of_its_own() -> None:
    assert [name for name in registry.names() if page_of(name) is None] == []


def test_whatever_can_be_written_says_what_a_lost_answer_leaves() -> None:
    silent = []
    for name in registry.names():
        connector = registry.get(name)
        declared = [*connector.objects, *([connector.any_object] if connector.any_object is not None else [])]
        silent += [f"{name} {one.name}" for one in declared if one.modes and not one.doubt]
    assert silent == []


def test_every_connector_declares_its_objects_or_what_holds_for_any() -> None:
    connectors = map(registry.get, registry.names())
    assert [one.name for one in connectors if not one.objects and one.any_object is None] == []

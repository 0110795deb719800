"""The page on write modes says what the connectors declare."""

from __future__ import annotations

import re

import pytest
import yaml

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.errors import CATALOGUE
from tools.mode_docs import PAGE, render

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_table_is_that_of_the_declarations() -> None:
    assert render(TEXT) == TEXT, "run `python -m tools.mode_docs`"


@pytest.mark.parametrize("name", registry.names())
def test_whoever_writes_says_what_becomes_of_a_write_in_doubt(name: str) -> None:
    connector = registry.get(name)
    objects = [*connector.objects, *([connector.any_object] if connector.any_object else [])]
    written = [declared for declared in objects if declared.modes]
    assert all(declared.doubt for declared in written)
    assert bool(written) == (connector.destination_options is not None)


def test_the_example_is_valid() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    declared = yaml.safe_load(example)["destination"]
    options = registry.get(declared["connector"]).destination_options
    assert options is not None
    assert options.model_validate(declared).fallback_keys == (("phone",),)


def test_every_code_on_the_page_is_one_of_the_catalogue() -> None:
    found = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", TEXT))
    assert found <= set(CATALOGUE)
    assert {"RECORD_NOT_FOUND", "DUPLICATE_RECORD", "OUTCOME_UNKNOWN"} <= found

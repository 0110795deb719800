"""The page on REST says what the connector does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from airflow_provider_flux.connectors.api import connection
from airflow_provider_flux.connectors.rest.destination_options import RestDestinationOptions
from airflow_provider_flux.connectors.rest.source_options import Paging, RestSourceOptions

PAGE = (Path(__file__).parents[4] / "docs" / "rest.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.split("path: ")[1].split("\n")[0])
def test_every_example_is_valid(example: str) -> None:
    ((side, declared),) = yaml.safe_load(example).items()
    model = {"source": RestSourceOptions, "destination": RestDestinationOptions}[side]
    assert model.model_validate(declared).connector == "rest"


def test_every_kind_of_paging_has_an_example_that_is_valid() -> None:
    pagings = [Paging.model_validate(yaml.safe_load(text)) for text in re.findall(r"\| `(\{kind: .*?\})` \|", PAGE)]
    kinds = set(Paging.model_json_schema()["properties"]["kind"]["enum"])
    assert {paging.kind for paging in pagings} == kinds - {"none"}


def test_every_option_of_the_extra_field_is_listed() -> None:
    table = PAGE[PAGE.index("| in `extra`") : PAGE.index("Without `auth` anywhere")]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == connection.OWN_EXTRAS

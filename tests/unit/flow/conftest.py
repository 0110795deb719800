"""A small include folder of valid files, to be changed by the tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from airflow_provider_flux.errors import ConfigError
from airflow_provider_flux.flow.loader import load_flow

FLOW = """\
description: Contacts
schedule: {every: 1h}
source:
  connector: rest
  connection: crm
  path: /v1/contacts
  records: data
  page:
    kind: cursor
    param: after
    next: paging.next.after
  key: id
  cursor: {field: updated_at}
filter: record.stage != 'spam'
mapping: contacts
destination:
  connector: sql
  connection: warehouse
  table: contacts
  key: crm_id
"""

MAPPING = """\
description: Contacts
rules:
  - {from: id, to: crm_id, required: true}
  - from: properties.email
    to: email
    transforms: [trim, lowercase, email]
  - {from: updated_at, to: updated_at}
"""

CONNECTOR = """\
connector: rest
description: The CRM
auth: {kind: api_key, header: X-Api-Key}
page:
  kind: page
  size_param: limit
  size: 100
records: data
objects:
  contacts:
    path: /v1/contacts
    key: id
    cursor: {field: updated_at}
  companies:
    path: /v1/companies
    key: id
"""


@pytest.fixture
def include(tmp_path: Path) -> Path:
    """`flows/contacts.yaml` and `mappings/contacts/v1.yaml`."""
    root = tmp_path / "include"
    write(root / "flows" / "contacts.yaml", FLOW)
    write(root / "mappings" / "contacts" / "v1.yaml", MAPPING)
    return root


def write(path: Path, text: str) -> None:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def change(path: Path, old: str, new: str) -> None:
    """Replace a part of a file that is there exactly once."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def problems(include: Path) -> Callable[[], list[str]]:
    """What is wrong with the flow `contacts`, as people read it."""

    def said() -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load_flow(include, "contacts")
        return [str(problem) for problem in caught.value.problems]

    return said

"""Two flows with errors in their inboxes, and a way to see which runs were started."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from airflow_provider_flux.errors import FluxError, RecordError
from airflow_provider_flux.store import Store, open_store
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import ErrorRow, NewError

FLOW = """\
source: {connector: sql, connection: crm, table: %s, key: id, cursor: {field: updated_at}}
destination: {connector: sql, connection: warehouse, table: contacts, key: id}
mapping: contacts
filter: record.status != 'deleted'
"""

MAPPING = """\
rules:
  - {from: id, to: id, required: true}
  - {from: email, to: email, required: true, transforms: [email]}
  - {from: phone, to: phone, transforms: [{phone_e164: {country: US}}]}
"""

MONDAY = "2026-01-05T00:00:00.000000Z"


@dataclass
class Inbox:
    """The flows `contacts` and `orders`, and the runs that were started of them."""

    include: Path
    store: Store
    started: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    refuses: str | None = None
    """Airflow does not know the DAG of this flow."""

    def start(self, flow: str, run_id: str, conf: dict[str, Any]) -> None:
        if flow == self.refuses:
            raise FluxError("CONFIG_INVALID", f"Airflow does not know '{flow}'")
        self.started.append((flow, run_id, conf))

    def fail(self, flow: str, *errors: NewError, run_id: str = "run-1") -> list[int]:
        """A run of the flow with these errors; their numbers."""
        run = self.store.start_run(flow, run_id, "scheduled", "contacts")
        self.store.record_transform(run, 0, 0, [], errors, 1)
        return [row.id for row in self.store.errors(ErrorFilter(run=run))]

    def row(self, number: int) -> ErrorRow:
        [row] = self.store.errors(ErrorFilter(ids=[number]))
        return row

    def states(self) -> list[str]:
        return [row.state for row in sorted(self.store.errors(), key=lambda row: row.id)]

    def claims(self) -> list[str | None]:
        """By whom each error is claimed now."""
        rows = sorted(self.store.errors(), key=lambda row: row.id)
        return [row.replay if row.replay_active else None for row in rows]


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    include = tmp_path / "include"
    (include / "flows").mkdir(parents=True)
    (include / "mappings" / "contacts").mkdir(parents=True)
    (include / "mappings" / "contacts" / "v1.yaml").write_text(MAPPING)
    for flow in ("contacts", "orders"):
        (include / "flows" / f"{flow}.yaml").write_text(FLOW % flow)
    with open_store(f"sqlite:///{tmp_path / 'flux.db'}") as store:
        yield Inbox(include, store)


def failure(number: int, code: str = "INVALID_EMAIL", **values: Any) -> NewError:
    """The error of record `number` with a bad mail address."""
    payload = values.pop("payload", {"id": number, "email": "kim@", "status": "new", "updated_at": MONDAY})
    key = values.pop("key", str(number))
    error = RecordError(code, "'kim@' is not an address", "email")
    return NewError(number, key, MONDAY, error, msgspec.json.encode(payload).decode(), **values)

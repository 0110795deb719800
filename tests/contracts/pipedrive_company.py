"""A Pipedrive company over real HTTP, and the connector over it, for the cases that only Pipedrive has."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from airflow_provider_flux.connectors.contract import Destination, Source, Verdict, WriteItem, Written
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.connectors.pipedrive import Pipedrive
from airflow_provider_flux.stages.deliver import deliver
from tests.contracts.servers.wire import Call, serve
from tests.contracts.vendors.pipedrive import PipedriveVendor
from tests.contracts.vendors.pipedrive_api import TOKEN, Record


class Company:
    """The vendor, and sources and destinations that end with the test."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.vendor = PipedriveVendor()
        self.url = stack.enter_context(serve(self.vendor.answer)).url

    @property
    def calls(self) -> list[str]:
        """Method and path of every call so far."""
        return [f"{call.method} {call.path.removeprefix('/api/v2/')}" for call in self.vendor.calls]

    def credentials(self, *, one_try: bool = False) -> Credentials:
        fields = self.vendor.connection(self.url)
        return Credentials(**{"conn_id": "crm", **fields, "extra": {"timeout": 2}, "one_try": one_try})

    def source_options(self, name: str, **more: Any) -> SourceOptions:
        assert Pipedrive.source_options is not None
        declared = {"connector": "pipedrive", "connection": "crm", "object": name, **more}
        return Pipedrive.source_options.model_validate(declared)

    def source(self, name: str, **more: Any) -> Source:
        source = Pipedrive.source(self.source_options(name, **more), self.credentials())
        self._stack.callback(source.close)
        return source

    def destination_options(self, name: str = "persons", **more: Any) -> DestinationOptions:
        declared = {"connector": "pipedrive", "connection": "crm", "object": name, "key": "email", **more}
        return Pipedrive.destination_options.model_validate(declared)

    def destination(self, name: str = "persons", *, one_try: bool = False, **more: Any) -> Destination:
        options = self.destination_options(name, **more)
        destination = Pipedrive.destination(options, self.credentials(one_try=one_try))
        self._stack.callback(destination.close)
        return destination

    def have(self, name: str, /, **fields: Any) -> int:
        """A record in the company, made by somebody else; its id."""
        asked = Call("POST", f"/api/v2/{name}", {}, {"x-api-token": TOKEN}, json.dumps(fields).encode(), 0)
        made = int(self.vendor.handle(asked).body["data"]["id"])
        self.vendor.index()
        return made

    def records(self, name: str = "persons") -> dict[int, Record]:
        """Everything that is there, by its id."""
        return {key: row for key, row in self.vendor.records[name].items() if not row["is_deleted"]}


def written(destination: Destination, *records: Mapping[str, Any], key: int | None = None) -> list[Verdict | None]:
    """The verdicts on these records, written as the write stage does it."""
    items = [WriteItem(dict(record), destination_key=None if key is None else str(key)) for record in records]
    return deliver(destination, items)


def keys(verdicts: list[Verdict | None]) -> list[str | None]:
    """The keys of records that must all have been written."""
    assert all(isinstance(verdict, Written) for verdict in verdicts), verdicts
    return [verdict.key for verdict in verdicts if isinstance(verdict, Written)]


@contextmanager
def company() -> Iterator[Company]:
    with ExitStack() as stack:
        yield Company(stack)

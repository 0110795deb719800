"""A HubSpot account over real HTTP, and the connector over it, for the cases that only HubSpot has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from airflow_provider_flux.connectors.contract import Destination, Source, Verdict, Window, WriteItem
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.cursor import canonical
from airflow_provider_flux.connectors.hubspot import Hubspot
from airflow_provider_flux.connectors.hubspot.options import HubspotDestinationOptions, HubspotSourceOptions
from airflow_provider_flux.errors import RecordError
from airflow_provider_flux.stages.deliver import deliver
from tests.contracts.servers.wire import Call, serve
from tests.contracts.vendors.hubspot import HubspotVendor


class Account:
    """The vendor, and sources and destinations that end with the test."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.vendor = HubspotVendor()
        self.crm = self.vendor.crm
        self.url = stack.enter_context(serve(self.vendor.answer)).url

    @property
    def calls(self) -> list[str]:
        """Method and path of every call so far, below the objects."""
        return [f"{call.method} {call.path.removeprefix('/crm/v3/objects/')}" for call in self.vendor.calls]

    @property
    def bodies(self) -> list[Any]:
        """What was sent with POST so far."""
        return [call.json() for call in self.vendor.calls if call.method == "POST"]

    def credentials(self, *, one_try: bool = False, **extra: Any) -> Credentials:
        fields = self.vendor.connection(self.url)
        extra = {"timeout": 5, "limit": "none", **extra}
        return Credentials(**{"conn_id": "crm", **fields, "extra": extra, "one_try": one_try})

    def source(self, name: str = "contacts", **more: Any) -> Source:
        data = {"connector": "hubspot", "connection": "crm", "object": name, **more}
        source = Hubspot.source(HubspotSourceOptions.model_validate(data), self.credentials())
        self._stack.callback(source.close)
        return source

    def read(self, start: str | None = None, end: str | None = None, **more: Any) -> list[dict[str, Any]]:
        """The records of a window between two instants."""
        asked = Window(*(None if one is None else canonical(one, "timestamp") for one in (start, end)))
        return [record for page in self.source(**more).read(asked) for record in page.records]

    def destination(self, name: str = "contacts", *, one_try: bool = False, **more: Any) -> Destination:
        data = {"connector": "hubspot", "connection": "crm", "object": name, **more}
        options = HubspotDestinationOptions.model_validate(data)
        destination = Hubspot.destination(options, self.credentials(one_try=one_try))
        self._stack.callback(destination.close)
        return destination

    def last(self, path: str) -> Call:
        """The last call to a path below the objects."""
        return [call for call in self.vendor.calls if call.path.endswith(path)][-1]


def written(destination: Destination, *records: dict[str, Any] | WriteItem) -> list[Verdict]:
    """One verdict per record; a batch that is refused as a whole is halved, as the write stage does it."""
    items = [record if isinstance(record, WriteItem) else WriteItem(record) for record in records]
    return [verdict for verdict in deliver(destination, items) if verdict is not None]


def error(verdict: Verdict) -> RecordError:
    assert isinstance(verdict, RecordError), verdict
    return verdict


def keys(verdicts: Sequence[Verdict]) -> list[str | None]:
    """The ids under which records were written; their error where they were not."""
    return [str(verdict) if isinstance(verdict, RecordError) else verdict.key for verdict in verdicts]


@contextmanager
def account() -> Iterator[Account]:
    with ExitStack() as stack:
        yield Account(stack)

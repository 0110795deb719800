"""A Jobber account over real HTTP, for the tests of what only Jobber does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from airflow_provider_flux.connectors.contract import Destination, Source, Verdict, Window, WriteItem
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.jobber import Jobber, JobberDestinationOptions, JobberSourceOptions
from tests.contracts.servers.wire import serve
from tests.contracts.vendors.jobber import Jobber as Vendor


class JobberAccount:
    """The vendor, and sources and destinations of flows that use it."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.vendor = Vendor()
        self.wire = stack.enter_context(serve(self.vendor.answer))

    def credentials(self, **fields: Any) -> Credentials:
        extra = {"timeout": 2, **fields.pop("extra", {})}
        return Credentials("field", extra=extra, **{**self.vendor.connection(self.wire.url), **fields})

    def source(self, name: str = "clients", **options: Any) -> Source:
        declared = {"connector": "jobber", "connection": "field", "object": name, **options}
        source = Jobber.source(JobberSourceOptions.model_validate(declared), self.credentials())
        self._stack.callback(source.close)
        return source

    def read(self, name: str = "clients", start: str | None = None, **options: Any) -> list[dict[str, Any]]:
        pages = list(self.source(name, **options).read(Window(start)))
        assert not any(page.defects for page in pages)
        return [record for page in pages for record in page.records]

    def destination(self, name: str = "clients", *, one_try: bool = False, **options: Any) -> Destination:
        declared = {"connector": "jobber", "connection": "field", "object": name, "key": "email", **options}
        checked = JobberDestinationOptions.model_validate(declared)
        destination = Jobber.destination(checked, self.credentials(one_try=one_try))
        self._stack.callback(destination.close)
        return destination

    def write(self, *records: dict[str, Any], name: str = "clients", **options: Any) -> list[Verdict]:
        return written(self.destination(name, **options), records)

    def asked(self) -> list[str]:
        """The root fields of all documents so far: `clientEdit`."""
        return [document["query"].partition("{ ")[2].partition("(")[0] for document in self.vendor.documents]

    def inputs(self, mutation: str) -> list[dict[str, Any]]:
        """What was sent with each call of a mutation."""
        found = [document for document in self.vendor.documents if f"{{ {mutation}(" in document["query"]]
        return [document["variables"]["input"] for document in found]


def written(destination: Destination, records: Sequence[dict[str, Any]], key: str | None = None) -> list[Verdict]:
    """The verdicts on records. `deleted: True` makes a tombstone of one."""
    items = [
        WriteItem({name: value for name, value in record.items() if name != "deleted"}, "deleted" in record, key)
        for record in records
    ]
    return destination.write(items)


@contextmanager
def account() -> Iterator[JobberAccount]:
    with ExitStack() as stack:
        yield JobberAccount(stack)

"""An account at a vendor, over real HTTP, and what the cases of the suite do with it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.contract import Connector, Destination, Page, Source, Verdict, Window, WriteItem
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.cursor import canonical
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.errors import FluxError, RecordError
from airflow_provider_flux.stages.deliver import deliver
from airflow_provider_flux.stages.judge import Judge
from airflow_provider_flux.stages.records import ReadRecord
from tests.contracts.servers.wire import Call, Reply, serve
from tests.contracts.vendors.vendor import Person, Vendor

ADA: Person = {"email": "ada@example.com", "name": "Ada Lovelace", "phone": "+14155550101"}
BOB: Person = {"email": "bob@example.com", "name": "Bob Moran", "phone": "+14155550102"}
CYD: Person = {"email": "cyd@example.com", "name": "Cyd Charisse", "phone": "+14155550103"}


class Account:
    """An empty account at a vendor, and the connector over it.

    :param kind: the vendor
    """

    def __init__(self, kind: type[Vendor], stack: ExitStack) -> None:
        self._stack = stack
        self.vendor = kind()
        self.wire = stack.enter_context(serve(self.vendor.answer))
        self.connector: type[Connector] = registry.get(kind.connector)

    def another(self) -> Account:
        """A second account, empty too."""
        return Account(type(self.vendor), self._stack)

    # --- the connection -------------------------------------------------------------------------

    def credentials(self, *, one_try: bool = False, without: str = "", **extra: Any) -> Credentials:
        """The connection to the account.

        :param one_try: no call is tried again
        :param without: a field that is left out: `password`, `extra.shop`
        :param extra: more of the extra field
        """
        fields = self.vendor.connection(self.wire.url)
        extras = {"timeout": 2, **fields.pop("extra", {}), **extra}
        fields.pop(without, None)
        extras.pop(without.removeprefix("extra."), None)
        return Credentials(**{"conn_id": "crm", **fields, "extra": extras, "one_try": one_try})

    def secrets(self) -> list[str]:
        """What must never stand in an error."""
        fields = self.vendor.connection(self.wire.url)
        names = ("password", "token", "secret", "key", "private_key", "refresh_token")
        names += ("client_secret", "consumer_secret")
        extra = [value for name, value in fields.get("extra", {}).items() if name in names]
        return [value for value in (fields.get("password"), *extra) if isinstance(value, str) and value]

    def assert_tells_no_secret(self, error: FluxError | RecordError) -> None:
        """Nothing of an error that people see holds a secret of the connection."""
        told = f"{error.message} {error.answer} {getattr(error, 'next_step', '')} {getattr(error, 'value', '')}"
        for secret in self.secrets():
            assert secret not in told

    # --- reading --------------------------------------------------------------------------------

    def source_options(self, **more: Any) -> SourceOptions:
        assert self.connector.source_options is not None
        declared = {"connector": self.vendor.connector, "connection": "crm", **self.vendor.source()}
        return self.connector.source_options.model_validate({**declared, **more})

    def source(self, credentials: Credentials | None = None, **more: Any) -> Source:
        source = self.connector.source(self.source_options(**more), credentials or self.credentials())
        self._stack.callback(source.close)
        return source

    def read(self, start: int | None = None, end: int | None = None, **connection: Any) -> list[Page]:
        """All pages of the window between two seconds after 2026-03-01T00:00:00Z."""
        return list(self.source(self.credentials(**connection)).read(window(start, end)))

    def emails(self, pages: Sequence[Page]) -> list[str]:
        """The e-mails of all records, in their order."""
        return [self.vendor.read_email(record) or "" for page in pages for record in page.records]

    def judged(self, pages: Sequence[Page], asked: Window) -> list[ReadRecord]:
        """The records as the read stage takes them."""
        judge = Judge(self.source_options())
        return [record for page in pages for record in judge.records(page, asked)[0]]

    # --- writing --------------------------------------------------------------------------------

    @property
    def mode(self) -> str:
        """How the suite writes where any mode will do."""
        return "upsert" if "upsert" in self.vendor.modes else "create"

    def destination_options(self, mode: str = "upsert", deletes: str = "ignore") -> DestinationOptions:
        return self.declared(self.vendor.destination(mode, deletes))

    def declared(self, destination: dict[str, Any]) -> DestinationOptions:
        """The options of these lines of a flow."""
        assert self.connector.destination_options is not None
        common = {"connector": self.vendor.connector, "connection": "crm"}
        return self.connector.destination_options.model_validate(common | destination)

    def destination(
        self, mode: str = "upsert", deletes: str = "ignore", credentials: Credentials | None = None
    ) -> Destination:
        return self.open(self.destination_options(mode, deletes), credentials)

    def open(self, options: DestinationOptions, credentials: Credentials | None = None) -> Destination:
        destination = self.connector.destination(options, credentials or self.credentials())
        self._stack.callback(destination.close)
        return destination

    def item(self, person: Person, key: str | None = None) -> WriteItem:
        return WriteItem(self.vendor.mapped(person), destination_key=key)

    def tombstone(self, person: Person, key: str | None = None) -> WriteItem:
        """A delete, of which only the e-mail is known, as transform hands it on."""
        data = {name: value for name, value in self.vendor.mapped({"email": person["email"]}).items() if value}
        return WriteItem(data, deleted=True, destination_key=key)

    def write(self, mode: str, *persons: Person, **connection: Any) -> list[Verdict]:
        """The verdicts on a batch, which is halved as the write stage does it."""
        destination = self.destination(mode, credentials=self.credentials(**connection))
        return verdicts(destination, [self.item(person) for person in persons])


def verdicts(destination: Destination, items: Sequence[WriteItem]) -> list[Verdict]:
    """One verdict per item."""
    found = [verdict for verdict in deliver(destination, items) if verdict is not None]
    assert len(found) == len(items)
    return found


def window(start: int | None = None, end: int | None = None) -> Window:
    """Between two seconds after 2026-03-01T00:00:00Z."""
    return Window(*(None if second is None else canonical(moment(second), "timestamp") for second in (start, end)))


def moment(second: int) -> str:
    return f"2026-03-01T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"


def person(number: int) -> Person:
    """A person as `Vendor.seed` makes them."""
    return {"email": f"person{number}@example.com", "name": f"Person {number}"}


def changed(who: Person, **fields: Any) -> Person:
    return {**who, **fields}


def lost(account: Account) -> None:
    """The next write is stored, and its answer never comes."""

    def fault(call: Call) -> Reply | None:
        if not account.vendor.is_write(call):
            account.vendor.faults.append(fault)
            return None
        account.vendor.handle(call)
        return Reply(reset=True)

    account.vendor.faults.append(fault)


def always(account: Account, reply: Reply) -> None:
    """Every call gets this answer from now on."""

    def fault(call: Call) -> Reply | None:
        account.vendor.faults.append(fault)
        return replace(reply)

    account.vendor.faults.append(fault)

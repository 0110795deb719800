"""What a connector is: a source, a destination, or both, over one Airflow connection.

A connector is one file: option models (what a flow file may say), then a `Source` and a `Destination`
class. It knows nothing of runs, stages or the store. Heavy libraries are imported inside functions,
because flow files are validated with the option models whenever Airflow parses a DAG file.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from airflow_provider_flux.connectors.api.profile import ApiProfile
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.declare import Description, Form, ObjectType
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.errors import RecordError
from airflow_provider_flux.transport.tally import Tally


@dataclass(frozen=True)
class Window:
    """The half-open range `[start, end)` of the cursor field that a run reads.

    Values are canonical cursor texts (see `connectors.cursor`), which sort as the values do.
    `None` is an open end: a first run has no start.
    """

    start: str | None = None
    end: str | None = None


@dataclass
class Page:
    """One page of source records, as plain JSON-like dictionaries, in the order of the source.

    :param records: the records; values are what JSON can hold, plus datetime, Decimal, UUID and bytes
    :param defects: by index in `records`: what is wrong with a record that could not be read cleanly (invalid UTF-8,
        NaN, not an object). The record itself is then kept as readable as possible, and fails as this error.
    """

    records: list[dict[str, Any]]
    defects: dict[int, RecordError] = field(default_factory=dict)


class Source(ABC):
    """Reads records of one object through one connection."""

    def __init__(self, options: SourceOptions, credentials: Credentials) -> None: ...

    def now(self) -> datetime | None:
        """The source's own clock (aware), or None where it has none to ask."""
        return None

    @abstractmethod
    def read(self, window: Window) -> Iterator[Page]:
        """Yield the records of the window, page by page.

        May yield records outside the window (the read stage filters again), must not leave out one inside it.

        :raises FluxError: with a code of the catalogue; `error.transient` says whether a task retry may help
        """

    def calls(self) -> Tally:
        """How the calls made so far ended; empty where a connector does not count them."""
        return Tally()

    def fetch(self, keys: Sequence[Mapping[str, Any]]) -> Iterator[Page]:
        """Yield the records with these keys, as they are now, in any order; one that is not there is left out.

        Only called where the options' `can_fetch()` says so.

        :param keys: key field -> its value as an earlier read gave it; one entry for every field of the key
        :raises FluxError: as `read`
        """
        raise NotImplementedError

    def close(self) -> None:
        """Release sockets and database connections."""


@dataclass
class WriteItem:
    """One record on its way into the destination.

    :param data: the mapped record (for a delete: the destination's key fields, as far as they are known)
    :param deleted: the source says that the record is gone
    :param destination_key: the key under which an earlier run delivered this record, from the link row
    """

    data: dict[str, Any]
    deleted: bool = False
    destination_key: str | None = None


@dataclass(frozen=True)
class Written:
    """The destination stored (or deleted) the record.

    :param key: the destination's own key for the record, where it answers with one
    :param kept: it was there already and was left as it is (`mode: create_if_missing`): the record counts as skipped
    """

    key: str | None = None
    kept: bool = False


Verdict = Written | RecordError


class Destination(ABC):
    """Writes mapped records through one connection. `write` is called from several threads at once."""

    batch_size: int
    """Most records in one call of `write`."""
    in_flight: int
    """Most calls of `write` at the same time."""
    idempotent: bool
    """Whether sending the same batch a second time leaves the same records (upsert, update, delete by key)."""
    can_find: bool = False
    """Whether `find` can tell if a record is there: after a crash where `idempotent` is False, and in a test sync."""
    one_by_one: bool = False
    """Whether `write` sends each record by a call of its own, so that a smaller batch costs nothing."""

    def __init__(self, options: DestinationOptions, credentials: Credentials) -> None: ...

    @abstractmethod
    def write(self, items: Sequence[WriteItem]) -> list[Verdict]:
        """Write one batch: one verdict per item, in order.

        :raises BatchRejected: the whole batch was refused and nothing of it was stored; the write stage bisects it
        :raises OutcomeUnknown: sent, but no verdict came back
        :raises FluxError: nothing was stored; transient ones are tried again by the task's retry
        """

    def find(self, items: Sequence[WriteItem]) -> list[str | None]:
        """The destination's key of each item that is there, None for one that is not (only if `can_find`)."""
        raise NotImplementedError

    def calls(self) -> Tally:
        """How the calls made so far ended; empty where a connector does not count them."""
        return Tally()

    def close(self) -> None:
        """Release sockets and database connections."""


class Connector(ABC):
    """The declarations of one connector; `connectors.registry` lists them."""

    name: ClassVar[str]
    """What a flow file says in `connector:`."""
    conn_type: ClassVar[str]
    """The Airflow connection type (`flux_rest`, ...)."""
    form: ClassVar[Form | None] = None
    """Its connection form; None where the connection type is another provider's."""
    profile: ClassVar[ApiProfile | None] = None
    """What is known of the API; None for a system that is not reached over HTTP."""
    objects: ClassVar[tuple[ObjectType, ...]] = ()
    """Objects that every account has; empty where only the flow or the system itself knows them."""
    any_object: ClassVar[ObjectType | None] = None
    """What holds for objects that are not listed: custom ones, or all where only the flow or the system knows them."""
    source_options: ClassVar[type[SourceOptions] | None] = None
    destination_options: ClassVar[type[DestinationOptions] | None] = None

    @classmethod
    def hook_path(cls) -> str:
        """The class of its Airflow hook; `hooks.api` makes one for every connector that has none of its own."""
        return f"airflow_provider_flux.hooks.api.Flux{cls.__name__}Hook"

    @classmethod
    def adapted(cls, credentials: Credentials) -> Credentials:
        """The connection with its fields named as `connectors.api.sign_in` knows them; override where the connection
        type is another provider's, with names of its own.

        :raises FluxError: CONNECTION_INVALID with the field that is missing or wrong
        """
        return credentials

    @classmethod
    @abstractmethod
    def source(cls, options: SourceOptions, credentials: Credentials) -> Source:
        """Open the source (no call is made before `read`, `now`)."""

    @classmethod
    @abstractmethod
    def destination(cls, options: DestinationOptions, credentials: Credentials) -> Destination:
        """Open the destination (no call is made before `write`, `find`)."""

    @classmethod
    @abstractmethod
    def test(
        cls,
        credentials: Credentials,
        options: SourceOptions | DestinationOptions | None = None,
        tally: Tally | None = None,
    ) -> str:
        """Make one harmless call and say what answered, for Airflow's Test button and `connectors verify`.

        :param options: of a flow that uses the connection, so that the call is made as the flow makes it
        :param tally: where the call is counted
        :raises FluxError: with the field of the connection at fault, if it is one
        """

    @classmethod
    def describe(
        cls,
        credentials: Credentials,
        options: SourceOptions | DestinationOptions | None = None,
        object_name: str | None = None,
        tally: Tally | None = None,
    ) -> Description | None:
        """Ask the system which fields an object has; None where it cannot be asked.

        :param options: of a flow that uses the object, or
        :param object_name: its name (a table, for a database)
        :param tally: where the calls are counted
        :raises FluxError: NOT_FOUND for an object that does not exist; as `test`
        """
        return None

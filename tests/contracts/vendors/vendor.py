"""What the contract suite knows of a vendor: a faithful, stateful fake of its API, and how flows speak of it.

One subclass per connector, in a file of its own beside this one, listed in `tests/contracts/vendors/all.py`. The cases
in `tests/contracts/suite/` run against each of them.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from tests.contracts.servers.wire import Call, Reply

Person = dict[str, Any]
"""A record in the suite's own words: `email`, `name` (one text), `phone`; `id` and `archived` where they are known."""


class Vendor(ABC):
    """One account at the vendor, empty at first. Its answers have the vendor's own shapes (../shared/vendors.md)."""

    connector: ClassVar[str]
    modes: ClassVar[frozenset[str]]
    """Write modes that its contract object has."""
    deletes: ClassVar[frozenset[str]] = frozenset({"ignore"})
    max_name: ClassVar[int | None] = 40
    """Longest name; None where the vendor has no limit that it tells."""
    unique_email: ClassVar[bool] = True
    """Whether the vendor refuses a second record with the same e-mail."""
    graphql: ClassVar[bool] = False
    required: ClassVar[str | None] = "email"
    """What the vendor demands of a new person: `email` or `name`; None where it takes a record without anything."""
    fallback_key: ClassVar[str | None] = None
    """The target field of the phone, where its destination has `fallback_keys`; None where it has none."""
    form_fields: ClassVar[tuple[str, ...]] = ()
    """Fields of the connection without which nothing goes: `host`, `password`, `extra.<name>`. Not those for which the
    connector knows an address of its own: the suite never calls a vendor."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.calls: list[Call] = []
        self.faults: list[Reply | Callable[[Call], Reply | None]] = []
        """Answers of the next calls, before the API itself is asked; a function may return None to let one pass."""

    def answer(self, call: Call) -> Reply:
        """One request, start to end."""
        with self.lock:
            self.calls.append(call)
            if self.faults and not self.is_sign_in(call):
                fault = self.faults.pop(0)
                reply = fault if isinstance(fault, Reply) else fault(call)
                if reply is not None:
                    return reply
            return self.handle(call)

    @abstractmethod
    def handle(self, call: Call) -> Reply:
        """The API itself: checks the credentials (401 in the vendor's words), then answers."""

    def is_sign_in(self, call: Call) -> bool:
        """Whether a request asks for a token; `faults` are for the others. Override where there is such a thing."""
        return False

    def is_write(self, call: Call) -> bool:
        """Whether a request may change what is stored. Override where searches are sent with POST."""
        return b"mutation" in call.body if self.graphql else call.method != "GET"

    def count(self) -> int:
        """How many persons there are. Override where two may have the same e-mail, or none."""
        return len(self.stored())

    @abstractmethod
    def connection(self, url: str) -> dict[str, Any]:
        """Fields of an Airflow connection to this account, `conn_type` included: `Credentials("crm", **these)`."""

    @abstractmethod
    def source(self) -> dict[str, Any]:
        """`source:` of a flow that reads all persons, without `connector` and `connection`."""

    @abstractmethod
    def destination(self, mode: str = "upsert", deletes: str = "ignore") -> dict[str, Any]:
        """`destination:` of a flow that writes persons by their e-mail, without `connector` and `connection`."""

    def with_fallback(self) -> dict[str, Any]:
        """The same, to upsert, with `fallback_key` as a fallback key. Override where that takes more to say."""
        return {**self.destination(), "fallback_keys": [[self.fallback_key or "phone"]]}

    @abstractmethod
    def mapped(self, person: Person) -> dict[str, Any]:
        """The mapped record of a person, in the fields of the destination."""

    @abstractmethod
    def seed(self, count: int, first: int = 0) -> None:
        """Have persons `person<number>@example.com` with the name `Person <number>`, changed one a second, in order,
        from 2026-03-01T00:00:00Z + `first` seconds on."""

    @abstractmethod
    def change(self, number: int, second: int) -> None:
        """Person `number` is changed at 2026-03-01T00:00:00Z + `second` seconds."""

    @abstractmethod
    def read_email(self, record: dict[str, Any]) -> str | None:
        """The e-mail of a record as the source yields it."""

    @abstractmethod
    def stored(self) -> dict[str, Person]:
        """Everyone who is there (the archived, too, where the vendor keeps them), by e-mail."""

    @abstractmethod
    def failure(self, status: int) -> Reply:
        """How the vendor words 400, 401, 403, 404, 429 (with a wait of at most 0.2 s), 500, 503; a GraphQL vendor says
        some of them with HTTP 200."""

"""Pipedrive as the contract suite knows it: persons by their e-mail, over the fake of `pipedrive_api`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from tests.contracts.servers.wire import Call, Reply
from tests.contracts.vendors.pipedrive_api import TOKEN, PipedriveApi, refusal
from tests.contracts.vendors.vendor import Person, Vendor

_FIRST_SECOND = datetime(2026, 3, 1, tzinfo=UTC)


class PipedriveVendor(PipedriveApi, Vendor):
    """One company, and a user's token."""

    connector: ClassVar[str] = "pipedrive"
    modes: ClassVar[frozenset[str]] = frozenset({"create", "update", "upsert", "create_if_missing"})
    deletes: ClassVar[frozenset[str]] = frozenset({"ignore", "delete"})
    unique_email: ClassVar[bool] = False
    required: ClassVar[str | None] = "name"
    max_name: ClassVar[int | None] = 255
    fallback_key: ClassVar[str | None] = "phone"
    form_fields: ClassVar[tuple[str, ...]] = ("password",)

    def __init__(self) -> None:
        Vendor.__init__(self)
        PipedriveApi.__init__(self)

    def is_sign_in(self, call: Call) -> bool:
        return call.path == "/oauth/token"

    def connection(self, url: str) -> dict[str, Any]:
        return {"conn_type": "flux_pipedrive", "host": url, "password": TOKEN}

    def source(self) -> dict[str, Any]:
        return {"object": "persons"}

    def destination(self, mode: str = "upsert", deletes: str = "ignore") -> dict[str, Any]:
        return {"object": "persons", "key": "email", "mode": mode, "deletes": deletes}

    def mapped(self, person: Person) -> dict[str, Any]:
        return {name: person[name] for name in ("email", "name", "phone") if name in person}

    def seed(self, count: int, first: int = 0) -> None:
        for number in range(first, first + count):
            moment = _moment(number)
            email = {"value": f"person{number}@example.com", "primary": True, "label": "work"}
            record = {"id": self._next, "name": f"Person {number}", "emails": [email], "phones": []}
            record |= {"add_time": moment, "update_time": moment, "is_deleted": False, "custom_fields": {}}
            self.records["persons"][self._next] = record
            self._next += 1
        self.index()

    def change(self, number: int, second: int) -> None:
        [person] = [row for row in self.records["persons"].values() if row["name"] == f"Person {number}"]
        person["update_time"] = _moment(second)

    def read_email(self, record: dict[str, Any]) -> str | None:
        return next((entry["value"] for entry in record["emails"] if entry["primary"]), None)

    def stored(self) -> dict[str, Person]:
        persons = [row for row in self.records["persons"].values() if not row["is_deleted"]]
        return {self.read_email(row) or "": row for row in persons}

    def count(self) -> int:
        return sum(not row["is_deleted"] for row in self.records["persons"].values())

    def failure(self, status: int) -> Reply:
        if status == 429:
            limits = {"x-ratelimit-limit": "20", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "0.1"}
            return refusal(429, headers=limits)
        return refusal(status, headers={"Retry-After": "0.1"} if status == 503 else {})


def _moment(second: int) -> str:
    return (_FIRST_SECOND + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")

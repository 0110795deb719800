"""The connector `rest` over a small SaaS: batches to upsert, look-ups for the other modes, pages by keyset."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from tests.contracts.servers.saas import KEY, Contact, Saas, contacts, error
from tests.contracts.servers.wire import Call, Reply
from tests.contracts.vendors.vendor import Person, Vendor

_FIND = {"path": "/contacts", "params": {"email": "{record.email}"}, "records": "data", "id": "id"}
_FIND_BY_PHONE = {"path": "/contacts", "params": {"phone": "{key}"}, "records": "data", "id": "id"}
_RESULTS = {"error_message": "error.message", "error_code": "error.code", "error_field": "error.field"}
_BATCH = {
    "path": "/contacts/batch",
    "batch": {"records": "inputs"},
    "results": {"records": "results", "ok": {"status": "status"}, "id": "contact.id", **_RESULTS},
}
_NEW = {"updated_at": "2026-03-02T00:00:00Z"}


class RestVendor(Vendor):
    """The SaaS of `servers/saas.py`, with an API key."""

    connector: ClassVar[str] = "rest"
    modes: ClassVar[frozenset[str]] = frozenset({"create", "update", "upsert", "create_if_missing"})
    deletes: ClassVar[frozenset[str]] = frozenset({"ignore", "archive", "delete"})
    fallback_key: ClassVar[str | None] = "phone"
    form_fields: ClassVar[tuple[str, ...]] = ("host", "password")

    def __init__(self) -> None:
        super().__init__()
        self.saas = _People()
        self.saas.key = KEY

    def handle(self, call: Call) -> Reply:
        return self.saas.answer(call)

    def connection(self, url: str) -> dict[str, Any]:
        extra = {"auth": {"kind": "api_key", "header": "X-Api-Key"}, "test_path": "/people"}
        return {"conn_type": "flux_rest", "host": url, "password": KEY, "extra": extra}

    def source(self) -> dict[str, Any]:
        return {
            "path": "/people",
            "records": "data",
            "key": "id",
            "cursor": {"field": "updated_at"},
            "incremental": {"param": "since", "until": "until"},
            "page": {"kind": "cursor", "param": "after", "next": "next", "size_param": "limit", "size": 10},
            "item": {"path": "/contacts/{key}"},
        }

    def destination(self, mode: str = "upsert", deletes: str = "ignore") -> dict[str, Any]:
        declared: dict[str, Any] = {"key": "email", "mode": mode, "deletes": deletes}
        if mode == "upsert":
            return declared | _BATCH | _removal(deletes, "/people/{key}")
        single = {"path": "/contacts", "results": {"id": "contact.id", **_RESULTS}}
        if mode == "create":
            return declared | single | _removal(deletes, "/people/{key}") | {"find": _FIND}
        looked_up = declared | single | _removal(deletes, "/contacts/{destination_key}")
        if mode == "create_if_missing":
            return looked_up | {"find": _FIND}
        return looked_up | {"find": _FIND, "change": {"path": "/contacts/{destination_key}"}}

    def with_fallback(self) -> dict[str, Any]:
        """An upsert by look-ups, for the batch endpoint knows the e-mail only."""
        finds = [_FIND, _FIND_BY_PHONE]
        return self.destination("update") | {"mode": "upsert", "find": finds, "fallback_keys": ["phone"]}

    def mapped(self, person: Person) -> dict[str, Any]:
        return {name: person[name] for name in ("email", "name", "phone") if name in person}

    def seed(self, count: int, first: int = 0) -> None:
        self.saas.contacts.update((contact["id"], contact) for contact in contacts(count, first))

    def change(self, number: int, second: int) -> None:
        contact = self.saas.contacts[f"c{number:05d}"]
        contact["updated_at"] = f"2026-03-01T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"

    def read_email(self, record: dict[str, Any]) -> str | None:
        return record.get("email")

    def stored(self) -> dict[str, Person]:
        return {contact["email"]: contact for contact in self.saas.contacts.values()}

    def count(self) -> int:
        return len(self.saas.contacts)

    def failure(self, status: int) -> Reply:
        reply = error(status, f"e{status}", f"the SaaS says {status}")
        return Reply(status, reply.body, {"Retry-After": "0.1"} if status in (429, 503) else {})


def _removal(deletes: str, path: str) -> dict[str, Any]:
    if deletes == "archive":
        return {"archive": {"path": path, "body": {"archived": True}}}
    return {"delete": {"path": path}} if deletes == "delete" else {}


class _People(Saas):
    """Contacts by their e-mail, as `/people`."""

    numbers = 0

    def _get_people(self, call: Call, rest: str) -> Reply:
        """A token that says where the page before ended, so that nothing is lost when contacts change meanwhile."""
        after = tuple(json.loads(call.param("after", '["", ""]')))
        rows = [row for row in self._found(call) if (row["updated_at"], row["id"]) > after]
        size = self._size(call)
        last = [rows[size - 1]["updated_at"], rows[size - 1]["id"]] if len(rows) > size else None
        return Reply(200, {"data": rows[:size], "next": last and json.dumps(last)})

    def _post_contacts(self, call: Call, rest: str) -> Reply:
        if rest:
            return super()._post_contacts(call, rest)
        contact = {"id": self._number(), **_NEW, **call.json()}
        if refusal := self._refusal(contact):
            return refusal
        self.contacts[contact["id"]] = contact
        return Reply(201, {"contact": contact})

    def _get_contacts(self, call: Call, rest: str) -> Reply:
        if rest or call.param("email"):
            return super()._get_contacts(call, rest)
        return Reply(200, {"data": [row for row in self._rows() if row.get("phone") == call.param("phone")]})

    def _patch_contacts(self, call: Call, rest: str) -> Reply:
        return self._changed(call, self.contacts.get(rest), rest)

    def _patch_people(self, call: Call, rest: str) -> Reply:
        return self._changed(call, self._by_email(rest), rest)

    def _changed(self, call: Call, found: Contact | None, name: str) -> Reply:
        if found is None:
            return error(404, "not_found", f"there is no person {name}")
        contact = {**found, "archived": False, **call.json()}
        if refusal := self._refusal(contact):
            return refusal
        self.contacts[contact["id"]] = contact
        return Reply(200, contact)

    def _delete_people(self, call: Call, rest: str) -> Reply:
        found = self._by_email(rest)
        if found is None:
            return error(404, "not_found", f"there is no person {rest}")
        del self.contacts[found["id"]]
        return Reply(204)

    def _number(self) -> str:
        self.numbers += 1
        return f"n{self.numbers:05d}"

    def _by_email(self, email: str) -> Contact | None:
        return next((contact for contact in self.contacts.values() if contact["email"] == email), None)

    def _stored(self, contact: Contact, by: str) -> dict[str, Any]:
        known = self._by_email(contact.get(by) or "") or {}
        number = self._number()
        stored = super()._stored({"id": number, **_NEW, **known, "archived": False, **contact}, by)
        if stored["status"] < 400:
            stored["contact"] = {"id": known.get("id", number)}
        return stored

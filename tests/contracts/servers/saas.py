"""A small SaaS with contacts, as vendors build them: many ways of paging, single and batch writes, errors per record.

It keeps what is written to it, so that tests can compare what a client believes with what is there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlencode

from tests.contracts.servers.wire import Call, Reply

Contact = dict[str, Any]

KEY = "k-5ecret/+key"
MAX_NAME = 40


def contacts(count: int, first: int = 0) -> list[Contact]:
    """Contacts in the order of their last change, one a second."""
    return [
        {
            "id": f"c{number:05d}",
            "email": f"person{number}@example.com",
            "name": f"Person {number}",
            "updated_at": f"2026-03-01T{number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}Z",
        }
        for number in range(first, first + count)
    ]


class Saas:
    """The data behind the server, and its habits.

    :param cap: largest page; a larger one that is asked for is lowered without a word
    :param counts_asked: pages are counted in the size that was asked for, even where it was lowered
    :param sizes: page sizes that are allowed; any other is refused with 400
    :param between: called before each page of a list, with its number
    """

    def __init__(self, *stored: Contact, cap: int = 100) -> None:
        self.contacts: dict[str, Contact] = {contact["id"]: contact for contact in stored}
        self.created: list[Contact] = []
        self.cap = cap
        self.counts_asked = False
        self.sizes: set[int] | None = None
        self.key: str | None = None
        self.between: Callable[[int], None] = lambda number: None
        self.pages = 0
        self.lock = threading.RLock()

    def answer(self, call: Call) -> Reply:
        """One request, start to end."""
        with self.lock:
            if self.key is not None and not self._authorised(call):
                return error(401, "unauthorized", f"key {self._offered(call)} is not valid")
            name, _, rest = call.path.strip("/").partition("/")
            handler = getattr(self, f"_{call.method.lower()}_{name}", None)
            return handler(call, unquote(rest)) if handler else error(404, "not_found", f"no {call.method} {call.path}")

    # --- lists ----------------------------------------------------------------------------------

    def _get_cursor(self, call: Call, rest: str) -> Reply:
        """A token deep in the body; the last page has no `paging`."""
        rows, size = self._found(call), self._size(call)
        start = int(call.param("after", "0"))
        meta = {"paging": {"next": {"after": str(start + size)}}} if start + size < len(rows) else {}
        return Reply(200, {"data": {"items": rows[start : start + size]}, "meta": meta})

    def _post_search(self, call: Call, rest: str) -> Reply:
        """The same, asked with a body."""
        body = call.json()
        since = body.get("filter", {}).get("since", "")
        rows = [row for row in self._rows() if row["updated_at"] >= since]
        start, size = int(body.get("after", 0)), min(body["limit"], self.cap)
        return Reply(
            200, {"results": rows[start : start + size], "after": start + size if start + size < len(rows) else None}
        )

    def _get_page(self, call: Call, rest: str) -> Reply:
        asked = int(call.param("per_page", str(self.cap)))
        if self.sizes is not None and asked not in self.sizes:
            return error(400, "bad_size", f"per_page must be one of {sorted(self.sizes)}")
        size = min(asked, self.cap)
        start = (int(call.param("page", "1")) - 1) * (asked if self.counts_asked else size)
        rows = self._found(call)
        return Reply(200, {"items": rows[start : start + size], "more": start + size < len(rows)})

    def _get_offset(self, call: Call, rest: str) -> Reply:
        rows, start = self._found(call), int(call.param("offset", "0"))
        return Reply(200, rows[start : start + self._size(call)])

    def _get_link(self, call: Call, rest: str) -> Reply:
        rows, following = self._with_next(call)
        link = f'<{self._url(call)}>; rel="self"'
        return Reply(
            200, rows, {"Link": f'{link}, <{following}>; title="a, b"; rel="last next"' if following else link}
        )

    def _get_nexturl(self, call: Call, rest: str) -> Reply:
        rows, following = self._with_next(call)
        return Reply(200, {"value": rows, "@odata.nextLink": following})

    def _get_nextheader(self, call: Call, rest: str) -> Reply:
        rows, following = self._with_next(call)
        return Reply(200, {"data": rows}, {"Next-Page": following} if following else {})

    # --- single records -------------------------------------------------------------------------

    def _get_contacts(self, call: Call, rest: str) -> Reply:
        if not rest:
            email = call.param("email")
            return Reply(200, {"data": [row for row in self._rows() if row["email"] == email]})
        found = self.contacts.get(rest)
        return Reply(200, found) if found else error(404, "not_found", f"there is no contact {rest}")

    def _post_contacts(self, call: Call, rest: str) -> Reply:
        if rest == "batch":
            results = [self._stored(contact, by="email") for contact in call.json()["inputs"]]
            return Reply(207 if any(result["status"] >= 400 for result in results) else 200, {"results": results})
        if rest:
            return error(404, "not_found", f"no POST {call.path}")
        contact = call.json()
        if refusal := self._refusal(contact):
            return refusal
        contact = {"id": f"new{len(self.created)}", **contact}
        self.created.append(contact)
        self.contacts[contact["id"]] = contact
        return Reply(201, {"success": True, "contact": contact})

    def _put_contacts(self, call: Call, rest: str) -> Reply:
        contact = {**call.json(), "id": rest}
        if refusal := self._refusal(contact):
            return refusal
        self.contacts[rest] = contact
        return Reply(200, contact)

    def _patch_contacts(self, call: Call, rest: str) -> Reply:
        if rest not in self.contacts:
            return error(404, "not_found", f"there is no contact {rest}")
        return self._put_contacts(call, rest)

    def _delete_contacts(self, call: Call, rest: str) -> Reply:
        if self.contacts.pop(rest, None) is None:
            return error(404, "not_found", f"there is no contact {rest}")
        return Reply(204)

    def _stored(self, contact: Contact, by: str) -> dict[str, Any]:
        refusal = self._refusal(contact)
        if refusal is not None:
            return {"status": refusal.status, "ref": contact.get(by), **refusal.body}
        key = contact.get("id") or contact[by]
        self.contacts[key] = contact
        return {"status": 200, "ref": contact[by], "contact": {"id": f"crm-{key}"}}

    def _refusal(self, contact: Contact) -> Reply | None:
        if not contact.get("email"):
            return error(422, "missing", "email is required", "email")
        if len(contact.get("name") or "") > MAX_NAME:
            return error(422, "too_long", f"name is longer than {MAX_NAME}", "name")
        others = (row for row in self.contacts.values() if row["id"] != contact.get("id", row["id"]))
        if any(row["email"] == contact["email"] for row in others):
            return error(409, "duplicate", f"there is a contact with the email {contact['email']}", "email")
        return None

    # --- common ---------------------------------------------------------------------------------

    def _rows(self) -> list[Contact]:
        return sorted(self.contacts.values(), key=lambda row: (row["updated_at"], row["id"]))

    def _found(self, call: Call) -> list[Contact]:
        self.pages += 1
        self.between(self.pages)
        since, until = call.param("since"), call.param("until", "~")
        return [row for row in self._rows() if since <= row["updated_at"] < until]

    def _size(self, call: Call) -> int:
        return min(int(call.param("limit", str(self.cap))), self.cap)

    def _with_next(self, call: Call) -> tuple[list[Contact], str | None]:
        rows, size = self._found(call), self._size(call)
        start = int(call.param("start", "0"))
        query = {name: values[0] for name, values in call.query.items()} | {"start": str(start + size)}
        following = f"{self._url(call)}?{urlencode(query)}" if start + size < len(rows) else None
        return rows[start : start + size], following

    def _url(self, call: Call) -> str:
        return f"http://127.0.0.1:{call.port}{call.path}"

    def _offered(self, call: Call) -> str:
        return call.headers.get("x-api-key") or call.param("api_key") or call.headers.get("authorization", "none")

    def _authorised(self, call: Call) -> bool:
        return self.key in (
            call.headers.get("x-api-key"),
            call.param("api_key"),
            call.headers.get("authorization", "").removeprefix("Bearer "),
        )


def error(status: int, code: str, message: str, field: str | None = None) -> Reply:
    """An error as this SaaS words it."""
    return Reply(status, {"error": {"code": code, "message": message, "field": field}})

"""A Jobber account: clients and jobs behind its GraphQL API.

Facts: `jobber_schema`, and https://developer.getjobber.com/docs (rate limits, versions, authorization). Jobber has no
unique fields. Its lists are handed out newest change first ("recently updated clients"), by positions that its cursors
carry, as graphql-ruby does it: what changes meanwhile moves to the front.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.contracts.servers.wire import Call, Reply
from tests.contracts.vendors.jobber_schema import SDL
from tests.contracts.vendors.ruby_graphql import Node, Refused, Server, packed, page_of, unpacked
from tests.contracts.vendors.vendor import Person, Vendor

TOKEN = "eyJhbGciOiJIUzI1NiJ9.acc3ss-t0ken"
VERSION = "2026-05-12"
MOST = 100

_FIRST = datetime(2026, 3, 1, tzinfo=UTC)
_DOCS = "https://developer.getjobber.com/docs/using_jobbers_api/api_rate_limits"


class Jobber(Vendor):
    """One account. `search_is_late` makes a search find nothing that was just made."""

    connector = "jobber"
    modes = frozenset({"create", "update", "upsert", "create_if_missing"})
    deletes = frozenset({"ignore", "archive"})
    max_name = None
    unique_email = False
    graphql = True
    required = None
    fallback_key = "phone"
    form_fields = ("password",)

    def __init__(self) -> None:
        super().__init__()
        self.clients: dict[str, Node] = {}
        self.jobs: dict[str, Node] = {}
        self.documents: list[dict[str, Any]] = []
        self.search_is_late = False
        self._number = 100
        names = ("account", "client", "clients", "clientCreate", "clientEdit", "clientArchive", "clientUnarchive")
        names += ("job", "jobs", "jobCreate", "jobEdit")
        self.server = Server(SDL, {name: getattr(self, f"_{name}") for name in names}, _price, self._admit)
        # 500 points a second come back at Jobber; tests shall not wait for them.
        self.server.points.maximum, self.server.points.rate = 10_000, 200_000

    # --- what the suite asks ----------------------------------------------------------------------

    def handle(self, call: Call) -> Reply:
        if call.path != "/api/graphql" or call.method != "POST":
            return self.failure(404)
        if call.headers.get("authorization") != f"Bearer {TOKEN}":
            return self.failure(401)
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", call.headers.get("x-jobber-graphql-version", "")):
            return Reply(400, {"message": "X-JOBBER-GRAPHQL-VERSION is missing or is not a version"})
        if call.headers.get("content-type", "").partition(";")[0] != "application/json":
            return Reply(415, {"message": "Unsupported Media Type"})
        self.documents.append(call.json())
        answer = self.server.answer(call.json())
        told = {"version": call.headers["x-jobber-graphql-version"]}
        return Reply(200, {**answer, "extensions": {**answer.get("extensions", {}), "versioning": told}})

    def connection(self, url: str) -> dict[str, Any]:
        return {"conn_type": "flux_jobber", "host": url, "password": TOKEN}

    def source(self) -> dict[str, Any]:
        return {"object": "clients"}

    def destination(self, mode: str = "upsert", deletes: str = "ignore") -> dict[str, Any]:
        return {"object": "clients", "key": "email", "mode": mode, "deletes": deletes}

    def mapped(self, person: Person) -> dict[str, Any]:
        names = {"email": "email", "name": "lastName", "phone": "phone"}
        return {names[name]: value for name, value in person.items() if name in names}

    def seed(self, count: int, first: int = 0) -> None:
        for number in range(first, first + count):
            client = self.add_client(f"person{number}@example.com", lastName=f"Person {number}")
            client["updatedAt"] = _moment(number)

    def change(self, number: int, second: int) -> None:
        self.at(f"person{number}@example.com")["updatedAt"] = _moment(second)

    def read_email(self, record: dict[str, Any]) -> str | None:
        return record.get("email")

    def stored(self) -> dict[str, Person]:
        return {
            _primary(client["emails"], "address"): {
                "id": client["id"], "email": _primary(client["emails"], "address"), "name": client["lastName"],
                "phone": _primary(client["phones"], "number"), "archived": client["isArchived"],
            }
            for client in self.clients.values()
        }  # fmt: skip

    def count(self) -> int:
        return len(self.clients)

    def failure(self, status: int) -> Reply:
        if status == 429:
            return Reply(429, b"Retry later\n", {"Content-Type": "text/plain", "Retry-After": "0"})
        words = {
            400: "Bad Request", 401: "Invalid Token Error", 403: "Forbidden", 404: "Not Found",
            500: "Internal Server Error", 503: "Service Unavailable",
        }  # fmt: skip
        return Reply(status, {"message": words[status]})

    def throttled(self, requested: int, available: int, rate: int) -> dict[str, Any]:
        """The answer to a query for which the bucket holds too little: HTTP 200, without data."""
        status = {"maximumAvailable": 10_000, "currentlyAvailable": available, "restoreRate": rate}
        cost = {"requestedQueryCost": requested, "actualQueryCost": 0, "throttleStatus": status}
        return {"errors": [_THROTTLED], "extensions": {"cost": cost}}

    # --- what is there ----------------------------------------------------------------------------

    def add_client(self, email: str | None, **fields: Any) -> Node:
        """Have a client."""
        client = {
            "id": self._id("Client"), "firstName": "", "lastName": "", "companyName": None, "title": None,
            "isCompany": False, "isLead": True, "isArchived": False, "isArchivable": True, "balance": 0.0,
            "emails": [self._email(email)] if email else [], "phones": [], "billingAddress": None,
            "properties": [], "tagList": [], "createdAt": _moment(0), "updatedAt": _now(), **fields,
        }  # fmt: skip
        self.clients[client["id"]] = client
        return client

    def add_job(self, client: Node, title: str, items: int = 0, **fields: Any) -> Node:
        """Have a job with so many line items."""
        lines = [
            {"id": self._id("LineItem"), "name": f"Work {number}", "description": "", "quantity": 1.0, "unitPrice": 9.0}
            for number in range(items)
        ]
        job = {
            "id": self._id("Job"), "jobNumber": len(self.jobs) + 1, "title": title, "instructions": None,
            "jobStatus": "upcoming", "jobType": "ONE_OFF", "billingType": "FIXED_PRICE", "total": 0.0, "startAt": None,
            "endAt": None, "completedAt": None, "createdAt": _moment(0), "updatedAt": _moment(0), "client": client,
            "property": {"id": self._id("Property")}, "lines": lines, **fields,
        }  # fmt: skip
        self.jobs[job["id"]] = job
        return job

    def at(self, email: str) -> Node:
        """The client with this e-mail."""
        return next(one for one in self.clients.values() if any(had["address"] == email for had in one["emails"]))

    # --- queries ----------------------------------------------------------------------------------

    def _account(self, info: Any) -> Node:
        return {"id": "QWNjb3VudDox", "name": "Test account"}

    def _client(self, info: Any, id: str) -> Node | None:
        found = self.clients.get(id)
        return None if found is None else _told_client(found)

    def _clients(self, info: Any, searchTerm: str = "", **asked: Any) -> Node:
        found = [client for client in self.clients.values() if _matches(client, searchTerm)]
        if searchTerm and self.search_is_late:
            found = []
        wanted = asked.get("filter") or {}
        if "isArchived" in wanted:
            found = [client for client in found if client["isArchived"] is wanted["isArchived"]]
        return _list(found, _told_client, wanted, asked)

    def _job(self, info: Any, id: str) -> Node | None:
        found = self.jobs.get(id)
        return None if found is None else _told_job(found)

    def _jobs(self, info: Any, searchTerm: str = "", **asked: Any) -> Node:
        return _list(list(self.jobs.values()), _told_job, asked.get("filter") or {}, asked)

    # --- mutations --------------------------------------------------------------------------------

    def _clientCreate(self, info: Any, input: dict[str, Any]) -> Node:
        wrong = _complaints(input, "")
        if wrong:
            return {"client": None, "userErrors": wrong}
        plain = {name: value for name, value in input.items() if name not in ("emails", "phones")}
        client = self.add_client(None, createdAt=_now(), **plain)
        for address in input.get("emails", ()):
            self._add(client, "emails", address)
        for phone in input.get("phones", ()):
            self._add(client, "phones", phone)
        return {"client": _told_client(client), "userErrors": []}

    def _clientEdit(self, info: Any, clientId: str, input: dict[str, Any]) -> Node:
        client = self.clients.get(clientId)
        if client is None:
            return {"client": None, "userErrors": [{"message": "Client not found", "path": ["clientId"]}]}
        wrong = _complaints(input, "ToAdd")
        if wrong:
            return {"client": None, "userErrors": wrong}
        for kind in ("emails", "phones"):
            gone = input.get(f"{kind}ToDelete", [])
            known = {entry["id"] for entry in client[kind]}
            edits = input.get(f"{kind}ToEdit", [])
            if not {*gone, *(edit["id"] for edit in edits)} <= known:
                message = f"{kind.capitalize()} could not be found"
                return {"client": None, "userErrors": [{"message": message, "path": ["input", kind]}]}
            client[kind] = [entry for entry in client[kind] if entry["id"] not in gone]
            for edit in edits:
                self._set(client, kind, next(entry for entry in client[kind] if entry["id"] == edit["id"]), edit)
            for entry in input.get(f"{kind}ToAdd", []):
                self._add(client, kind, entry)
        client.update({name: value for name, value in input.items() if "To" not in name}, updatedAt=_now())
        return {"client": _told_client(client), "userErrors": []}

    def _clientArchive(self, info: Any, clientId: str) -> Node:
        return self._archived(clientId, archived=True)

    def _clientUnarchive(self, info: Any, clientId: str) -> Node:
        return self._archived(clientId, archived=False)

    def _jobCreate(self, info: Any, input: dict[str, Any]) -> Node:
        owners = (one for one in self.clients.values() if {"id": input["propertyId"]} in one["properties"])
        client = next(owners, None)
        if client is None:
            return {"job": None, "userErrors": [{"message": "Property not found", "path": ["input", "propertyId"]}]}
        plain = {name: input[name] for name in ("instructions", "jobType") if name in input}
        job = self.add_job(client, input.get("title", ""), updatedAt=_now(), **plain)
        return {"job": _told_job(job), "userErrors": []}

    def _jobEdit(self, info: Any, jobId: str, input: dict[str, Any]) -> Node:
        job = self.jobs.get(jobId)
        if job is None:
            return {"job": None, "userErrors": [{"message": "Job not found", "path": ["jobId"]}]}
        job.update({name: value for name, value in input.items() if name != "invoicing"}, updatedAt=_now())
        return {"job": _told_job(job), "userErrors": []}

    # --- rules ------------------------------------------------------------------------------------

    def _archived(self, key: str, *, archived: bool) -> Node:
        client = self.clients.get(key)
        if client is None:
            return {"client": None, "userErrors": [{"message": "Client not found", "path": ["clientId"]}]}
        client.update(isArchived=archived, updatedAt=_now())
        return {"client": _told_client(client), "userErrors": []}

    def _email(self, address: str) -> Node:
        return {"id": self._id("Email"), "address": address, "description": "Main", "primary": True}

    def _add(self, client: Node, kind: str, given: dict[str, Any]) -> None:
        entry = {"id": self._id(kind), "description": "Main", "primary": not client[kind], "smsAllowed": False}
        client[kind].append(entry)
        self._set(client, kind, entry, given)

    def _set(self, client: Node, kind: str, entry: Node, given: dict[str, Any]) -> None:
        entry.update({name: value for name, value in given.items() if name != "id"})
        entry["description"] = entry["description"].capitalize()
        for other in client[kind] if given.get("primary") else ():
            other["primary"] = other is entry

    def _admit(self, cost: float) -> None:
        if cost > self.server.points.left():
            raise Refused(_THROTTLED)

    def _id(self, kind: str) -> str:
        self._number += 1
        return packed(f"gid://Jobber/{kind}/{self._number}")


_THROTTLED = {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": _DOCS}}


def _price(field: str, kind: str, first: int, inner: float, leaf: bool) -> float:
    """Every field costs 1, those of a list as often as it has entries, `nodes` nothing (developer.getjobber.com)."""
    if kind.endswith("Connection"):
        return first * inner
    return inner + (0 if field in ("nodes", "edges", "node", "pageInfo") else 1)


def _list(found: list[Node], told: Any, wanted: dict[str, Any], asked: dict[str, Any]) -> Node:
    for name in ("updatedAt", "createdAt"):
        span = wanted.get(name) or {}
        found = [one for one in found if one[name] > (span.get("after") or "")]
        found = [one for one in found if one[name] < (span.get("before") or "~")]
    found.sort(key=lambda one: (one["updatedAt"], one["id"]), reverse=True)
    return _page(found, told, asked)


def _page(found: list[Node], told: Any, asked: dict[str, Any]) -> Node:
    after = asked.get("after")
    start = int(unpacked(after)) if after else 0
    size = min(MOST if asked.get("first") is None else asked["first"], MOST)
    page = [told(one) for one in found[start : start + size]]
    more = start + size < len(found)
    return {**page_of(page, more=more, end=packed(str(start + len(page))), before=after), "totalCount": len(found)}


def _matches(client: Node, term: str) -> bool:
    texts = [client["firstName"], client["lastName"], client["companyName"] or ""]
    texts += [entry["address"] for entry in client["emails"]] + [entry["number"] for entry in client["phones"]]
    return not term or any(term.lower() in text.lower() for text in texts)


def _told_client(client: Node) -> Node:
    tags = [{"label": label} for label in client["tagList"]]
    return {
        **client,
        "name": client["companyName"] or f"{client['firstName']} {client['lastName']}".strip(),
        "email": _primary(client["emails"], "address"),
        "phone": _primary(client["phones"], "number"),
        "jobberWebUri": f"https://secure.getjobber.com/clients/{client['id']}",
        "clientProperties": lambda info, **asked: _page(client["properties"], dict, asked),
        "tags": lambda info, **asked: _page(tags, dict, asked),
    }


def _told_job(job: Node) -> Node:
    return {
        **job,
        "client": _told_client(job["client"]),
        "jobberWebUri": f"https://secure.getjobber.com/jobs/{job['id']}",
        "lineItems": lambda info, **asked: _page(job["lines"], dict, asked),
    }


def _primary(entries: list[Node], name: str) -> str | None:
    return next((entry[name] for entry in entries if entry["primary"]), None)


def _complaints(given: dict[str, Any], suffix: str) -> list[Node]:
    wrong = []
    for entry in given.get(f"emails{suffix}", ()):
        if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", entry.get("address") or ""):
            wrong.append({"message": "Email address is not valid", "path": ["input", f"emails{suffix}", "address"]})
    return wrong


def _moment(second: int) -> str:
    return (_FIRST + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""The connector `graphql` over a contact book, served as Apollo Server serves it.

Documents are parsed, validated and executed for real, by graphql-core. A document or a variable that does not fit is
answered with HTTP 400, everything else with 200; errors carry `extensions.code`
(https://www.apollographql.com/docs/apollo-server/data/errors).
"""

from __future__ import annotations

from typing import Any, ClassVar

from graphql import GraphQLError, OperationDefinitionNode, build_schema, execute, parse, validate
from graphql.execution.values import get_variable_values

from tests.contracts.servers.wire import Call, Reply
from tests.contracts.vendors.ruby_graphql import packed as cursor_of
from tests.contracts.vendors.ruby_graphql import page_of, unpacked
from tests.contracts.vendors.vendor import Person, Vendor

KEY = "gql-secret-5f3b9c"
_MAX_NAME = 40

SCHEMA = """
scalar DateTime
enum ErrorCode { BLANK TAKEN TOO_LONG NOT_FOUND }
type Contact { id: ID! email: String! name: String phone: String archived: Boolean! updatedAt: DateTime! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type ContactEdge { cursor: String! node: Contact }
type ContactConnection { nodes: [Contact] edges: [ContactEdge] pageInfo: PageInfo! }
input DateTimeRange { gte: DateTime lt: DateTime }
input ContactFilter { email: String phone: String updatedAt: DateTimeRange }
input ContactInput { email: String name: String phone: String }
type UserError { field: [String!] message: String! code: ErrorCode }
type ContactPayload { contact: Contact userErrors: [UserError!]! }
type Query {
  contacts(first: Int, after: String, offset: Int, filter: ContactFilter): ContactConnection
  contact(id: ID!): Contact
}
type Mutation {
  contactCreate(input: ContactInput!): ContactPayload
  contactUpdate(id: ID!, input: ContactInput!): ContactPayload
  contactUpsert(input: ContactInput!): ContactPayload
  contactArchive(id: ID!): ContactPayload
  contactDelete(id: ID!): ContactPayload
}
"""

QUERY = """
query Contacts($first: Int!, $after: String, $filter: ContactFilter) {
  contacts(first: $first, after: $after, filter: $filter) {
    nodes { id email name phone updatedAt }
    pageInfo { hasNextPage endCursor }
  }
}
"""
ITEM = "query Contact($id: ID!) { contact(id: $id) { id email name phone updatedAt } }"
FIND = "query Find($filter: ContactFilter!) { contacts(first: 2, filter: $filter) { nodes { id } } }"


def mutation(name: str, *, keyed: bool, record: bool) -> dict[str, Any]:
    """One of the mutations, as a flow file writes it."""
    declared = ", ".join(["$id: ID!"] * keyed + ["$input: ContactInput!"] * record)
    given = ", ".join(["id: $id"] * keyed + ["input: $input"] * record)
    selected = "contact { id } userErrors { field message code }"
    variables = {"id": "{destination_key}"} if keyed else {}
    return {
        "mutation": f"mutation({declared}) {{ {name}({given}) {{ {selected} }} }}",
        "variables": variables | ({"input": "{record}"} if record else {}),
        "id": f"data.{name}.contact.id",
    }


class GraphqlVendor(Vendor):
    """A contact book with unique e-mails, read by connection, written by mutations with user errors."""

    connector: ClassVar[str] = "graphql"
    modes: ClassVar[frozenset[str]] = frozenset({"create", "update", "upsert", "create_if_missing"})
    deletes: ClassVar[frozenset[str]] = frozenset({"ignore", "archive", "delete"})
    graphql: ClassVar[bool] = True
    fallback_key: ClassVar[str | None] = "phone"
    form_fields: ClassVar[tuple[str, ...]] = ("host", "password")

    schema = build_schema(SCHEMA)

    def __init__(self) -> None:
        super().__init__()
        self.contacts: dict[str, Person] = {}
        self._made = 0
        self._root = {
            "contacts": self._contacts,
            "contact": lambda info, id: self.contacts.get(id),
            "contactCreate": lambda info, input: self._save(None, input),
            "contactUpdate": self._update,
            "contactUpsert": lambda info, input: self._save(self._by("email", input.get("email")), input),
            "contactArchive": lambda info, id: self._changed(id, {"archived": True}),
            "contactDelete": lambda info, id: self._changed(id, None),
        }

    def handle(self, call: Call) -> Reply:
        if call.headers.get("authorization") != f"Bearer {KEY}":
            return refusal(401, "the token is not valid", "UNAUTHENTICATED")
        if call.method != "POST" or call.path != "/graphql":
            return Reply(404 if call.path != "/graphql" else 405, b"not here", {"Content-Type": "text/plain"})
        body = call.json()
        try:
            document = parse(body["query"])
        except GraphQLError as error:
            return refusal(400, error.message, "GRAPHQL_PARSE_FAILED")
        if wrong := validate(self.schema, document):
            return refusal(400, wrong[0].message, "GRAPHQL_VALIDATION_FAILED")
        (operation,) = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        variables = body.get("variables") or {}
        coerced = get_variable_values(self.schema, operation.variable_definitions or (), variables)
        if isinstance(coerced, list):
            return refusal(400, coerced[0].message, "BAD_USER_INPUT")
        result = execute(self.schema, document, root_value=self._root, variable_values=variables)
        answer: dict[str, Any] = {"data": result.data}  # type: ignore[union-attr]
        if errors := result.errors:  # type: ignore[union-attr]
            answer["errors"] = [{"message": error.message, "path": error.path} for error in errors]
        return Reply(200, answer)

    def connection(self, url: str) -> dict[str, Any]:
        return {"conn_type": "flux_graphql", "host": url, "password": KEY}

    def source(self) -> dict[str, Any]:
        return {
            "query": QUERY,
            "records": "data.contacts",
            "key": "id",
            "cursor": {"field": "updatedAt"},
            "incremental": {"variable": "filter.updatedAt.gte", "until": "filter.updatedAt.lt"},
            "page": {"kind": "connection", "size": 20},
            "item": {"query": ITEM, "variables": {"id": "{key}"}, "record": "data.contact"},
        }

    def destination(self, mode: str = "upsert", deletes: str = "ignore") -> dict[str, Any]:
        declared: dict[str, Any] = {"key": "email", "mode": mode, "deletes": deletes}
        declared["find"] = {
            "query": FIND,
            "variables": {"filter": {"email": "{record.email}", "phone": "{record.phone}"}},
            "records": "data.contacts",
        }
        if mode in ("create", "create_if_missing"):
            declared["create"] = mutation("contactCreate", keyed=False, record=True)
        if mode == "update":
            declared["update"] = mutation("contactUpdate", keyed=True, record=True)
        if mode == "upsert":
            declared["upsert"] = mutation("contactUpsert", keyed=False, record=True)
        if deletes != "ignore":
            declared[deletes] = mutation(f"contact{deletes.capitalize()}", keyed=True, record=False)
        return declared

    def with_fallback(self) -> dict[str, Any]:
        """An API without an upsert: looked up, then made or changed."""
        declared = self.destination("upsert")
        del declared["upsert"]
        declared["create"] = mutation("contactCreate", keyed=False, record=True)
        declared["update"] = mutation("contactUpdate", keyed=True, record=True)
        return {**declared, "fallback_keys": [["phone"]]}

    def mapped(self, person: Person) -> dict[str, Any]:
        return {name: person[name] for name in ("email", "name", "phone") if name in person}

    def seed(self, count: int, first: int = 0) -> None:
        for number in range(first, first + count):
            made = {"email": f"person{number}@example.com", "name": f"Person {number}", "phone": None}
            self.contacts[f"s{number}"] = {"id": f"s{number}", **made, "archived": False, "updatedAt": moment(number)}

    def change(self, number: int, second: int) -> None:
        self.contacts[f"s{number}"]["updatedAt"] = moment(second)

    def read_email(self, record: dict[str, Any]) -> str | None:
        return record.get("email")

    def stored(self) -> dict[str, Person]:
        return {contact["email"]: contact for contact in self.contacts.values()}

    def failure(self, status: int) -> Reply:
        codes = {400: "BAD_USER_INPUT", 401: "UNAUTHENTICATED", 403: "FORBIDDEN", 429: "RATE_LIMITED"}
        wait = {"Retry-After": "0.1"} if status in (429, 503) else {}
        code = codes.get(status, "INTERNAL_SERVER_ERROR")
        reply = refusal(status if status in (400, 404, 503) else 200, f"the server says {status}", code)
        return Reply(reply.status, reply.body, wait)

    def _contacts(
        self, info: Any, first: int = 10, after: str | None = None, offset: int = 0, filter: Any = None
    ) -> dict[str, Any]:
        """By keyset, so that nothing is lost when contacts change meanwhile."""
        asked = filter or {}
        window = asked.get("updatedAt") or {}
        found = [
            contact
            for contact in sorted(self.contacts.values(), key=_place)
            if window.get("gte", "") <= contact["updatedAt"] < (window.get("lt") or "9")
            and all(contact[name] == asked[name] for name in ("email", "phone") if asked.get(name) is not None)
        ]
        rest = [contact for contact in found if after is None or _place(contact) > unpacked(after)][offset:]
        page = rest[:first]
        return page_of(page, more=len(rest) > first, end=cursor_of(_place(page[-1])) if page else None, before=after)

    def _update(self, info: Any, id: str, input: dict[str, Any]) -> dict[str, Any]:
        known = self.contacts.get(id)
        return _refused("id", "there is no such contact", "NOT_FOUND") if known is None else self._save(known, input)

    def _changed(self, key: str, change: dict[str, Any] | None) -> dict[str, Any]:
        known = self.contacts.get(key)
        if known is None:
            return _refused("id", "there is no such contact", "NOT_FOUND")
        if change is None:
            del self.contacts[key]
        else:
            known.update(change)
        return {"contact": known, "userErrors": []}

    def _save(self, known: Person | None, given: dict[str, Any]) -> dict[str, Any]:
        contact = {"name": None, "phone": None, **(known or {}), **given, "archived": False}
        if not contact.get("email"):
            return _refused("email", "can't be blank", "BLANK")
        other = self._by("email", contact["email"])
        if other is not None and other["id"] != contact.get("id"):
            return _refused("email", "has already been taken", "TAKEN")
        if len(contact["name"] or "") > _MAX_NAME:
            return _refused("name", f"is too long (maximum is {_MAX_NAME} characters)", "TOO_LONG")
        if known is None:
            self._made += 1
            contact["id"] = f"m{self._made}"
        contact["updatedAt"] = moment(86_000)
        self.contacts[contact["id"]] = contact
        return {"contact": contact, "userErrors": []}

    def _by(self, name: str, value: str | None) -> Person | None:
        return next((one for one in self.contacts.values() if value is not None and one[name] == value), None)


def moment(second: int) -> str:
    return f"2026-03-01T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"


def refusal(status: int, message: str, code: str) -> Reply:
    """An answer without data."""
    return Reply(status, {"errors": [{"message": message, "extensions": {"code": code}}]})


def _place(contact: Person) -> str:
    return f"{contact['updatedAt']} {contact['id']:>8}"


def _refused(field: str, message: str, code: str) -> dict[str, Any]:
    return {"contact": None, "userErrors": [{"field": ["input", field], "message": message, "code": code}]}

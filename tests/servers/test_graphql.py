"""The connector `graphql` against PostGraphile: its cursors, its types, and what PostgreSQL refuses behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.contract import Destination, Source, Verdict, Window, WriteItem, Written
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.cursor import canonical
from airflow_provider_flux.errors import CATALOGUE, Disposition, FluxError, RecordError
from tests.conftest import Postgres
from tests.servers.postgraphile import PostGraphile, serve
from tests.sql import execute

QUERY = """
query Contacts($first: Int!, $after: Cursor, $since: Datetime) {
  allContacts(
    first: $first, after: $after, filter: {updatedAt: {greaterThanOrEqualTo: $since}},
    orderBy: [UPDATED_AT_ASC, PRIMARY_KEY_ASC]
  ) { nodes { rowId email lastName updatedAt } pageInfo { hasNextPage endCursor } }
}
"""
BY_CURSOR: dict[str, Any] = {
    "query": QUERY.replace(", filter: {updatedAt: {greaterThanOrEqualTo: $since}}", "").replace(
        ", $since: Datetime", ""
    ),
    "records": "data.allContacts",
    "key": "rowId",
    "page": {"kind": "connection", "size": 150},
    "item": {
        "query": "query One($id: BigInt!) { contactByRowId(rowId: $id) { rowId email lastName updatedAt } }",
        "variables": {"id": "{key}"},
        "record": "data.contactByRowId",
    },
}
BY_OFFSET: dict[str, Any] = {
    "query": "query($limit: Int!, $offset: Int) { allContacts(first: $limit, offset: $offset, orderBy: "
    "[PRIMARY_KEY_ASC]) { nodes { rowId email } } }",
    "records": "data.allContacts.nodes",
    "key": "rowId",
    "page": {"kind": "offset", "size": 300},
}
CREATE = {
    "mutation": "mutation($c: ContactInput!) { createContact(input: {contact: $c}) { contact { rowId } } }",
    "variables": {"c": "{record}"},
    "id": "data.createContact.contact.rowId",
}
UPDATE = {
    "mutation": "mutation($id: BigInt!, $p: ContactPatch!) "
    "{ updateContactByRowId(input: {rowId: $id, contactPatch: $p}) { contact { rowId } } }",
    "variables": {"id": "{destination_key}", "p": "{record}"},
    "id": "data.updateContactByRowId.contact.rowId",
}
UPDATE_BY_EMAIL = {
    "mutation": "mutation($email: String!, $p: ContactPatch!) "
    "{ updateContactByEmail(input: {email: $email, contactPatch: $p}) { contact { rowId } } }",
    "variables": {"email": "{key}", "p": "{record}"},
    "id": "data.updateContactByEmail.contact.rowId",
}
DELETE = {
    "mutation": "mutation($id: BigInt!) { deleteContactByRowId(input: {rowId: $id}) { contact { rowId } } }",
    "variables": {"id": "{destination_key}"},
    "id": "data.deleteContactByRowId.contact.rowId",
}
FIND = {
    "query": "query($condition: ContactCondition!) "
    "{ allContacts(first: 2, condition: $condition) { nodes { rowId } } }",
    "variables": {"condition": {"email": "{key}", "rowId": "{record.rowId}"}},
    "records": "data.allContacts",
    "id": "rowId",
}

GONE = {"code": "RECORD_NOT_FOUND", "path": "errors[0].message", "match": "No values were (deleted|updated)"}
"""How PostGraphile words it, as a flow declares what only its own server says."""


@pytest.fixture
def source(postgraphile: PostGraphile) -> Iterator[Callable[[dict[str, Any]], Source]]:
    opened: list[Source] = []

    def open_source(declared: dict[str, Any]) -> Source:
        connector = registry.get("graphql")
        assert connector.source_options is not None
        options = connector.source_options.model_validate({"connector": "graphql", "connection": "pg", **declared})
        opened.append(connector.source(options, credentials(postgraphile)))
        return opened[-1]

    yield open_source
    for one in opened:
        one.close()


@pytest.fixture
def destination(postgraphile: PostGraphile) -> Iterator[Callable[[dict[str, Any]], Destination]]:
    opened: list[Destination] = []
    postgraphile.reset()

    def open_destination(declared: dict[str, Any]) -> Destination:
        connector = registry.get("graphql")
        assert connector.destination_options is not None
        data = {"connector": "graphql", "connection": "pg", "key": "email", **declared}
        options = connector.destination_options.model_validate(data)
        opened.append(connector.destination(options, credentials(postgraphile)))
        return opened[-1]

    yield open_destination
    for one in opened:
        one.close()


def credentials(server: PostGraphile) -> Credentials:
    return Credentials("pg", "flux_graphql", host=server.url.removesuffix("/graphql"))


def rows(server: PostGraphile, where: str) -> str:
    """E-mails and names, in the order of their ids."""
    told = "coalesce(string_agg(email || ' ' || last_name, ', ' ORDER BY id), '')"
    return str(execute(server.database, f"SELECT {told} FROM crm.contacts WHERE {where}"))


def codes(found: list[Verdict]) -> list[tuple[str, str | None] | None]:
    return [(one.code, one.field) if isinstance(one, RecordError) else None for one in found]


def test_a_connection_is_read_to_its_end_by_real_cursors(
    source: Callable[[dict[str, Any]], Source], postgraphile: PostGraphile
) -> None:
    postgraphile.reset()
    pages = list(source(BY_CURSOR).read(Window()))
    emails = [record["email"] for page in pages for record in page.records]
    assert [len(page.records) for page in pages] == [150] * 6 + [100]
    assert len(set(emails)) == len(emails) == 1000


def test_rows_that_move_to_the_end_while_they_are_read_are_not_lost(
    source: Callable[[dict[str, Any]], Source], postgraphile: PostGraphile
) -> None:
    postgraphile.reset()
    seen: list[str] = []
    for number, page in enumerate(source(BY_CURSOR).read(Window())):
        seen += [record["email"] for record in page.records]
        if number == 1:
            execute(postgraphile.database, "UPDATE crm.contacts SET company = 'moved' WHERE id IN (5, 800)")
    assert len(set(seen)) == 1000


def test_offsets_are_read_to_the_empty_page(
    source: Callable[[dict[str, Any]], Source], postgraphile: PostGraphile
) -> None:
    postgraphile.reset()
    pages = list(source(BY_OFFSET).read(Window()))
    assert sum(len(page.records) for page in pages) == 1000


def test_records_are_read_again_by_their_keys_and_one_that_is_gone_is_left_out(
    source: Callable[[dict[str, Any]], Source], postgraphile: PostGraphile
) -> None:
    postgraphile.reset()
    pages = list(source(BY_CURSOR).fetch([{"rowId": "7"}, {"rowId": "70000"}, {"rowId": "9"}]))
    assert [record["email"] for page in pages for record in page.records] == ["c7@example.com", "c9@example.com"]


def test_a_filter_that_the_server_does_not_have_ends_the_read_with_its_words(
    source: Callable[[dict[str, Any]], Source],
) -> None:
    """PostGraphile filters with a plugin only; no document can be compared with a schema before it is sent."""
    window = {"cursor": {"field": "updatedAt"}, "incremental": {"variable": "since"}}
    filtered = source({**BY_CURSOR, "query": QUERY, **window})
    with pytest.raises(FluxError, match="Unknown argument") as caught:
        list(filtered.read(Window(canonical("2026-01-02T00:00:00Z", "timestamp"))))
    assert caught.value.code == "PAYLOAD_MISMATCH"


def test_what_the_database_refuses_is_an_error_of_its_record(
    destination: Callable[[dict[str, Any]], Destination], postgraphile: PostGraphile
) -> None:
    records: list[dict[str, Any]] = [
        {"email": "new1@example.com", "lastName": "One"},
        {"email": "c1@example.com", "lastName": "Taken"},
        {"email": "new2@example.com"},
        {"email": "new3@example.com", "lastName": "L" * 60},
        {"email": "new4@example.com", "lastName": "Four", "score": "many"},
        {"email": "new5@example.com", "lastName": "Five", "shoe": 44},
        {"email": "not an address", "lastName": "Six"},
        {"email": "new7@example.com", "lastName": "Seven"},
    ]
    create = destination({"mode": "create", "create": CREATE, "find": FIND})
    found = create.write([WriteItem(record) for record in records])
    assert codes(found) == [
        None,
        ("DUPLICATE_RECORD", None),
        ("REQUIRED_FIELD_MISSING", "lastName"),
        ("VALUE_TOO_LONG", None),
        ("INVALID_FORMAT", "score"),
        ("FIELD_NOT_FOUND", "shoe"),
        ("CONSTRAINT_VIOLATED", None),
        None,
    ]
    assert rows(postgraphile, "id > 1000") == "new1@example.com One, new7@example.com Seven"


def test_a_refusal_that_the_server_keeps_to_itself_is_never_tried_for_ever(pg: Postgres, tmp_path: Path) -> None:
    connector = registry.get("graphql")
    assert connector.destination_options is not None
    data = {"connector": "graphql", "connection": "pg", "key": "email", "mode": "create", "create": CREATE}
    options = connector.destination_options.model_validate({**data, "batch_size": 2})
    with serve(pg, tmp_path / "log", masked=True) as server:
        create = connector.destination(options, credentials(server))
        names = {"c1@example.com": "Taken", "new@example.com": "New"}
        bad, good = create.write([WriteItem({"email": email, "lastName": name}) for email, name in names.items()])
        create.close()
    assert isinstance(bad, RecordError) and isinstance(good, Written)
    assert "logged with hash" in bad.message
    assert CATALOGUE[bad.code].disposition is Disposition.FIX


def test_an_update_by_a_natural_key_of_what_is_not_there_is_not_taken_for_done(
    destination: Callable[[dict[str, Any]], Destination], postgraphile: PostGraphile
) -> None:
    update = destination({"mode": "update", "update": UPDATE_BY_EMAIL})
    found = update.write(
        [WriteItem({"email": "c5@example.com", "lastName": "New"}), WriteItem({"email": "no@example.com"})]
    )
    assert found[0] == Written("5")
    assert codes(found) == [None, ("RECORD_NOT_FOUND", None)]
    assert rows(postgraphile, "last_name = 'New'") == "c5@example.com New"


def test_without_an_upsert_records_are_looked_up_then_made_or_changed(
    destination: Callable[[dict[str, Any]], Destination], postgraphile: PostGraphile
) -> None:
    upsert = destination(
        {"create": CREATE, "update": UPDATE, "delete": DELETE, "deletes": "delete", "find": FIND}
        | {"fallback_keys": [["rowId"]], "errors": [GONE]}
    )
    items = [
        WriteItem({"email": "c5@example.com", "lastName": "Five"}),
        WriteItem({"email": "moved@example.com", "rowId": "6", "lastName": "Six"}),
        WriteItem({"email": "new@example.com", "lastName": "New"}),
        WriteItem({"email": "c7@example.com"}, deleted=True),
        WriteItem({"email": "c8@example.com"}, deleted=True, destination_key="8"),
        WriteItem({"email": "never@example.com"}, deleted=True),
    ]
    assert codes(upsert.write(items)) == [None] * 6
    assert codes(upsert.write(items)) == [None] * 6, "twice does no harm"
    assert rows(postgraphile, "id = 6") == "moved@example.com Six"
    assert rows(postgraphile, "id IN (7, 8)") == ""
    assert execute(postgraphile.database, "SELECT count(*) FROM crm.contacts") == 999


def test_fields_are_told_by_introspection(postgraphile: PostGraphile) -> None:
    connector = registry.get("graphql")
    assert connector.source_options is not None and connector.destination_options is not None
    known = credentials(postgraphile)
    reads = connector.source_options.model_validate({"connector": "graphql", "connection": "pg", **BY_CURSOR})
    told = connector.describe(known, reads)
    assert told is not None and told.object == "Contact"
    assert {one.name: one.type for one in told.fields} | {"updatedAt": "datetime", "score": "integer"} == {
        one.name: one.type for one in told.fields
    }
    writes = connector.destination_options.model_validate(
        {"connector": "graphql", "connection": "pg", "key": "email", "mode": "create", "create": CREATE}
    )
    taken = connector.describe(known, writes)
    assert taken is not None and taken.object == "ContactInput"
    assert {one.name for one in taken.fields if one.required} == {"email", "lastName"}
    with pytest.raises(FluxError, match="no type 'Contakt'"):
        connector.describe(known, object_name="Contakt")
    assert "answered HTTP 200" in connector.test(known)

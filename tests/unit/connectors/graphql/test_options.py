"""What a flow file may say to the connector `graphql`, and what is found before the first call."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from airflow_provider_flux.connectors.graphql.destination_options import GraphqlDestinationOptions
from airflow_provider_flux.connectors.graphql.document import parse_document
from airflow_provider_flux.connectors.graphql.source_options import GraphqlSourceOptions

QUERY = """
query Contacts($first: Int!, $after: String, $since: DateTime, $status: Status!, $limit: Int = 5) {
  people: contacts(first: $first, after: $after, since: $since, status: $status, limit: $limit) {
    nodes { ...Fields }
    pageInfo { hasNextPage endCursor }
  }
}
fragment Fields on Contact { id email ... on Person { shoe: shoeSize { eu } } }
"""
SOURCE: dict[str, Any] = {
    "connector": "graphql",
    "connection": "crm",
    "query": QUERY,
    "variables": {"status": "ACTIVE"},
    "records": "data.people",
    "key": "id",
    "page": {"kind": "connection"},
    "cursor": {"field": "email"},
    "incremental": {"variable": "since"},
}
CREATE = {
    "mutation": "mutation($input: ContactInput!) { make(input: $input) { contact { id } problems { text } } }",
    "variables": {"input": "{record}"},
    "id": "data.make.contact.id",
    "errors": "data.make.problems",
}
UPDATE = {
    "mutation": "mutation($id: Int!, $input: ContactInput!) { change(id: $id, input: $input) { id } }",
    "variables": {"id": "{destination_key}", "input": "{record}"},
    "id": "data.change.id",
}
FIND = {
    "query": "query($email: String, $phone: String) { contacts(email: $email, phone: $phone) { id } }",
    "variables": {"email": "{key}", "phone": "{record.phone}"},
    "records": "data.contacts",
}
DESTINATION: dict[str, Any] = {
    "connector": "graphql",
    "connection": "crm",
    "key": "email",
    "create": CREATE,
    "update": UPDATE,
    "find": FIND,
}


def source(**changes: Any) -> GraphqlSourceOptions:
    return GraphqlSourceOptions.model_validate({**SOURCE, **changes})


def destination(**changes: Any) -> GraphqlDestinationOptions:
    return GraphqlDestinationOptions.model_validate({**DESTINATION, **changes})


def test_what_a_query_selects_is_known_through_aliases_and_fragments() -> None:
    options = source()
    assert options.selected_fields() == {"id", "email", "shoe"}
    assert options.document.fields(options.records_path()) == ["contacts", "nodes"]


@pytest.mark.parametrize("kind", ["connection", "offset", "none"])
@pytest.mark.parametrize(("records", "names"), [("data.all", "nodes"), ("data.all.nodes", "nodes"),
                                                ("data.all", "edges"), ("data.all.edges", "edges"),
                                                ("data.all.edges.node", "edges")])  # fmt: skip
def test_a_connection_may_be_named_by_itself_or_by_its_list(kind: str, records: str, names: str) -> None:
    listed = {"nodes": "nodes { id }", "edges": "edges { node { id } }"}[names]
    position = {"connection": "$after: String", "offset": "$offset: Int, $limit: Int", "none": ""}[kind]
    given = {"connection": "after: $after", "offset": "offset: $offset, limit: $limit", "none": ""}[kind]
    query = f"query{f'({position})' * bool(position)} {{ all{f'({given})' * bool(given)} {{ {listed} "
    query += "pageInfo { hasNextPage endCursor } } }"
    options = source(
        query=query, records=records, variables={}, cursor=None, incremental=None, page={"kind": kind}
    )
    assert options.selected_fields() == {"id"}
    assert options.connection_path() == "data.all"


def test_a_list_whose_records_have_a_list_called_nodes_is_no_connection() -> None:
    plain = {"variables": {}, "cursor": None, "incremental": None, "page": {"kind": "none"}}
    options = source(query="{ trees { id nodes { id } } }", records="data.trees", **plain)
    assert options.selected_fields() == {"id", "nodes"}


def test_the_size_of_a_page_may_stand_in_the_document() -> None:
    assert (source().paging().size_param, source().paging().size) == ("first", 100)
    fixed = QUERY.replace("$first: Int!, ", "").replace("first: $first", "first: 50")
    assert source(query=fixed).paging().size_param is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"query": "query {\n  contacts {\n    id\n"}, r"Syntax Error.*line 4, column 1 of the document"),
        ({"query": "query A { a } query B { b }"}, r"holds 2 operations \(A, B\); it must hold one query"),
        ({"query": "fragment F on C { id }"}, "no operation"),
        ({"query": "mutation { a }"}, "is a mutation; here stands a query"),
        ({"query": "subscription { a }"}, "is a subscription"),
        ({"query": QUERY.replace("$after: String,", "")}, r"'\$after' is not defined"),
        ({"query": QUERY.replace("after: $after, ", "")}, r"'\$after' is never used"),
        ({"query": QUERY.replace("...Fields", "...Feilds")}, "Unknown fragment 'Feilds'"),
        ({"query": "{ " + "a { " * 3000 + "b" + " }" * 3000 + " }"}, "too deep|too many tokens|token"),
        ({"variables": {"status": "A", "stauts": "B"}}, r"no variable `\$stauts`. Did you mean `status`"),
        ({"variables": {}}, r"needs a value for `\$status: Status!`"),
        ({"variables": {"status": "A", "limit": "ten"}}, r"'ten' is no value of the type Int"),
        ({"variables": {"status": "A", "limit": True}}, r"True is no value of the type Int"),
        ({"variables": {"status": None}}, r"None is no value of the type Status!"),
        ({"records": "contacts.nodes"}, "begins with `data.`"),
        ({"records": "data.contacts"}, "does not select `contacts`. There are: people"),
        ({"records": "data.people.pageInfo.endCursor", "page": {"kind": "none"}, "query": "{ people { pageInfo "
          "{ endCursor } } }", "variables": {}, "incremental": None}, "holds no objects"),
        ({"query": QUERY.replace("endCursor", "startCursor")}, "pageInfo { hasNextPage endCursor }"),
        ({"page": {"kind": "connection", "variable": "cursor"}}, r"no variable `\$cursor`"),
        ({"page": {"kind": "none", "size": 10}}, "`size` does not belong to kind none"),
        ({"page": {"kind": "connection", "more": "data.more"}}, "`more` does not belong to kind connection"),
        ({"incremental": {"variable": "status"}, "variables": {}}, r"declare `\$status` without `!`"),
        ({"incremental": {"variable": "after"}}, "filled by `page` and by `incremental`"),
        ({"cursor": None}, "`incremental` needs `cursor`"),
        ({"item": {"query": "query($id: ID!) { one(id: $id) { id } }", "variables": {"id": "{key}"},
                   "record": "data.one"}}, "reads less than `query` does: email, shoe is missing"),
        ({"item": {"query": "query($id: ID!) { one(id: $id) { id email shoe } }", "variables": {"id": "{record.email}"},
                   "record": "data.one"}}, "may name only the key"),
    ],
)  # fmt: skip
def test_a_source_that_could_not_work_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        source(**changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"find": None}, "`mode: upsert` needs `upsert`"),
        ({"mode": "create", "create": None}, "`mode: create` needs `create`"),
        ({"mode": "create_if_missing", "find": None}, "needs `create` and `find`"),
        ({"mode": "update", "find": None}, "`update` names a record by {destination_key}: write `find`"),
        ({"deletes": "archive"}, "`deletes: archive` needs `archive`"),
        ({"mode": "create", "find": None, "fallback_keys": [["phone"]]}, "`update` names a record|need `find`"),
        ({"fallback_keys": [["nickname"]]}, "`find` does not ask for `nickname`"),
        ({"find": {**FIND, "variables": {"email": "x {record.email} {record.phone}"}}}, "alone"),
        ({"create": {**CREATE, "id": "data.make.contact.key"}}, "`create`: .*does not select `key`"),
        ({"create": {**CREATE, "errors": "data.make.errors"}}, "`create`: .*does not select `errors`"),
        ({"create": {**CREATE, "variables": {"input": "{recrod}"}}}, "`create`: {recrod} is not a placeholder"),
        ({"create": {**CREATE, "mutation": "mutation { a b }", "variables": {}, "id": None, "errors": None}},
         "does a, b; write one for each record"),
        ({"update": {**UPDATE, "variables": {"id": 5, "input": {"name": "x"}}}}, "names no record"),
        ({"update": {**UPDATE, "variables": {"id": "{key}", "input": "{record}"}}}, "write {destination_key}"),
        ({"idempotent": True}, "`idempotent` is about `mode: create`"),
    ],
)  # fmt: skip
def test_a_destination_that_could_not_work_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        destination(**changes)


def test_a_create_in_doubt_is_looked_up_or_goes_one_by_one() -> None:
    assert destination(mode="create").batch_size == 50
    alone = destination(mode="create", find=None, update=None)
    assert alone.batch_size == 1
    assert "held for a person" in alone.advice()[0]
    assert destination(mode="create", find=None, update=None, idempotent=True).advice() == ()


def test_offsets_may_miss_rows() -> None:
    query = "query($limit: Int!, $offset: Int) { all(limit: $limit, offset: $offset) { id } }"
    paged = {"query": query, "records": "data.all", "variables": {}, "cursor": None, "incremental": None}
    options = source(**paged, page={"kind": "offset", "size": 20})
    assert (options.paging().param, options.paging().size_param, options.paging().size) == ("offset", "limit", 20)
    assert "can miss rows" in options.advice()[0]


@given(st.text(alphabet="{}()[]$:!.#\"' \nquerymtaionfgs0\\&@=|", max_size=60))
def test_whatever_stands_in_a_document_is_read_or_refused_in_words(text: str) -> None:
    try:
        document = parse_document(text, "query")
    except ValueError as error:
        assert str(error)
    else:
        assert document.roots() is not None

"""How the connector `graphql` writes: where a refusal may stand, what leaves a write in doubt, what is sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.contract import Verdict, WriteItem, Written
from airflow_provider_flux.errors import FluxError, OutcomeUnknown, RecordError
from tests.contracts.graphql_bench import Book, opened
from tests.contracts.servers.wire import Reply
from tests.contracts.vendors.graphql import mutation, refusal

ADA = {"email": "ada@example.com", "name": "Ada"}
MASKED = "An error occurred (logged with hash 'Zk1bN0', id 'CQ3')"


@pytest.fixture
def book() -> Iterator[Book]:
    with opened() as book:
        yield book


def upserted(contact: Any, *errors: dict[str, Any], **payload: Any) -> Reply:
    body: dict[str, Any] = {"data": {"contactUpsert": {"contact": contact, "userErrors": [], **payload}}}
    return Reply(200, body | ({"errors": list(errors)} if errors else {}))


def rooted(code: str | None = None, message: str = "no") -> Reply:
    """The mutation itself failed."""
    error = {"message": message, "path": ["contactUpsert"]} | ({"extensions": {"code": code}} if code else {})
    return Reply(200, {"data": {"contactUpsert": None}, "errors": [error]})


def write(book: Book, reply: Reply, mode: str = "upsert", **more: Any) -> Verdict:
    """The verdict on Ada, beside another record that is stored, so that she is not the whole batch."""
    book.vendor.faults.append(reply)
    first, second = book.destination(mode, **more).write([WriteItem(ADA), WriteItem({"email": "bob@example.com"})])
    assert isinstance(second, Written)
    return first


@pytest.mark.parametrize(
    ("reply", "code", "field"),
    [
        (upserted(None, userErrors=[{"field": ["input", "email"], "message": "has already been taken",
                                     "code": "TAKEN"}]), "DUPLICATE_RECORD", "email"),
        (upserted(None, userErrors=[{"field": ["input", "email"], "message": "has already been taken"}]),
         "DUPLICATE_RECORD", "email"),
        (upserted(None, userErrors=[{"message": "Computer says no"}]), "RECORD_REJECTED", None),
        (upserted({"id": "1"}, userErrors=[{"field": ["input", "name"], "message": "is too long"}]),
         "VALUE_TOO_LONG", "name"),
        (rooted("BAD_USER_INPUT", "the e-mail is not valid"), "INVALID_EMAIL", None),
        (rooted("CONFLICT"), "DUPLICATE_RECORD", None),
        (rooted(message=MASKED), "RECORD_REJECTED", None),
        (refusal(400, 'Variable "$input" got invalid value "x" at "input.name"; String cannot represent it',
                 "BAD_USER_INPUT"), "INVALID_FORMAT", "name"),
        (refusal(400, 'Variable "$input" got invalid value {}; Field "name" of required type "String!" was not '
                 'provided.', "BAD_USER_INPUT"), "REQUIRED_FIELD_MISSING", "name"),
        (refusal(422, "Computer says no", "E_17"), "RECORD_REJECTED", None),
    ],
)  # fmt: skip
def test_a_refusal_is_found_wherever_it_stands(book: Book, reply: Reply, code: str, field: str | None) -> None:
    error = write(book, reply)
    assert isinstance(error, RecordError)
    assert (error.code, error.field) == (code, field)
    assert error.answer and "errors" in error.answer.lower()
    if field:
        assert error.value == ADA[field]


def test_all_complaints_about_a_record_are_told(book: Book) -> None:
    complaints = [
        {"field": ["input", "email"], "message": "is odd", "code": "INVALID"},
        {"field": ["input", "name"], "message": "can't be blank", "code": "BLANK"},
    ]
    error = write(book, upserted(None, userErrors=complaints))
    assert isinstance(error, RecordError)
    assert "email: is odd (INVALID); name: can't be blank (BLANK)" in error.message


UNION = {
    "mutation": "mutation($input: ContactInput!) { contactUpsert(input: $input) "
    "{ ... on ContactPayload { contact { id } } ... on ContactProblem { reason { message code field } } } }",
    "variables": {"input": "{record}"},
    "id": "data.contactUpsert.contact.id",
    "errors": "data.contactUpsert.reason",
}


def test_the_flow_says_where_errors_of_another_name_stand(book: Book) -> None:
    problem = {"message": "somebody has it", "code": "TAKEN", "field": "email"}
    answers = [{"reason": problem}, {"contact": {"id": "7"}}, {"reason": []}]
    for answer in answers:
        book.vendor.faults.append(Reply(200, {"data": {"contactUpsert": answer}}))
    items = [WriteItem({"email": f"{name}@example.com"}) for name in "abc"]
    refused, stored, silent = book.destination(upsert=UNION).write(items)
    assert isinstance(refused, RecordError) and (refused.code, refused.field) == ("DUPLICATE_RECORD", "email")
    assert stored == Written("7")
    assert isinstance(silent, RecordError) and silent.code == "UNREADABLE_ANSWER"


def test_a_union_member_that_is_an_error_is_known_by_its_name(book: Book) -> None:
    told = {"__typename": "EmailTakenError", "message": "somebody has it"}
    error = write(book, Reply(200, {"data": {"contactUpsert": told}}))
    assert isinstance(error, RecordError)
    assert "somebody has it" in error.message


HALF = {"message": "half", "path": ["contactUpsert", "contact", "id"]}
UNCLEAR = [
    Reply(200, {"data": {"contactUpsert": None}, "errors": [HALF]}),
    Reply(200, {"data": None, "errors": [HALF]}),
    upserted({"id": "1"}, {"message": "half"}),
    upserted(None),
    upserted({"id": None}),
]
SILENT = [
    Reply(200, {"unexpected": True}),
    Reply(200, b"<html><title>Back soon</title></html>"),
    Reply(200, b'{"data": {"contactUps'),
    Reply(200, b""),
]
ONCE = {**mutation("contactUpsert", keyed=False, record=True)}


@pytest.mark.parametrize("reply", [*UNCLEAR, *SILENT])
def test_what_is_no_verdict_never_counts_as_written(book: Book, reply: Reply) -> None:
    book.vendor.faults.append(reply)
    try:
        (verdict,) = book.destination().write([WriteItem(ADA)])
    except FluxError as error:
        assert (error.code, error.transient) == ("UNREADABLE_ANSWER", True)
    else:
        assert isinstance(verdict, RecordError) and verdict.code == "UNREADABLE_ANSWER"


@pytest.mark.parametrize("reply", SILENT)
def test_a_create_that_was_not_answered_is_in_doubt(book: Book, reply: Reply) -> None:
    book.vendor.faults.append(reply)
    destination = book.destination("create", create=ONCE, find=None)
    assert not destination.idempotent and not destination.can_find
    with pytest.raises(OutcomeUnknown):
        destination.write([WriteItem(ADA)])


@pytest.mark.parametrize("reply", UNCLEAR)
def test_a_create_that_was_answered_without_a_verdict_is_looked_up_or_held(book: Book, reply: Reply) -> None:
    book.vendor.contacts["m9"] = {"id": "m9", "phone": None, "archived": False, "updatedAt": "2026", **ADA}
    book.vendor.faults.append(reply)
    assert book.destination("create", create=ONCE).write([WriteItem(ADA)]) == [Written("m9")]
    book.vendor.contacts.clear()
    book.vendor.faults.append(reply)
    (missing,) = book.destination("create", create=ONCE).write([WriteItem(ADA)])
    book.vendor.faults += [reply, refusal(200, "not now", "SERVICE_UNAVAILABLE")]
    (silent,) = book.destination("create", create=ONCE).write([WriteItem(ADA)])
    book.vendor.faults.append(reply)
    (held,) = book.destination("create", create=ONCE, find=None).write([WriteItem(ADA)])
    for error in (missing, silent, held):
        assert isinstance(error, RecordError) and error.code == "OUTCOME_UNKNOWN"
    assert book.vendor.contacts == {}, "none is created again by a machine"


def test_a_record_that_never_gets_a_verdict_does_not_hold_up_its_batch(book: Book) -> None:
    book.vendor.faults += [lambda call: None, upserted(None)]  # the look-up passes, the creation says nothing
    declared = book.vendor.with_fallback()
    first, second = book.destination(**{**declared, "upsert": None}).write(
        [WriteItem(ADA), WriteItem({"email": "bob@example.com"})]
    )
    assert isinstance(first, RecordError) and first.code == "UNREADABLE_ANSWER"
    assert isinstance(second, Written)


@pytest.mark.parametrize("code", ["INTERNAL_SERVER_ERROR", "TIMEOUT"])
def test_a_create_that_failed_inside_the_server_may_be_stored(book: Book, code: str) -> None:
    book.vendor.faults.append(refusal(200, "boom", code))
    (first, second) = book.destination("create", find=None, batch_size=2).write(
        [WriteItem(ADA), WriteItem({"email": "bob@example.com"})]
    )
    assert isinstance(first, RecordError) and first.code == "OUTCOME_UNKNOWN"
    assert isinstance(second, Written)


def test_a_create_in_doubt_is_found_again(book: Book) -> None:
    book.vendor.faults.append(refusal(200, "boom", "INTERNAL_SERVER_ERROR"))
    destination = book.destination("create")
    with pytest.raises(OutcomeUnknown):
        destination.write([WriteItem(ADA)])
    book.vendor.contacts["m9"] = {"id": "m9", "phone": None, "archived": False, "updatedAt": "2026", **ADA}
    assert destination.find([WriteItem(ADA), WriteItem({"email": "bob@example.com"})]) == ["m9", None]


def test_several_records_with_one_key_are_not_guessed_at(book: Book) -> None:
    for number in (1, 2):
        book.vendor.contacts[f"m{number}"] = {"id": f"m{number}", "archived": False, "updatedAt": "2026", "phone": None,
                                              **ADA}  # fmt: skip
    (error,) = book.destination("update").write([WriteItem(ADA)])
    assert isinstance(error, RecordError)
    assert error.code == "DUPLICATE_RECORD"
    assert "m1" in error.message and "m2" in error.message


def test_an_error_in_the_look_up_is_no_sign_that_nothing_is_there(book: Book) -> None:
    told = {"message": "the index is being built", "path": ["contacts", "nodes"]}
    book.vendor.faults.append(Reply(200, {"data": {"contacts": {"nodes": []}}, "errors": [told]}))
    with pytest.raises(FluxError, match="index is being built"):
        book.destination("create_if_missing").write([WriteItem(ADA)])
    assert book.vendor.contacts == {}


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (refusal(401, "the key has expired", "UNAUTHENTICATED"), "AUTHENTICATION_FAILED"),
        (refusal(200, "the key has expired", "UNAUTHENTICATED"), "AUTHENTICATION_FAILED"),
        (refusal(403, "this key is of another project", "FORBIDDEN"), "PERMISSION_DENIED"),
        (refusal(400, 'Unknown argument "inptu" on field "contactUpsert".', "GRAPHQL_VALIDATION_FAILED"),
         "PAYLOAD_MISMATCH"),
        (refusal(200, 'Cannot query field "idd" on type "Contact".', "GRAPHQL_VALIDATION_FAILED"), "PAYLOAD_MISMATCH"),
        (Reply(404, b"no such page", {"Content-Type": "text/plain"}), "NOT_FOUND"),
        (Reply(503, b"busy"), "DESTINATION_OUTAGE"),
        (refusal(200, "Throttled", "THROTTLED"), "RATE_LIMIT_EXCEEDED"),
    ],
)  # fmt: skip
def test_what_every_record_would_be_refused_for_ends_the_write(book: Book, reply: Reply, code: str) -> None:
    book.vendor.faults.append(reply)
    with pytest.raises(FluxError) as caught:
        book.destination().write([WriteItem(ADA), WriteItem({"email": "bob@example.com"})])
    assert caught.value.code == code
    assert len(book.wire.calls) == 1


def test_rows_of_the_flow_name_what_only_its_server_says(book: Book) -> None:
    rows = [{"code": "REFERENCE_MISSING", "status": 200, "path": "errors[0].message", "match": "owner (?P<field>\\w+)"}]
    error = write(book, rooted(message="the owner email is on leave"), errors=rows)
    assert isinstance(error, RecordError)
    assert (error.code, error.field) == ("REFERENCE_MISSING", "email")


def test_variables_are_typed_by_the_document_and_left_out_where_the_record_has_nothing(book: Book) -> None:
    document = "mutation($email: String!, $age: Int, $name: String) { contactUpsert(email: $email) { contact { id } } }"
    one = {
        "mutation": document.replace("email: $email)", "email: $email, age: $age, name: $name)"),
        "variables": {"email": "{key}", "age": "{record.age}", "name": "{record.name}"},
        "id": "data.contactUpsert.contact.id",
    }
    book.vendor.faults += [upserted({"id": "1"}), upserted({"id": "2"})]
    first, second, third = book.destination(upsert=one).write(
        [WriteItem({"email": "a@b.example", "age": "41"}), WriteItem({"email": 7}), WriteItem({"age": 3})]
    )
    assert isinstance(first, Written) and isinstance(second, Written)
    assert isinstance(third, RecordError) and (third.code, third.field) == ("REQUIRED_FIELD_MISSING", "email")
    sent = [call.json()["variables"] for call in book.wire.calls]
    assert sent == [{"email": "a@b.example", "age": 41}, {"email": "7"}]


@pytest.mark.parametrize(
    "message",
    [
        'Variable "$age" got invalid value "old"; Int cannot represent non-integer value: "old"',
        "Variable '$age' has invalid value: Int cannot represent non-integer value: 'old'",
        "Variable $age of type Int was provided invalid value",
    ],
)
def test_a_variable_of_the_wrong_type_is_an_error_of_the_record_that_fills_it(book: Book, message: str) -> None:
    one = {
        "mutation": "mutation($email: String!, $age: Int) "
        "{ contactUpsert(email: $email, age: $age) { contact { id } } }",
        "variables": {"email": "{key}", "age": "{record.age}"},
        "id": "data.contactUpsert.contact.id",
    }
    book.vendor.faults += [refusal(400, message, "BAD_USER_INPUT"), upserted({"id": "1"})]
    bad, good = book.destination(upsert=one).write([WriteItem({**ADA, "age": "old"}), WriteItem(ADA)])
    assert isinstance(bad, RecordError)
    assert (bad.code, bad.field, bad.value) == ("INVALID_FORMAT", "age", "old")
    assert isinstance(good, Written)


def test_fields_come_from_the_schema_unless_the_server_keeps_it_to_itself(
    book: Book, caplog: pytest.LogCaptureFixture
) -> None:
    connector = registry.get("graphql")
    assert connector.source_options is not None and connector.destination_options is not None
    reads = connector.source_options.model_validate(
        {"connector": "graphql", "connection": "book", **book.vendor.source()}
    )
    writes = connector.destination_options.model_validate(
        {"connector": "graphql", "connection": "book", **book.vendor.destination("create_if_missing")}
    )
    told, taken = connector.describe(book.credentials(), reads), connector.describe(book.credentials(), writes)
    assert told is not None and taken is not None
    assert {one.name: one.type for one in told.fields} == {
        "id": "string", "email": "string", "name": "string", "phone": "string", "archived": "boolean",
        "updatedAt": "datetime",
    }  # fmt: skip
    assert [one.name for one in taken.fields] == ["email", "name", "phone"]
    off = refusal(400, "GraphQL introspection is not allowed by Apollo Server", "GRAPHQL_VALIDATION_FAILED")
    book.vendor.faults.append(off)
    assert connector.describe(book.credentials(), reads) is None
    assert "introspection is not allowed" in caplog.text

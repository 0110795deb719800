"""Writing: batches with a verdict per record, single writes, and what must never be counted as written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_flux.connectors.contract import Destination, Verdict, WriteItem, Written
from airflow_provider_flux.errors import BatchRejected, FluxError, OutcomeUnknown, RecordError
from tests.contracts.conftest import Bench
from tests.contracts.servers.saas import Saas, contacts
from tests.contracts.servers.wire import Call, Reply, script

BATCH = """{path: /contacts/batch, key: email, batch: {records: inputs},
    results: {records: results, ok: {status: status}, id: contact.id,
              error_message: error.message, error_code: error.code, error_field: error.field}, %s}"""
UPSERT = BATCH % "mode: upsert"
INSERT = BATCH % "mode: create"
SINGLE = "{path: '/contacts/{key}', key: id, mode: %s}"


def items(*records: dict[str, Any]) -> list[WriteItem]:
    return [WriteItem(record) for record in records]


def codes(verdicts: Sequence[Verdict]) -> list[str | None]:
    return [verdict.code if isinstance(verdict, RecordError) else None for verdict in verdicts]


def answering(bench: Bench, declared: str, *replies: Reply, **connection: Any) -> Destination:
    return bench.destination(bench.server(script(*replies)), declared, **connection)


# --- batches ----------------------------------------------------------------------------------


def test_a_batch_of_good_records_is_one_request(bench: Bench) -> None:
    saas = Saas()
    wire = bench.server(saas.answer)
    verdicts = bench.destination(wire, UPSERT).write(items(*contacts(50)))
    assert verdicts == [Written(f"crm-c{n:05d}") for n in range(50)]
    assert wire.paths() == ["POST /contacts/batch"]
    assert len(saas.contacts) == 50


def test_a_207_gives_each_record_its_own_verdict(bench: Bench) -> None:
    saas = Saas()
    batch = contacts(5)
    batch[1]["name"] = "N" * 60
    batch[3]["email"] = ""
    declared = BATCH % (
        "errors: [{path: error.code, match: too_long, code: VALUE_TOO_LONG},"
        " {path: error.code, match: missing, code: REQUIRED_FIELD_MISSING}]"
    )
    verdicts = bench.destination(bench.server(saas.answer), declared).write(items(*batch))
    assert codes(verdicts) == [None, "VALUE_TOO_LONG", None, "REQUIRED_FIELD_MISSING", None]
    bad = verdicts[1]
    assert isinstance(bad, RecordError)
    assert bad.field == "name"
    assert bad.value is not None and bad.value.startswith("NNN")
    assert bad.message == "the destination refused the record (status 422): too_long: name is longer than 40"
    assert json.loads(bad.answer or "")["error"]["code"] == "too_long"
    assert set(saas.contacts) == {"c00000", "c00002", "c00004"}


@pytest.mark.parametrize(
    ("ok", "good", "bad"),
    [
        ("{status: status}", {"status": 201}, {"status": 422}),
        ("{status: status}", {"status": "200 OK"}, {"status": "409 Conflict"}),
        ("{path: success, equals: true}", {"success": True}, {"success": False, "error": "no"}),
        ("{path: result, equals: stored}", {"result": "stored"}, {"result": "rejected"}),
        ("{path: errors, empty: true}", {"id": 1, "errors": []}, {"errors": [{"message": "no"}]}),
        ("{path: errors, empty: true}", {"id": 1}, {"errors": {"name": "no"}}),
        ("{path: n, equals: 1}", {"n": 1}, {"n": True}),
    ],
)
def test_the_ways_to_say_stored_with_status_200(bench: Bench, ok: str, good: Any, bad: Any) -> None:
    declared = f"{{path: /b, key: id, batch: {{}}, results: {{ok: {ok}}}}}"
    verdicts = answering(bench, declared, Reply(200, [good, bad, good])).write(items(*contacts(3)))
    assert [isinstance(verdict, Written) for verdict in verdicts] == [True, False, True]


@pytest.mark.parametrize("result", [{}, {"status": None}, {"status": "fine"}, "stored", None, 1])
@pytest.mark.parametrize(("declared", "code"), [(UPSERT, "UNREADABLE_ANSWER"), (INSERT, "OUTCOME_UNKNOWN")])
def test_a_result_that_says_nothing_is_never_written(bench: Bench, declared: str, code: str, result: Any) -> None:
    reply = Reply(200, {"results": [{"status": 200}, result]})
    assert codes(answering(bench, declared, reply).write(items(*contacts(2)))) == [None, code]


@pytest.mark.parametrize("result", ["stored", None, 5, [1]])
def test_a_result_that_is_no_object_has_no_empty_errors(bench: Bench, result: Any) -> None:
    declared = "{path: /b, key: id, batch: {}, results: {ok: {path: errors, empty: true}}}"
    assert codes(answering(bench, declared, Reply(200, [result])).write(items(*contacts(1)))) == ["UNREADABLE_ANSWER"]


NO_VERDICTS = {
    "too short": {"results": [{"status": 200}]},
    "too long": {"results": [{"status": 200}] * 4},
    "no list": {"results": {"stored": 3}},
    "missing": {"ok": True},
    "no object": "done",
    "not json": b"OK",
    "cut": b'{"results": [{"status": 200}, {"sta',
    "empty": b"",
    "html": b"<html><title>Sign in</title></html>",
}


@pytest.mark.parametrize("kind", NO_VERDICTS)
def test_an_answer_without_all_verdicts_counts_no_record_as_written(bench: Bench, kind: str) -> None:
    reply = Reply(200, NO_VERDICTS[kind])
    with pytest.raises(FluxError) as caught:
        answering(bench, UPSERT, reply).write(items(*contacts(3)))
    assert (caught.value.code, type(caught.value)) == ("UNREADABLE_ANSWER", FluxError)
    with pytest.raises(OutcomeUnknown):
        answering(bench, INSERT, reply).write(items(*contacts(3)))


def test_results_are_matched_by_a_field_whatever_their_order(bench: Bench) -> None:
    declared = UPSERT.replace("ok:", "match: {result: ref, record: email}, ok:")
    results = [
        {"ref": "person2@example.com", "status": 200, "contact": {"id": 22}},
        {"ref": "person0@example.com", "status": 409, "error": {"message": "there is one"}},
        {"ref": "somebody@else", "status": 200},
    ]
    verdicts = answering(bench, declared, Reply(207, {"results": results})).write(items(*contacts(3)))
    assert codes(verdicts) == ["DUPLICATE_RECORD", "UNREADABLE_ANSWER", None]
    assert verdicts[2] == Written("22")
    verdicts = answering(
        bench, declared.replace("mode: upsert", "mode: create"), Reply(207, {"results": results})
    ).write(items(*contacts(3)))
    assert codes(verdicts) == ["DUPLICATE_RECORD", "OUTCOME_UNKNOWN", None]


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "RECORD_REJECTED"), (409, "DUPLICATE_RECORD"), (413, "VALUE_TOO_LONG"), (422, "RECORD_REJECTED")],
)
def test_a_batch_refused_for_its_content_is_handed_back_to_be_halved(bench: Bench, status: int, code: str) -> None:
    with pytest.raises(BatchRejected, match="item 7 is bad") as caught:
        answering(bench, UPSERT, Reply(status, {"message": "item 7 is bad"})).write(items(*contacts(3)))
    assert caught.value.error.code == code


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "AUTHENTICATION_FAILED"),
        (403, "PERMISSION_DENIED"),
        (404, "NOT_FOUND"),
        (405, "NOT_FOUND"),
        (415, "BAD_REQUEST"),
        (429, "RATE_LIMIT_EXCEEDED"),
        (500, "DESTINATION_OUTAGE"),
        (503, "DESTINATION_OUTAGE"),
    ],
)
def test_a_batch_refused_for_another_reason_is_an_error_of_the_run(bench: Bench, status: int, code: str) -> None:
    reply = Reply(status, {"message": "no"}, {"Retry-After": "3600"})
    with pytest.raises(FluxError) as caught:
        answering(bench, UPSERT, reply).write(items(*contacts(3)))
    assert (caught.value.code, isinstance(caught.value, BatchRejected)) == (code, False)


def test_rows_decide_whether_a_refused_batch_is_halved(bench: Bench) -> None:
    declared = BATCH % (
        "errors: [{status: 400, match: quota, code: RATE_LIMIT_EXCEEDED},"
        " {match: '(?P<field>email) bad', code: INVALID_EMAIL}]"
    )
    throttle = Reply(400, {"message": "quota is used up"})
    with pytest.raises(FluxError) as quota:
        answering(bench, declared, throttle, extra={"retry_budget": 0.1}).write(items(*contacts(2)))
    assert (quota.value.code, isinstance(quota.value, BatchRejected)) == ("RATE_LIMIT_EXCEEDED", False)
    with pytest.raises(BatchRejected) as bad:
        answering(bench, declared, Reply(404, {"message": "email bad"})).write(items(*contacts(1)))
    assert (bad.value.error.code, bad.value.error.field, bad.value.error.value) == (
        "INVALID_EMAIL",
        "email",
        "person0@example.com",
    )


@pytest.mark.parametrize("reply", [Reply(reset=True), Reply(500), Reply(502), Reply(200, {"r": 1}, cut=2)])
def test_an_insert_of_unknown_fate_is_said_and_not_repeated(bench: Bench, reply: Reply) -> None:
    wire = bench.server(script(reply, Reply(200, {"results": []})))
    with pytest.raises(OutcomeUnknown):
        bench.destination(wire, INSERT).write(items(*contacts(2)))
    assert len(wire.calls) == 1


def test_an_upsert_whose_answer_was_lost_is_sent_again_and_nothing_is_doubled(bench: Bench) -> None:
    saas = Saas()
    lost = iter([True])

    def answer(call: Call) -> Reply:
        reply = saas.answer(call)  # the write does happen
        return Reply(reset=True) if next(lost, False) else reply

    verdicts = bench.destination(bench.server(answer), UPSERT).write(items(*contacts(20)))
    assert (codes(verdicts), len(saas.contacts)) == ([None] * 20, 20)


@pytest.mark.parametrize("code", [401, 403, 429, 503])
def test_a_batch_whose_records_all_fail_for_the_systems_reason_fails_as_a_whole(bench: Bench, code: int) -> None:
    refused = {"status": code, "error": {"message": "you may not"}}
    with pytest.raises(FluxError, match="you may not"):
        answering(bench, UPSERT, Reply(200, {"results": [refused] * 3})).write(items(*contacts(3)))
    mixed = Reply(200, {"results": [refused, {"status": 200}, refused]})
    assert codes(answering(bench, UPSERT, mixed).write(items(*contacts(3))))[1] is None


def test_all_or_nothing_must_be_said_and_is_believed(bench: Bench) -> None:
    declared = "{path: /b, key: id, batch: {}, results: all_or_nothing}"
    assert answering(bench, declared, Reply(202, b"")).write(items(*contacts(3))) == [Written()] * 3
    with pytest.raises(FluxError, match="a page for people"):
        answering(bench, declared, Reply(200, b"<html></html>")).write(items(*contacts(3)))


def test_an_error_inside_a_success_rejects_the_batch(bench: Bench) -> None:
    declared = (
        "{path: /b, key: id, batch: {}, results: all_or_nothing, "
        "errors: [{status: 200, path: ok, match: 'false', code: RECORD_REJECTED}]}"
    )
    with pytest.raises(BatchRejected):
        answering(bench, declared, Reply(200, {"ok": False, "message": "no"})).write(items(*contacts(3)))


def test_a_record_that_cannot_be_sent_costs_only_itself(bench: Bench) -> None:
    saas = Saas()
    batch = contacts(3)
    batch[1]["name"] = object()
    declared = UPSERT.replace("records: inputs", "records: inputs, item: '{record}'")
    verdicts = bench.destination(bench.server(saas.answer), declared).write(items(*batch))
    assert codes(verdicts) == [None, "INVALID_FORMAT", None]
    assert set(saas.contacts) == {"c00000", "c00002"}


def test_the_envelope_and_the_items_are_templates(bench: Bench) -> None:
    wire = bench.server(script(Reply(200, {"results": [{"status": 200}]})))
    declared = """{path: /b, key: email, params: {notify: false}, headers: {X-Team: red},
        batch: {records: payload.items, body: {payload: {kind: contacts}, dry: false},
                item: {id: '{key}', label: 'to {record.name}', extra: '{record.extra}', properties: '{record}'}},
        results: {records: results, ok: {status: status}}}"""
    record = {"email": "a@b.c", "name": "Ann", "due": date(2026, 1, 2), "price": Decimal("1.50"), "big": 10**30}
    bench.destination(wire, declared).write(items(record))
    assert wire.calls[0].json() == {
        "payload": {
            "kind": "contacts",
            "items": [
                {
                    "id": "a@b.c",
                    "label": "to Ann",
                    "properties": {"email": "a@b.c", "name": "Ann", "due": "2026-01-02", "price": 1.5, "big": 10**30},
                }
            ],
        },
        "dry": False,
    }
    assert (wire.calls[0].query, wire.calls[0].headers["x-team"]) == ({"notify": ["false"]}, "red")


# --- one by one -------------------------------------------------------------------------------


def test_single_writes_have_a_verdict_each(bench: Bench) -> None:
    saas = Saas()
    batch = contacts(4)
    batch[1]["name"] = "N" * 60
    batch[2]["email"] = batch[0]["email"]
    declared = (
        "{path: '/contacts/{key}', key: id, results: {id: id, error_field: error.field, error_message: error.message}}"
    )
    wire = bench.server(saas.answer)
    verdicts = bench.destination(wire, declared).write(items(*batch))
    assert codes(verdicts) == [None, "VALUE_TOO_LONG", "DUPLICATE_RECORD", None]
    assert verdicts[0] == Written("c00000")
    assert isinstance(verdicts[2], RecordError)
    assert (verdicts[2].field, verdicts[2].value) == ("email", "person0@example.com")
    assert "(PUT /contacts/c00002, HTTP 409)" in verdicts[2].message


def test_an_update_of_what_is_not_there_is_an_error_of_that_record(bench: Bench) -> None:
    saas = Saas(*contacts(1))
    wire = bench.server(saas.answer)
    verdicts = bench.destination(wire, SINGLE % "update").write(items(*contacts(2)))
    assert (codes(verdicts), wire.calls[0].method) == ([None, "RECORD_NOT_FOUND"], "PATCH")


def test_keys_are_encoded_in_urls_and_cannot_lead_elsewhere(bench: Bench) -> None:
    saas = Saas()
    declared = "{path: '/contacts/{key}', key: id, deletes: delete, delete: {path: '/contacts/{key}'}}"
    wire = bench.server(saas.answer)
    destination = bench.destination(wire, declared)
    odd = {"id": "a/b c?d#e%ü", "email": "odd@example.com"}
    assert codes(destination.write(items(odd))) == [None]
    assert list(saas.contacts) == ["a/b c?d#e%ü"]
    for key in (".", ".."):
        verdicts = destination.write([WriteItem({"id": key, "email": "x"}), WriteItem({"id": key}, deleted=True)])
        assert codes(verdicts) == ["INVALID_FORMAT", "INVALID_FORMAT"]
    for key in (None, "", [1]):
        assert isinstance(destination.write(items({"id": key, "email": "x"}))[0], RecordError)
    assert codes(destination.write(items({"email": "x"}))) == ["REQUIRED_FIELD_MISSING"]
    assert len(wire.calls) == 1


def test_deletes_go_by_their_own_path_and_what_is_gone_counts_as_deleted(bench: Bench) -> None:
    saas = Saas(*contacts(2))
    declared = "{path: '/contacts/{key}', key: id, deletes: delete, delete: {path: '/contacts/{key}'}}"
    wire = bench.server(saas.answer)
    gone = [WriteItem({"id": "c00000"}, deleted=True), WriteItem({"id": "never"}, deleted=True)]
    verdicts = bench.destination(wire, declared).write([*gone, *items(contacts(1, 5)[0])])
    assert (codes(verdicts), set(saas.contacts)) == ([None, None, None], {"c00001", "c00005"})
    assert wire.calls[0].body == b""


def test_a_delete_by_the_destinations_key(bench: Bench) -> None:
    saas = Saas(*contacts(2))
    declared = "{path: /contacts, mode: create, deletes: delete, delete: {path: '/contacts/{destination_key}'}}"
    destination = bench.destination(bench.server(saas.answer), declared)
    known = WriteItem({}, deleted=True, destination_key="c00001")
    assert codes(destination.write([known])) == [None]
    assert codes(destination.write([WriteItem({}, deleted=True)])) == ["REQUIRED_FIELD_MISSING"]
    assert set(saas.contacts) == {"c00000"}


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "AUTHENTICATION_FAILED"),
        (405, "NOT_FOUND"),
        (415, "BAD_REQUEST"),
        (429, "RATE_LIMIT_EXCEEDED"),
        (503, "DESTINATION_OUTAGE"),
    ],
)
def test_a_refusal_of_every_record_ends_the_write(bench: Bench, status: int, code: str) -> None:
    wire = bench.server(script(Reply(status, {"message": "no"}, {"Retry-After": "3600"})))
    with pytest.raises(FluxError) as caught:
        bench.destination(wire, SINGLE % "upsert").write(items(*contacts(3)))
    assert (caught.value.code, len(wire.calls)) == (code, 1)


@pytest.mark.parametrize(("status", "code"), [(403, "PERMISSION_DENIED"), (500, "DESTINATION_OUTAGE")])
def test_one_record_that_breaks_the_server_costs_only_itself(bench: Bench, status: int, code: str) -> None:
    saas = Saas()

    def answer(call: Call) -> Reply:
        return Reply(status, {"message": "oops"}) if call.path.endswith("c00001") else saas.answer(call)

    assert codes(bench.destination(bench.server(answer), SINGLE % "upsert").write(items(*contacts(3)))) == [
        None,
        code,
        None,
    ]
    with pytest.raises(FluxError) as caught:
        answering(bench, SINGLE % "upsert", Reply(status, {})).write(items(*contacts(3)))
    assert caught.value.code == code


def test_inserts_are_sent_one_at_a_time_and_never_repeated(bench: Bench) -> None:
    saas = Saas()
    declared = "{path: /contacts, mode: create, results: {ok: {path: success, equals: true}, id: contact.id}}"
    destination = bench.destination(bench.server(saas.answer), declared)
    assert (destination.batch_size, destination.idempotent, destination.can_find) == (1, False, False)
    assert destination.write(items({"email": "a@b.c"})) == [Written("new0")]
    wire = bench.server(script(Reply(reset=True)))
    with pytest.raises(OutcomeUnknown):
        bench.destination(wire, declared).write(items({"email": "a@b.c"}))
    assert len(wire.calls) == 1


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(reset=True), [None, "OUTCOME_UNKNOWN", None]),
        (Reply(401, {}), [None, "AUTHENTICATION_FAILED", "DESTINATION_OUTAGE"]),
        (Reply(422, {}), [None, "RECORD_REJECTED", None]),
    ],
)
def test_an_insert_that_fails_midway_never_sends_again_what_is_stored(
    bench: Bench, reply: Reply, expected: list[str | None]
) -> None:
    wire = bench.server(script(Reply(201, {}), reply, Reply(201, {})))
    destination = bench.destination(wire, "{path: /contacts, mode: create, batch_size: 3}")
    assert codes(destination.write(items(*contacts(3)))) == expected
    assert len(wire.calls) == (3 if expected[-1] is None else 2)


def test_two_lost_answers_in_a_row_end_a_row_of_inserts(bench: Bench) -> None:
    lost = Reply(reset=True)
    wire = bench.server(script(lost, Reply(201, {}), lost, lost, Reply(201, {})))
    destination = bench.destination(wire, "{path: /contacts, mode: create, batch_size: 5}")
    doubt = "OUTCOME_UNKNOWN"
    assert codes(destination.write(items(*contacts(5)))) == [doubt, None, doubt, doubt, "DESTINATION_OUTAGE"]
    assert len(wire.calls) == 4


@pytest.mark.parametrize("reply", [Reply(reset=True), Reply(401, {})])
def test_an_insert_that_fails_midway_is_in_doubt_where_the_api_can_be_asked(bench: Bench, reply: Reply) -> None:
    wire = bench.server(script(Reply(201, {}), reply))
    find = "{path: '/contacts/{record.id}', id: id}"
    destination = bench.destination(wire, f"{{path: /contacts, mode: create, batch_size: 3, find: {find}}}")
    with pytest.raises(OutcomeUnknown):
        destination.write(items(*contacts(3)))
    assert len(wire.calls) == 2


def test_a_success_that_says_no_is_not_written(bench: Bench) -> None:
    declared = "{path: '/x/{key}', key: id, results: {ok: {path: success, equals: true}, error_message: why}}"
    verdicts = answering(bench, declared, Reply(200, {"success": False, "why": "closed"})).write(items(*contacts(1)))
    assert isinstance(verdicts[0], RecordError)
    assert "closed" in verdicts[0].message
    by_row = (
        "{path: '/x/{key}', key: id, errors: [{status: 200, path: success, match: 'false', code: CONSTRAINT_VIOLATED}]}"
    )
    verdicts = answering(bench, by_row, Reply(200, {"success": False})).write(items(*contacts(1)))
    assert codes(verdicts) == ["CONSTRAINT_VIOLATED"]


@pytest.mark.parametrize("mode", ["upsert", "create"])
def test_a_login_page_with_status_200_is_not_written(bench: Bench, mode: str) -> None:
    declared = SINGLE % mode
    with pytest.raises(OutcomeUnknown if mode == "create" else FluxError, match="a page for people"):
        answering(bench, declared, Reply(200, b"<!DOCTYPE html><title>Sign in</title>")).write(items(*contacts(1)))


# --- looking a record up ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "find",
    [
        "{path: '/contacts/{record.id}', id: id}",
        "{path: /contacts, params: {email: '{record.email}'}, records: data, id: id}",
    ],
)
def test_a_record_in_doubt_is_looked_up(bench: Bench, find: str) -> None:
    saas = Saas(*contacts(1))
    destination = bench.destination(bench.server(saas.answer), f"{{path: /contacts, mode: create, find: {find}}}")
    assert destination.can_find
    assert destination.find(items(*contacts(2))) == ["c00000", None]


def test_a_lookup_that_does_not_answer_is_an_error_and_not_a_no(bench: Bench) -> None:
    declared = "{path: /contacts, mode: create, find: {path: '/contacts/{record.id}', records: data, id: id}}"
    for reply in (Reply(500, {}), Reply(200, {"rows": []}), Reply(200, {"data": [{"nope": 1}]}), Reply(200, b"<html>")):
        with pytest.raises(FluxError):
            answering(bench, declared, reply).find(items(*contacts(1)))

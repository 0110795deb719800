from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_flux.errors import RecordError
from airflow_provider_flux.store import Store
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import NewError, Run
from tests.unit.store.data import MONDAY, NASTY, SHA, error


@pytest.fixture
def inbox(store: Store, run: Run) -> Run:
    """Six errors: three bad e-mails and one phone of run 1, one held of run 1, one e-mail of another flow."""
    store.record_transform(
        run, 0, 0, [], [error(1, "a"), error(2, "b"), error(3, "c", code="INVALID_FORMAT", field="phone")], 1
    )
    store.ack(
        run, 0, 0, SHA, [], [error(4, "d"), error(5, "e", code="OUTCOME_UNKNOWN", field=None, state="held")], [], 1
    )
    other = store.start_run("orders", "run-9", "manual", "orders")
    store.record_transform(other, 0, 0, [], [error(1, "a")], 1)
    return run


def ordinals(store: Store, **filters: Any) -> list[int]:
    """Through both doors, which must say the same."""
    filter = ErrorFilter(**filters)
    listed = [row.ordinal for row in store.errors(filter)]
    assert [row.ordinal for row in store.iter_errors(filter)] == listed
    assert store.count_errors(filter) == len(listed)
    return listed


def test_an_error_row_tells_everything(store: Store, run: Run) -> None:
    answer = RecordError("VALUE_TOO_LONG", "too long", "lines[3].name", "items[3].title", "trim", "xxx…", "22001")
    new = NewError(7, "k", MONDAY, answer, '{"id": 1}', sent='{"name": "x"}')
    store.ack(run, 2, 5, SHA, [], [new], [], 3)
    (row,) = store.errors()
    assert (row.run, row.run_id, row.flow, row.stage, row.epoch, row.batch) == (
        run.id,
        "run-1",
        "contacts",
        "write",
        2,
        5,
    )
    assert (row.ordinal, row.source_key, row.source_version, row.mapping_version) == (7, "k", MONDAY, 3)
    assert (row.state, row.code, row.category) == ("open", "VALUE_TOO_LONG", "data")
    assert (row.field, row.source_path, row.transform) == ("lines[3].name", "items[3].title", "trim")
    assert (row.value, row.message, row.answer) == ("xxx…", "too long", "22001")
    assert (row.payload, row.sent) == ('{"id": 1}', '{"name": "x"}')
    assert (row.resolved_at, row.resolved_by) == (None, None)


def test_filters_must_all_hold(store: Store, inbox: Run) -> None:
    assert ordinals(store) == [1, 2, 3, 4, 5, 1]
    assert ordinals(store, run=inbox) == [1, 2, 3, 4, 5]
    assert ordinals(store, flow="orders") == [1]
    assert ordinals(store, state="held") == [5]
    assert ordinals(store, state=("open", "held"), flow="contacts", field="email") == [1, 2, 4]
    assert ordinals(store, code="INVALID_FORMAT") == [3]
    assert ordinals(store, run=inbox, flow="orders") == []
    assert ordinals(store, state=[]) == []
    assert ordinals(store, code=NASTY, field=NASTY, flow=NASTY, state=NASTY) == []


def test_errors_are_picked_by_number(store: Store, inbox: Run) -> None:
    first, second, *_ = store.errors()
    assert ordinals(store, ids=[second.id, first.id, 10**30, -1, 0]) == [1, 2]
    assert ordinals(store, ids=[]) == []
    assert ordinals(store, ids=range(1, 70_000)) == [1, 2, 3, 4, 5, 1]


def test_errors_come_in_pages(store: Store, inbox: Run) -> None:
    assert [row.ordinal for row in store.errors(limit=2)] == [1, 2]
    assert [row.ordinal for row in store.errors(limit=2, offset=2)] == [3, 4]
    assert [row.ordinal for row in store.errors(offset=4)] == [5, 1]
    assert store.errors(limit=0) == []


def test_more_errors_than_a_page_are_iterated_in_order(store: Store, run: Run) -> None:
    store.record_transform(run, 0, 0, [], [error(ordinal, f"k{ordinal}") for ordinal in range(350)], 1)
    assert ordinals(store, run=run) == list(range(350))


def test_groups_come_by_frequency_with_their_newest_example(store: Store, inbox: Run) -> None:
    groups = store.error_groups(["code", "field"])
    assert [(group.count, group.values) for group in groups] == [
        (4, {"code": "INVALID_EMAIL", "field": "email"}),
        (1, {"code": "OUTCOME_UNKNOWN", "field": None}),
        (1, {"code": "INVALID_FORMAT", "field": "phone"}),
    ]
    assert groups[0].example.flow == "orders"
    assert groups[0].first_seen <= groups[0].last_seen == groups[0].example.occurred_at


def test_groups_obey_filters_and_a_limit(store: Store, inbox: Run) -> None:
    assert [(group.count, group.values) for group in store.error_groups(["run_id"], ErrorFilter(run=inbox))] == [
        (5, {"run_id": "run-1"})
    ]
    counted = store.error_groups(["flow"], ErrorFilter(state="open"), limit=1)
    assert [group.values for group in counted] == [{"flow": "contacts"}]
    assert store.error_groups(["code"], ErrorFilter(flow="nothing")) == []
    assert [group.count for group in store.error_groups([])] == [6]
    assert store.error_groups([], ErrorFilter(flow="nothing")) == []


def test_what_cannot_be_grouped_by_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="cannot be grouped by 'payload'; possible are code, category, field"):
        store.error_groups(["payload"])


def test_errors_of_one_cause_share_a_fingerprint(store: Store, run: Run) -> None:
    fields = ["lines[1].sku", "lines[27].sku", "lines[1].name"]
    store.record_transform(run, 0, 0, [], [error(n, field=field) for n, field in enumerate(fields)], 1)
    one, two, other = store.errors()
    assert one.fingerprint == two.fingerprint != other.fingerprint


def test_any_text_can_stand_in_an_error(store: Store, run: Run) -> None:
    answer = RecordError("INVALID_FORMAT", NASTY, NASTY, NASTY, NASTY, NASTY, NASTY)
    payload = json.dumps({"name": NASTY}, ensure_ascii=False)
    store.record_transform(run, 0, 0, [], [NewError(0, NASTY, NASTY, answer, payload, sent=payload)], 1)
    (row,) = store.errors()
    assert row.message == "n\\u0000ul, lone \\udc80 surrogate, \U0001f600, '\"\\u0000"
    assert row.message == row.field == row.source_path == row.transform == row.value == row.answer == row.source_version
    assert json.loads(row.payload) == json.loads(row.sent or "") == {"name": NASTY}


def test_a_payload_of_a_megabyte_is_kept_whole(store: Store, run: Run) -> None:
    payload = json.dumps({"text": "é" * 1_000_000}, ensure_ascii=False)
    store.record_transform(run, 0, 0, [], [error(0, payload=payload)], 1)
    assert store.errors()[0].payload == payload

"""The health of connections in the store."""

from __future__ import annotations

import pytest

from airflow_provider_flux.store import Store, open_store
from airflow_provider_flux.store.health import Calls, ConnectionRow, NewCalls
from tests.unit.store.conftest import PROCESSES, EightProcesses
from tests.unit.store.data import NASTY

TEN, ELEVEN, NOON = (f"2026-01-05T{hour}:00:00.000000Z" for hour in (10, 11, 12))


def good(at: str, count: int = 1) -> NewCalls:
    return NewCalls(ConnectionRow("crm", "rest", good_at=at), [Calls(at[:13], "ok", count, at, None)])


def bad(at: str, kind: str = "auth", message: str = "HTTP 401") -> NewCalls:
    row = ConnectionRow("crm", "rest", None, at, kind, "AUTHENTICATION_FAILED", message)
    return NewCalls(row, [Calls(at[:13], kind, 1, at, message)])


def state(store: Store) -> str:
    row = store.connection("crm")
    assert row is not None
    return row.state


def test_a_connection_that_was_never_called_is_unknown(store: Store) -> None:
    assert store.connection("crm") is None
    assert (store.connections(), store.calls("2026-01-01T00")) == ([], [])
    assert ConnectionRow("crm", "rest").state == "pending"


def test_the_last_call_says_whether_it_is_active(store: Store) -> None:
    for new, expected in ((good(TEN), "active"), (bad(ELEVEN), "degraded"), (good(NOON), "active")):
        store.note_calls(new)
        assert state(store) == expected
    row = store.connection("crm")
    assert row is not None
    assert (row.good_at, row.bad_at, row.bad_kind, row.bad_message) == (NOON, ELEVEN, "auth", "HTTP 401")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_who_notes_first_does_not_matter(store: Store, order: tuple[int, int]) -> None:
    news = (bad(NOON, "outage", "HTTP 503"), bad(TEN))
    for number in order:
        store.note_calls(news[number])
    store.note_calls(good(ELEVEN))
    row = store.connection("crm")
    assert row is not None
    assert (row.state, row.bad_kind, row.bad_message, row.good_at) == ("degraded", "outage", "HTTP 503", ELEVEN)


def test_a_refused_record_says_nothing_about_the_connection(store: Store) -> None:
    refused = NewCalls(ConnectionRow("crm", "rest"), [Calls("2026-01-05T10", "refused", 3, TEN, "HTTP 422")])
    store.note_calls(refused)
    assert state(store) == "pending"
    store.note_calls(bad(TEN))
    store.note_calls(refused)
    assert state(store) == "degraded"


def test_calls_add_up_by_hour_and_kind_and_keep_the_last_message(store: Store) -> None:
    late = "2026-01-05T10:30:00.000000Z"
    for new in (good(TEN, 5), good(late, 7), bad(late, message="second"), bad(TEN, message="first"), good(NOON)):
        store.note_calls(new)
    found = [(row.hour, row.kind, row.count, row.last_message) for row in store.calls("2026-01-05T10")]
    assert found == [
        ("2026-01-05T12", "ok", 1, None),
        ("2026-01-05T10", "auth", 2, "second"),
        ("2026-01-05T10", "ok", 12, None),
    ]
    assert [row.hour for row in store.calls("2026-01-05T11", "crm")] == ["2026-01-05T12"]
    assert store.calls("2026-01-01T00", "other") == []


def test_a_person_switches_it_off_and_on(store: Store) -> None:
    store.note_calls(bad(TEN))
    store.disable_connection("crm", "rest", "ann", NASTY)
    row = store.connection("crm")
    assert row is not None
    assert (row.state, row.disabled_by, row.bad_at) == ("disabled", "ann", TEN)
    store.note_calls(good(NOON))
    assert state(store) == "disabled"
    assert store.enable_connection("crm")
    assert state(store) == "active"
    assert not store.enable_connection("crm")
    assert not store.enable_connection("other")


def test_one_that_was_never_called_can_be_switched_off(store: Store) -> None:
    store.disable_connection("crm", "rest", "ann", "not yet")
    assert state(store) == "disabled"
    store.enable_connection("crm")
    assert state(store) == "pending"


def test_text_that_no_database_holds_is_kept_readable(store: Store) -> None:
    store.note_calls(bad(TEN, message=NASTY))
    row = store.connection("crm")
    assert row is not None and str(row.bad_message).startswith("n\\u0000ul, lone \\udc80 surrogate")


def note_fifty(url: str, number: int) -> None:
    with open_store(url) as store:
        for _ in range(50):
            store.note_calls(bad(TEN))
            store.note_calls(good(TEN))


def test_processes_lose_no_call(store: Store, store_url: str, eight: EightProcesses) -> None:
    eight.run(note_fifty, store_url)
    counts = {row.kind: row.count for row in store.calls("2026-01-05T10")}
    assert counts == {"auth": PROCESSES * 50, "ok": PROCESSES * 50}

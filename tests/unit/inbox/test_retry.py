"""Replays of one record, a selection, or all that matches; and what is refused without a change."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from airflow_provider_flux.dag_factory import REPLAY
from airflow_provider_flux.errors import ConfigError, FluxError
from airflow_provider_flux.inbox.refusal import Refused
from airflow_provider_flux.inbox.retry import Queued, queue
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import Link
from tests.unit.inbox.conftest import MONDAY, Inbox, failure


def ask(inbox: Inbox, filter: ErrorFilter, **options: Any) -> list[Queued]:
    return queue(inbox.store, inbox.include, filter, by="ann", start=inbox.start, **options)


def test_one_record(inbox: Inbox) -> None:
    first, _ = inbox.fail("contacts", failure(1), failure(2))
    [queued] = ask(inbox, ErrorFilter(ids=[first]))
    assert (queued.flow, queued.records) == ("contacts", 1)
    [(flow, run_id, conf)] = inbox.started
    assert (flow, run_id) == ("contacts", queued.run_id)
    order = {"claimed": True, "payload": "stored", "by": "ann", "what": f"error {first}, flow contacts"}
    assert conf == {"replay": order}
    assert inbox.claims() == [queued.run_id, None]
    assert [(one.action, one.decided_by) for one in inbox.store.decisions(first)] == [("retry", "ann")]


def test_all_that_matches_is_one_run_per_flow(inbox: Inbox) -> None:
    inbox.fail("contacts", failure(1), failure(2, "INVALID_FORMAT"), failure(3))
    inbox.fail("orders", failure(4))
    queued = ask(inbox, ErrorFilter(code="INVALID_EMAIL"))
    assert [(one.flow, one.records) for one in queued] == [("contacts", 2), ("orders", 1)]
    assert inbox.claims()[1] is None


def test_a_whole_run_is_named_to_airflow_as_before(inbox: Inbox) -> None:
    inbox.fail("contacts", failure(1))
    run = inbox.store.run("contacts", "run-1")
    ask(inbox, ErrorFilter(run=run, flow="contacts"))
    assert inbox.started[0][2]["replay"]["run"] == "run-1"
    assert "claimed" not in inbox.started[0][2]["replay"]


def test_the_choice_of_the_payload_and_force_travel_with_the_run(inbox: Inbox) -> None:
    inbox.fail("contacts", failure(1))
    ask(inbox, ErrorFilter(flow="contacts"), payload="source", force=True)
    order = inbox.started[0][2]["replay"]
    assert (order["payload"], order["force"]) == ("source", True)


def test_what_a_run_is_started_with_fits_what_airflow_accepts(inbox: Inbox) -> None:
    ids = inbox.fail("contacts", *(failure(number) for number in range(1500)))
    ask(inbox, ErrorFilter(ids=ids), payload="source", force=True)
    order = inbox.started[0][2]["replay"]
    properties = REPLAY["properties"]
    assert set(order) <= set(properties)
    assert len(order["what"]) <= properties["what"]["maxLength"]
    assert len(json.dumps(order)) < 2000


def test_what_another_replay_has_is_left_to_it(inbox: Inbox) -> None:
    first, _ = inbox.fail("contacts", failure(1), failure(2))
    [one] = ask(inbox, ErrorFilter(ids=[first]))
    [other] = ask(inbox, ErrorFilter(flow="contacts"))
    assert inbox.claims() == [one.run_id, other.run_id]


# --- refusals ------------------------------------------------------------------------------------------


def refused(inbox: Inbox, filter: ErrorFilter) -> str:
    before = (inbox.states(), inbox.claims(), len(inbox.started))
    with pytest.raises(Refused) as caught:
        ask(inbox, filter)
    assert (inbox.states(), inbox.claims(), len(inbox.started)) == before
    return str(caught.value)


def test_the_number_of_no_error(inbox: Inbox) -> None:
    [number] = inbox.fail("contacts", failure(1))
    assert refused(inbox, ErrorFilter(ids=[number, 999])).startswith("there is no error 999")


def test_an_error_that_is_over_queued_or_held_says_what_to_do_instead(inbox: Inbox) -> None:
    numbers = inbox.fail("contacts", *(failure(number) for number in range(3)), failure(3, state="held"))
    discarded, queued, free, held = numbers
    inbox.store.discard([discarded], "a test record", "ann")
    [replay] = ask(inbox, ErrorFilter(ids=[queued]))
    message = refused(inbox, ErrorFilter(ids=numbers))
    assert f"error {discarded} was discarded" in message
    assert f"error {queued} is queued already, in run {replay.run_id} of flow contacts" in message
    assert f"approve it (`airflow-flux errors approve {held}`)" in message
    assert f"error {free} " not in message
    assert message.endswith("Nothing was changed.")


def test_a_resolved_error_names_the_run_that_delivered_it(inbox: Inbox) -> None:
    arrived, other = inbox.fail("contacts", failure(1), failure(2))
    inbox.store.claim_errors("r1", ErrorFilter(flow="contacts"))
    run = inbox.store.start_run("contacts", "r1", "replay", "contacts", replay_payload="stored")
    inbox.store.ack(run, 0, 0, "a" * 64, [], [], [Link("1", None, MONDAY, "0" * 32)], 1)
    replayed: dict[int, str | None] = {arrived: "1", other: "2"}
    inbox.store.close_errors(run, {"transform": 0, "write": 0}, complete=True, replayed=replayed)
    assert f"error {arrived} is resolved: run r1 delivered" in refused(inbox, ErrorFilter(ids=[arrived]))
    assert f"error {other} is superseded: another error stands" in refused(inbox, ErrorFilter(ids=[other]))


def test_a_filter_that_matches_nothing_repeats_itself(inbox: Inbox) -> None:
    inbox.fail("contacts", failure(1))
    message = refused(inbox, ErrorFilter(flow="contacts", code="DUPLICATE"))
    assert message == "no error matches: flow contacts, code DUPLICATE. Nothing was changed."


def test_a_filter_that_matches_only_what_cannot_be_retried_counts_it(inbox: Inbox) -> None:
    inbox.fail("contacts", failure(1), failure(2, state="held"))
    ask(inbox, ErrorFilter(flow="contacts"))
    message = refused(inbox, ErrorFilter(flow="contacts"))
    assert "2 errors match, and none of them can be retried now: 1 held, 1 open (1 of them queued" in message


def test_a_flow_whose_file_is_gone_or_wrong_keeps_all_flows_as_they_are(inbox: Inbox) -> None:
    inbox.fail("contacts", failure(1))
    inbox.fail("orders", failure(2))
    file = inbox.include / "flows" / "orders.yaml"
    file.write_text(file.read_text().replace("mapping:", "maping:"))
    with pytest.raises(ConfigError, match=r"flows/orders\.yaml"):
        ask(inbox, ErrorFilter())
    file.unlink()
    with pytest.raises(ConfigError, match="there is no flow `orders`"):
        ask(inbox, ErrorFilter())
    assert (inbox.claims(), inbox.started) == ([None, None], [])


def test_a_source_that_cannot_be_asked_for_records(inbox: Inbox) -> None:
    inbox.fail("contacts", failure(1))
    file = inbox.include / "flows" / "contacts.yaml"
    asks_by_path = file.read_text().replace("sql, connection: crm, table:", "rest, connection: crm, path:")
    file.write_text(asks_by_path.replace("path: contacts", "path: /contacts"))
    with pytest.raises(FluxError, match="cannot be asked for single records"):
        ask(inbox, ErrorFilter(flow="contacts"), payload="source")
    assert inbox.claims() == [None]


def test_a_run_that_airflow_does_not_start_gives_its_records_back(inbox: Inbox) -> None:
    [number] = inbox.fail("contacts", failure(1))
    inbox.fail("orders", failure(2))
    inbox.refuses = "orders"
    with pytest.raises(FluxError, match=r"not know 'orders' \(started before that: replay__.* of contacts\)"):
        ask(inbox, ErrorFilter())
    [(_, run_id, _)] = inbox.started
    assert inbox.claims() == [run_id, None]
    assert inbox.row(number).replay == run_id


def test_an_error_without_its_payload_is_not_sent(inbox: Inbox) -> None:
    [number] = inbox.fail("contacts", failure(1))
    inbox.store.purge_payloads("2999-01-01T00:00:00.000000Z")
    assert "its payload was removed on" in refused(inbox, ErrorFilter(ids=[number]))
    assert "none of them can be retried" in refused(inbox, replace(ErrorFilter(), flow="contacts"))

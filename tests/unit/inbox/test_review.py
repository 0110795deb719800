"""Corrections, approvals and discards: who and when is kept, and what does not fit changes nothing."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from airflow_provider_flux.errors import ConfigError, FluxError
from airflow_provider_flux.inbox import review
from airflow_provider_flux.inbox.edits import put
from airflow_provider_flux.inbox.refusal import Refused
from airflow_provider_flux.store.filters import ErrorFilter
from tests.unit.inbox.conftest import MONDAY, Inbox, failure

GOOD = {"id": 1, "email": "kim@example.org", "status": "new", "updated_at": MONDAY}


def edit(inbox: Inbox, number: int, payload: dict[str, Any]) -> review.Edited:
    return review.edit(inbox.store, inbox.include, number, payload, "ann")


def refusal(inbox: Inbox, number: int, payload: dict[str, Any]) -> str:
    with pytest.raises(Refused) as caught:
        edit(inbox, number, payload)
    assert inbox.row(number).corrected is None
    assert inbox.store.decisions(number) == []
    return str(caught.value)


@pytest.mark.parametrize("state", ["open", "held"])
def test_a_correction_that_the_mapping_takes_is_kept_with_what_it_replaces(inbox: Inbox, state: str) -> None:
    [number] = inbox.fail("contacts", failure(1, state=state))
    read = inbox.row(number).payload
    edited = edit(inbox, number, GOOD)
    assert (edited.mapping, edited.mapped) == ("contacts@1", {"id": 1, "email": "kim@example.org", "phone": None})
    row = inbox.row(number)
    assert (row.state, row.payload, msgspec.json.decode(row.corrected or "")) == (state, read, GOOD)
    [decision] = inbox.store.decisions(number)
    assert (decision.action, decision.decided_by, decision.before) == ("edit", "ann", read)
    assert review.payload_of(inbox.store, number) == GOOD


def test_every_rule_that_still_fails_is_named_with_its_field(inbox: Inbox) -> None:
    [number] = inbox.fail("contacts", failure(1))
    message = refusal(inbox, number, {**GOOD, "email": "still@", "phone": "call me"})
    assert "contacts@1 makes an error of it at email: " in message
    assert "contacts@1 makes an error of it at phone: " in message
    assert message.endswith("Nothing was changed.")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"id": 2}, "the key of the record must stay '1', and the payload says '2'"),
        ({"updated_at": "2026-01-06T00:00:00Z"}, f"the version of the record must stay '{MONDAY}'"),
        ({"status": "deleted"}, "the flow's filter leaves such a record out"),
        ({"id": [1]}, "the payload cannot be read: a key must be a text or a number"),
    ],
)
def test_a_payload_that_would_be_another_record_is_refused(
    inbox: Inbox, changed: dict[str, Any], message: str
) -> None:
    [number] = inbox.fail("contacts", failure(1))
    assert message in refusal(inbox, number, {**GOOD, **changed})


def test_a_key_that_was_missing_may_be_added(inbox: Inbox) -> None:
    without = {name: value for name, value in GOOD.items() if name != "id"}
    [number] = inbox.fail("contacts", failure(1, "KEY_MISSING", key=None, payload=without))
    assert "the record still has no key (id)" in refusal(inbox, number, without)
    assert edit(inbox, number, GOOD).mapped == {"id": 1, "email": "kim@example.org", "phone": None}


def test_only_the_destination_can_tell_what_it_refused(inbox: Inbox) -> None:
    run = inbox.store.start_run("contacts", "run-1", "scheduled", "contacts")
    inbox.store.ack(run, 0, 0, "a" * 64, [], [failure(1)], [], 1)
    [row] = inbox.store.errors()
    assert edit(inbox, row.id, GOOD).refused_by_destination


def test_what_is_over_queued_or_retried_by_itself_is_not_edited(inbox: Inbox) -> None:
    gone, queued, waits = inbox.fail("contacts", failure(1), failure(1), failure(1, state="retrying"))
    inbox.store.discard([gone], "a test record", "ann")
    inbox.store.claim_errors("r1", ErrorFilter(ids=[queued]))
    reasons = {gone: "was discarded", queued: "is queued already", waits: "is tried again by itself"}
    for number, message in reasons.items():
        with pytest.raises(Refused, match=message):
            edit(inbox, number, GOOD)
        assert inbox.row(number).corrected is None
    with pytest.raises(Refused, match="there is no error 999"):
        edit(inbox, 999, GOOD)


def test_an_edit_for_a_flow_whose_file_is_gone(inbox: Inbox) -> None:
    [number] = inbox.fail("contacts", failure(1))
    (inbox.include / "flows" / "contacts.yaml").unlink()
    with pytest.raises(ConfigError, match="there is no flow `contacts`"):
        edit(inbox, number, GOOD)
    assert inbox.row(number).corrected is None


def test_what_is_approved_is_queued_in_the_same_breath(inbox: Inbox) -> None:
    inbox.fail("contacts", failure(1, state="held"), failure(2, state="held"), failure(3))
    [queued] = review.approve(
        inbox.store, inbox.include, ErrorFilter(flow="contacts"), by="ann", start=inbox.start
    )
    assert queued.records == 2
    assert inbox.states() == ["approved", "approved", "open"]
    assert inbox.claims() == [queued.run_id, queued.run_id, None]
    first = min(row.id for row in inbox.store.errors())
    assert [one.action for one in inbox.store.decisions(first)] == ["approve", "retry"]


def test_an_approval_of_what_is_not_held_changes_nothing(inbox: Inbox) -> None:
    held, free = inbox.fail("contacts", failure(1, state="held"), failure(2))
    with pytest.raises(Refused, match=f"error {free} is open, not held: retry it"):
        review.approve(inbox.store, inbox.include, ErrorFilter(ids=[held, free]), by="ann", start=inbox.start)
    with pytest.raises(Refused, match="none of them can be approved now: 1 open"):
        review.approve(inbox.store, inbox.include, ErrorFilter(ids=None, key="2"), by="ann", start=inbox.start)
    (inbox.include / "flows" / "contacts.yaml").unlink()
    with pytest.raises(ConfigError):
        review.approve(inbox.store, inbox.include, ErrorFilter(ids=[held]), by="ann", start=inbox.start)
    assert (inbox.states(), inbox.started) == (["held", "open"], [])


def test_an_approval_whose_run_does_not_start_waits_for_a_retry(inbox: Inbox) -> None:
    [held] = inbox.fail("contacts", failure(1, state="held"))
    inbox.refuses = "contacts"
    with pytest.raises(FluxError, match="Airflow does not know"):
        review.approve(inbox.store, inbox.include, ErrorFilter(ids=[held]), by="ann", start=inbox.start)
    assert (inbox.states(), inbox.claims()) == (["approved"], [None])


def test_a_discard_needs_a_reason_and_leaves_the_rest_alone(inbox: Inbox) -> None:
    first, second = inbox.fail("contacts", failure(1), failure(2, state="held"))
    with pytest.raises(Refused, match="say why"):
        review.discard(inbox.store, [first], "  ", "ann")
    with pytest.raises(Refused, match="there is no error 999"):
        review.discard(inbox.store, [first, 999], "test records", "ann")
    assert inbox.states() == ["open", "held"]
    assert review.discard(inbox.store, [first, second], " test records ", "ann") == 2
    assert inbox.states() == ["discarded", "discarded"]
    [decision] = inbox.store.decisions(first)
    assert (decision.action, decision.reason, decision.decided_by) == ("discard", "test records", "ann")
    with pytest.raises(Refused, match="was discarded"):
        review.discard(inbox.store, [first], "once more", "ann")


def test_one_value_is_put_at_a_path() -> None:
    record: dict[str, Any] = {"lines": [{"qty": 1}], "name": None}
    put(record, "lines[0].qty", 2)
    put(record, "properties.email", "kim@example.org")
    put(record, "name.first", "Kim")
    assert record == {
        "lines": [{"qty": 2}],
        "name": {"first": "Kim"},
        "properties": {"email": "kim@example.org"},
    }


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("lines[3].qty", "names item 3 of a list that has 1"),
        ("lines[*].qty", "names every item of a list"),
        ("lines.qty", "does not fit the record"),
        ("tags[0]", "needs a list that the record does not have"),
        ("a..b", "is not a path"),
    ],
)
def test_a_path_that_leads_nowhere_says_why(path: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        put({"lines": [{"qty": 1}]}, path, 2)


def test_what_has_no_payload_any_more_is_neither_edited_nor_approved(inbox: Inbox) -> None:
    [held] = inbox.fail("contacts", failure(1, state="held"))
    inbox.store.purge_payloads("2999-01-01T00:00:00.000000Z")
    assert "its payload was removed" in refusal(inbox, held, GOOD)
    with pytest.raises(Refused, match="its payload was removed"):
        review.approve(inbox.store, inbox.include, ErrorFilter(ids=[held]), by="ann", start=inbox.start)
    assert inbox.states() == ["held"]

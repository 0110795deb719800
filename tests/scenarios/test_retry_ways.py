"""The ways to send lost records again: one, a selection, all that match, by themselves, after a review."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from tests.contracts.servers.wire import Call, Reply
from tests.scenarios.conftest import Desk, Said
from tests.scenarios.page import commands, snippet
from tests.scenarios.systems import System, person


@pytest.fixture
def lost(desk: Desk, crm: System) -> Desk:
    """A run that lost four records: three phones, one e-mail address."""
    crm.put(person(0), *[person(number, phone="call me maybe") for number in (1, 2, 3)], person(4, email=None))
    desk.tick()
    return desk


def test_one_record(lost: Desk) -> None:
    lost.do("list").shows("list")
    lost.fix("phone-skip")
    lost.do("retry-one")
    assert set(lost.rows()) == {"c0", "c1"}
    assert lost.states() == {"c1": "resolved", "c2": "open", "c3": "open", "c4": "open"}


def test_a_selection(lost: Desk) -> None:
    lost.fix("phone-skip")
    lost.do("retry-selection")
    assert set(lost.rows()) == {"c0", "c1", "c3"}
    assert lost.states() == {"c1": "resolved", "c2": "open", "c3": "resolved", "c4": "open"}


def test_all_that_match_a_filter(lost: Desk) -> None:
    found = lost.do("filter-list").out
    assert (found.count("REQUIRED_FIELD_MISSING"), found.count("INVALID_FORMAT")) == (1, 3 + 3)
    lost.fix("phone-skip")
    lost.do("retry-filter")
    assert set(lost.rows()) == {"c0", "c1", "c2", "c3"}
    assert lost.states() == {"c1": "resolved", "c2": "resolved", "c3": "resolved", "c4": "open"}


def test_everything(lost: Desk) -> None:
    lost.fix("phone-skip")
    lost.fix("email-optional")
    lost.do("retry-all")
    assert set(lost.rows()) == {"c0", "c1", "c2", "c3", "c4"}
    assert set(lost.states().values()) == {"resolved"}


def test_a_retry_before_the_fix_keeps_the_record_and_its_error(lost: Desk) -> None:
    said = lost.do("retry-one")
    assert said.code == 1
    assert set(lost.rows()) == {"c0"}
    assert lost.states()["c1"] == "open"


def test_a_record_that_was_mended_in_the_source_is_read_anew(lost: Desk, crm: System) -> None:
    lost.fix("item")
    crm.change("c1", phone="(415) 555-2671")
    lost.do("retry-source")
    assert lost.rows()["c1"]["phone"] == "+14155552671"
    assert lost.states()["c1"] == "resolved"


def test_the_commands_in_a_shell(lost: Desk) -> None:
    """The real command line in processes of its own, from the look at the run to the delivered record."""

    def in_shell(name: str) -> Said:
        (argv,) = commands(snippet("run", name))
        local = ["--local"] if argv[1] == "retry" else []
        command = [sys.executable, "-m", "airflow_provider_flux.cli", *argv, *local]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return Said(done.returncode, done.stdout, done.stderr)

    in_shell("look").shows("shell-look")
    lost.fix("phone-skip")
    in_shell("retry-run")
    assert set(lost.rows()) == {"c0", "c1", "c2", "c3"}


# --- automatic --------------------------------------------------------------------------------------


def overloaded(call: Call) -> Reply | None:
    """The billing system cannot take one of the customers for now."""
    return Reply(503, {"error": "overloaded"}) if call.path == "/customers/c2" else None


def test_a_transient_error_of_one_record_is_tried_again_by_itself(desk: Desk, crm: System, billing: System) -> None:
    desk.fix("auto-retry", "customers")
    desk.change_flow("errors: {retry: {max: 3, delay: [1s]}}", "customers")  # not the minute of the page
    desk.change_flow("destination: {batch_size: 1}", "customers")
    crm.put(person(1), person(2), person(3, phone="call me maybe"))
    billing.trouble = overloaded
    desk.tick("customers")
    desk.do("look").shows("retrying")
    assert desk.states("customers") == {"c2": "retrying", "c3": "open"}
    billing.trouble = lambda call: None
    time.sleep(1.2)
    desk.retry_what_is_due("customers")
    assert set(billing.contacts) == {"c1", "c2"}
    assert desk.states("customers") == {"c2": "resolved", "c3": "open"}  # what is not transient waits for a person


def test_the_last_retry_that_fails_leaves_the_record_to_a_person(desk: Desk, crm: System, billing: System) -> None:
    desk.change_flow("errors: {strategy: retry, retry: {max: 2, delay: [1s]}}", "customers")
    desk.change_flow("destination: {batch_size: 1}", "customers")
    crm.put(person(1), person(2))
    billing.trouble = overloaded
    desk.tick("customers")
    for _ in range(2):
        time.sleep(1.2)
        desk.retry_what_is_due("customers")
    assert desk.states("customers") == {"c2": "open"}
    desk.do("attempts").shows("attempts")
    billing.trouble = lambda call: None
    desk.do("retry-attempts")
    assert set(billing.contacts) == {"c1", "c2"}
    assert desk.states("customers") == {"c2": "resolved"}


# --- review -----------------------------------------------------------------------------------------


def test_a_held_record_is_corrected_and_approved(desk: Desk, crm: System) -> None:
    desk.fix("review")
    crm.put(person(1), person(2, phone="call me maybe"))
    report = desk.tick()
    assert (report.run.held, report.run.failed) == (1, 0)
    desk.do("held").shows("held")
    desk.do("correct").shows("corrected")
    desk.do("approve")
    assert desk.rows()["c2"]["phone"] == "+14155552671"
    assert desk.states() == {"c2": "resolved"}


def test_a_correction_that_breaks_the_rules_of_the_target_is_refused(desk: Desk, crm: System) -> None:
    desk.fix("review")
    crm.put(person(1), person(2, phone="call me maybe"))
    desk.tick()
    said = desk.type("errors", "edit", "1", "--set", "phone=call me later").shows("correction-refused")
    assert said.code != 0
    assert desk.states() == {"c2": "held"}


def test_a_record_that_nobody_wants_is_discarded_with_a_reason(desk: Desk, crm: System) -> None:
    desk.fix("review")
    crm.put(person(1), person(2, phone="call me maybe"))
    desk.tick()
    desk.do("discard")
    assert desk.states() == {"c2": "discarded"}
    desk.do("show-discarded").shows("discarded")
    crm.change("c2", phone="(415) 555-2671")
    desk.tick()
    assert desk.rows()["c2"]["phone"] == "+14155552671"

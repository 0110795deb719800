"""`runs` and `show`."""

from __future__ import annotations

from pathlib import Path

from airflow_provider_flux.store import open_store
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import Run
from tests.unit.cli.conftest import Call


def test_runs_are_listed_with_their_losses(call: Call, runs: tuple[Run, Run]) -> None:
    said = call("runs")
    heading, failed, partial = said.out.splitlines()
    assert heading.split() == ["run", "flow", "trigger", "state", "started", "read", "written", "failed", "held"]
    assert failed.split()[:4] == ["2", "orders", "scheduled", "failed"]
    assert partial.split()[:4] == ["1", "contacts", "scheduled", "partial"]
    assert partial.split()[-4:] == ["10", "6", "3", "1"]
    assert (said.code, said.err) == (0, "")


def test_runs_of_one_flow_as_json(call: Call, runs: tuple[Run, Run]) -> None:
    said = call("runs", "contacts", "--json")
    assert [(run["flow"], run["state"], run["held"]) for run in said.json] == [("contacts", "partial", 1)]


def test_no_runs_is_said(call: Call) -> None:
    assert call("runs").out == "No runs yet.\n"
    assert call("runs", "--json").json == []


def test_a_flow_that_is_nowhere_is_wrong_use(call: Call) -> None:
    said = call("runs", "contcts")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("airflow-flux: there is no flow 'contcts' in ")


def test_a_run_is_found_by_number_and_by_run_id(call: Call, runs: tuple[Run, Run]) -> None:
    by_number = call("show", "1")
    by_id = call("show", "scheduled__1", "--flow", "contacts")
    assert by_number.out == by_id.out
    assert by_number.out.startswith("PARTIAL: run scheduled__1 of flow contacts\n")
    assert "10 read = 6 written + 0 skipped + 0 deduplicated + 3 failed + 1 held + 0 unsent" in by_number.out


def test_a_failed_run_begins_with_its_trace(call: Call, runs: tuple[Run, Run]) -> None:
    lines = call("show", "2").out.splitlines()
    assert lines[0].startswith("FAILED: ")
    assert lines[1].strip() == "failed in read: Authentication failed (AUTHENTICATION_FAILED)"


def test_show_as_json_holds_run_stages_and_groups(call: Call, runs: tuple[Run, Run]) -> None:
    report = call("show", "1", "--json").json
    assert report["run"]["run_id"] == "scheduled__1"
    assert [(group["count"], group["values"]["field"]) for group in report["groups"][:1]] == [(2, "phone")]


def test_a_run_id_of_several_flows_asks_for_the_flow(call: Call, runs: tuple[Run, Run]) -> None:
    said = call("show", "scheduled__1")
    assert said.code == 2
    assert "several flows have a run 'scheduled__1'; add one of --flow orders, --flow contacts" in said.err


def test_a_run_that_is_not_there(call: Call, runs: tuple[Run, Run]) -> None:
    said = call("show", "99", "--flow", "contacts")
    assert said.code == 2
    assert said.err == "airflow-flux: there is no run '99' of flow 'contacts'; `airflow-flux runs` lists them\n"
    assert call("show", "99", "--json").json["error"]["code"] == "USAGE"


def test_a_replay_that_has_not_begun_is_pending(call: Call, runs: tuple[Run, Run], tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'flux.db'}") as store:
        assert store.claim_errors("replay__9", ErrorFilter(flow="contacts", code="INVALID_FORMAT")) == 2
    assert call("show", "replay__9").out == (
        "PENDING: run replay__9 of flow contacts has not begun\n  2 records of earlier runs wait for it\n"
    )
    assert call("show", "replay__9", "--json").json == {
        "state": "pending",
        "waiting": [{"flow": "contacts", "run_id": "replay__9", "errors": 2}],
    }
    assert call("show", "replay__8").code == 2


def test_a_canceled_run_is_listed_and_shown(call: Call, runs: tuple[Run, Run], tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'flux.db'}") as store:
        run = store.start_run("contacts", "manual__3", "manual", "contacts")
        store.finish_run(run, state="canceled", counts={}, cursor_after=None, trace=None)
    assert call("runs").out.splitlines()[1].split()[:4] == ["3", "contacts", "manual", "canceled"]
    assert call("show", "3").out.startswith("CANCELED: run manual__3 of flow contacts\n")

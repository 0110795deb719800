"""What a person reads about a run: the trace first, then the numbers, then what became of its records."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.errors import FluxError, RecordError
from airflow_provider_flux.flow.models import Flow, FlowFile
from airflow_provider_flux.stages.chain import chain_of, newest
from airflow_provider_flux.stages.context import RunContext
from airflow_provider_flux.stages.health import note_calls
from airflow_provider_flux.stages.layout import WIDTH
from airflow_provider_flux.stages.report import run_report, trace_text
from airflow_provider_flux.stages.trace import facts_of, failure_text
from airflow_provider_flux.staging import open_staging
from airflow_provider_flux.store import Store, open_store
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import NewError, Outcome, Run, StageRow, Trace
from airflow_provider_flux.transport.tally import Tally

PHONE = RecordError(
    "INVALID_FORMAT", "'call me' is no phone number", "phone", "properties.phone", "phone_e164", "call me"
)
TAKEN = RecordError(
    "DUPLICATE_RECORD",
    "the destination refused the record (PUT /contacts/c-2, HTTP 409): there is one",
    "email",
    value="a@example.com",
    answer='{"error":{"code":"duplicate","message":"there is one"}}',
)
DOWN = RecordError("DESTINATION_OUTAGE", "the destination refused the record (HTTP 500): oops")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'flux.db'}") as store:
        yield store


def flow() -> FlowFile:
    """A flow that reads `shop` and writes `crm`."""
    rest = registry.get("rest")
    assert rest.source_options is not None and rest.destination_options is not None
    return FlowFile.model_construct(
        mapping="orders",
        source=rest.source_options.model_validate(
            {"connector": "rest", "connection": "shop", "path": "/orders", "key": "id"}
        ),
        destination=rest.destination_options.model_validate(
            {"connector": "rest", "connection": "crm", "path": "/orders/{key}", "key": "id"}
        ),
    )


def sealed(store: Store, run: Run, *stages: str) -> None:
    """Stages of a run that are done."""
    before: int | None = None
    for stage in stages:
        store.start_stage(run, stage, 0, before)
        store.seal_stage(run, stage, 0, records=10, batches=1, sha256="a" * 64)
        before = 0


def failed_in(store: Store, run: Run, stage: str, error: FluxError) -> Run:
    """The run, closed as failed in this stage."""
    store.start_stage(run, stage, 0, 0)
    store.fail_stage(run, stage, 0, error)
    counts, trace = {"read": 10, "unsent": 10}, Trace(stage, error)
    return store.finish_run(run, state="failed", counts=counts, cursor_after=None, trace=trace)


def lost(error: RecordError, ordinals: Sequence[int], **more: Any) -> list[NewError]:
    sent = json.dumps({"id": "c", "email": "a@example.com", "note": "N" * 500})
    return [NewError(number, f"c-{number}", None, error, '{"id": 1}', sent=sent, **more) for number in ordinals]


def partial(store: Store, errors: Sequence[NewError], failed: int, held: int = 0) -> Run:
    """A run of ten records that lost some of them while writing."""
    run = store.start_run("contacts", "r1", "scheduled", "contacts")
    sealed(store, run, "read", "transform", "write")
    store.ack(run, 0, 0, "a" * 64, [Outcome("failed", "X", 0, failed + held - 1)], list(errors), [], 2)
    counts = {"read": 10, "written": 10 - failed - held, "failed": failed, "held": held}
    return store.finish_run(run, state="partial", counts=counts, cursor_after=None, trace=None)


def text_of(store: Store, run: Run) -> str:
    text = trace_text(run_report(store, run, flow()))
    assert max(map(len, text.splitlines())) <= WIDTH
    return text


# --- failed runs --------------------------------------------------------------------------------


def test_a_run_that_failed_in_read_shows_the_health_of_its_source(store: Store) -> None:
    tally = Tally()
    tally.bad("auth", "GET /orders answered HTTP 401", "AUTHENTICATION_FAILED")
    note_calls(store, "shop", "rest", tally)
    run = store.start_run("orders", "r1", "scheduled", "orders")
    run = failed_in(store, run, "read", FluxError("AUTHENTICATION_FAILED", "shop said 401"))
    lines = text_of(store, run).splitlines()
    assert lines[:2] == [
        "FAILED: run r1 of flow orders",
        "  failed in read: Authentication failed (AUTHENTICATION_FAILED)",
    ]
    health = next(line for line in lines if line.startswith("  health "))
    assert health.startswith("  health    shop is degraded: auth x 1 since ")
    assert [line.split()[0] for line in lines if line.startswith("  ")][1:4] == ["what", "why", "next"]


def test_a_run_that_failed_in_transform_shows_the_rule(store: Store) -> None:
    run = store.start_run("contacts", "r1", "scheduled", "contacts@2")
    sealed(store, run, "read")
    store.start_stage(run, "transform", 0, 0)
    store.record_transform(run, 0, 0, [Outcome("failed", "INVALID_FORMAT", 0, 0)], lost(PHONE, [0]), 2)
    text = text_of(store, failed_in(store, run, "transform", FluxError("STOPPED_AT_FIRST_ERROR", "'c-0' failed")))
    assert "  rule      properties.phone -> phone, transform phone_e164, mapping contacts@2\n" in text
    assert "  record    c-0, value 'call me': 'call me' is no phone number\n" in text


def test_a_run_that_failed_in_write_shows_the_rejected_payload_and_the_answer(store: Store) -> None:
    run = store.start_run("contacts", "r1", "scheduled", "contacts")
    sealed(store, run, "read", "transform")
    store.start_stage(run, "write", 0, 0)
    store.ack(run, 0, 0, "a" * 64, [Outcome("failed", "X", 0, 0)], lost(TAKEN, [0]), [], 2)
    text = text_of(store, failed_in(store, run, "write", FluxError("STOPPED_AT_FIRST_ERROR", "no", answer="again")))
    assert "  rejected  record c-0, field email: the destination refused the record" in text
    assert '  sent      {"id": "c", "email": "a@example.com", "note": "NNN' in text
    assert "N" * 400 not in text.replace("\n", "").replace(" ", ""), "the payload is shortened"
    assert text.count("  answer ") == 1, "the answer is said once"
    assert '  answer    {"error": {"code": "duplicate", "message": "there is one"}}' in text


def test_an_outage_of_the_destination_shows_its_health_and_no_record_that_was_refused_before(store: Store) -> None:
    run = store.start_run("orders", "r1", "scheduled", "orders")
    sealed(store, run, "read", "transform")
    store.start_stage(run, "write", 0, 0)
    store.ack(run, 0, 0, "a" * 64, [Outcome("failed", "X", 0, 0)], lost(TAKEN, [0]), [], 2)
    text = text_of(store, failed_in(store, run, "write", FluxError("DESTINATION_OUTAGE", "5 batches in a row failed")))
    assert "  health    crm is pending: no call was made over it yet" in text
    assert "rejected" not in text


def test_without_a_flow_file_it_is_said_where_to_look(store: Store) -> None:
    run = store.start_run("orders", "r1", "scheduled", "orders")
    run = failed_in(store, run, "read", FluxError("SOURCE_OUTAGE", "shop said 500"))
    assert "Check the health of the source connection first: `airflow-flux connectors list`." in trace_text(
        run_report(store, run)
    )


@pytest.mark.parametrize("code", ["CONFIG_INVALID", "STAGING_FAILED", "STORE_VERSION"])
def test_no_system_is_blamed_for_our_own_trouble(store: Store, code: str) -> None:
    run = store.start_run("orders", "r1", "scheduled", "orders")
    text = text_of(store, failed_in(store, run, "read", FluxError(code, "no")))
    assert "health" not in text


def test_the_log_of_a_failing_task_ends_with_the_same_lines(store: Store, tmp_path: Path) -> None:
    orders, staging = Flow("orders", tmp_path, flow()), open_staging(str(tmp_path))
    ctx = RunContext(orders, "r1", "scheduled", store, staging, no_credentials, tmp_path)
    error = FluxError("SOURCE_OUTAGE", "shop said 500")
    report = run_report(store, failed_in(store, ctx.run(), "read", error), flow())
    said = failure_text("orders", "read", error, facts_of(ctx, "read", error)).splitlines()
    assert said[1:] == trace_text(report).splitlines()[1 : len(said)]
    assert said[-1] == "  health    shop is pending: no call was made over it yet"


def no_credentials(connection: str) -> Credentials:
    raise AssertionError("no connection is opened to write a report")


# --- partial runs -------------------------------------------------------------------------------


def test_a_partial_run_begins_with_its_numbers_the_commonest_error_and_the_commands(store: Store) -> None:
    run = partial(store, [*lost(TAKEN, [0, 1, 2]), *lost(DOWN, [3, 4])], failed=5)
    lines = text_of(store, run).splitlines()
    assert lines[:3] == [
        "PARTIAL: run r1 of flow contacts",
        "  5 of 10 records did not arrive: 5 failed",
        "  mostly    3 x Duplicate record in write: email (DUPLICATE_RECORD)",
    ]
    head = lines[: lines.index("")]
    assert "  look      airflow-flux errors list --run 1 --by code" in head
    assert "  retry     airflow-flux errors retry --run 1" in head
    assert any(line.startswith("  next      Use `mode: upsert`") for line in head)
    assert any(line.startswith("  rejected  record c-2, field email") for line in head)


def test_what_waits_and_what_needs_a_person_is_counted_apart(store: Store) -> None:
    waiting = lost(DOWN, [3, 4], state="retrying", due_in=timedelta(minutes=5))
    run = partial(store, [*lost(TAKEN, [0, 1, 2]), *waiting, *lost(TAKEN, [5], state="held")], failed=5, held=1)
    due = store.errors(ErrorFilter(state="retrying"))[0].due_at
    assert due is not None
    text = text_of(store, run)
    assert "6 of 10 records did not arrive: 5 failed, 1 held for a person" in text
    assert "  retry     airflow-flux errors retry --run 1\n  approve   airflow-flux errors approve --run 1\n" in text
    retry = f"2 waiting for the next automatic retry at {due[:10]} {due[11:16]} UTC"
    assert f"now 3 waiting for a person, {retry}, 1 held until a person decides" in " ".join(text.split())


def test_what_became_of_the_records_since_is_told(store: Store) -> None:
    run = partial(store, lost(TAKEN, [0, 1, 2, 3]), failed=4)
    ids = [error.id for error in store.errors(ErrorFilter(run=run))]
    store.discard([ids[0]], "not ours", "kim")
    assert store.claim_errors("replay__1", ErrorFilter(flow="contacts", ids=[ids[1]])) == 1
    text = " ".join(text_of(store, run).split())
    assert "now 2 waiting for a person, 1 given up by a person, 1 in a replay now" in text
    assert "errors retry --run 1" in text


def test_a_run_of_which_nothing_waits_any_more_asks_for_nothing(store: Store) -> None:
    run = partial(store, lost(TAKEN, [0, 1]), failed=2)
    store.discard([error.id for error in store.errors(ErrorFilter(run=run))], "not ours", "kim")
    head = text_of(store, run).split("\n\n")[0].splitlines()
    assert head[1:] == [
        "  2 of 10 records did not arrive: 2 failed",
        "  none of them waits any more: see `now` below",
    ]
    assert "now 2 given up by a person" in " ".join(text_of(store, run).split())


def test_a_run_that_lost_nothing_stays_short(store: Store) -> None:
    run = store.start_run("contacts", "r1", "scheduled", "contacts")
    sealed(store, run, "read", "transform", "write")
    run = store.finish_run(run, state="succeeded", counts={"read": 3, "written": 3}, cursor_after="7", trace=None)
    text = text_of(store, run)
    assert len(text.splitlines()) < 15
    assert not any(word in text for word in ("errors", "next", "now", "retry"))
    assert "  cursor    none -> 7" in text


def test_many_kinds_of_errors_are_not_all_printed(store: Store) -> None:
    errors = [
        error
        for number in range(14)
        for error in lost(RecordError("INVALID_FORMAT", "no", f"field_{number}"), [number])
    ]
    text = text_of(store, partial(store, errors, failed=9))
    assert text.count(" 1 x Invalid format") == 11  # ten in the list, one in the head
    assert "  and 4 more kinds: airflow-flux errors list --run 1 --by code --by field" in text


# --- runs under way -----------------------------------------------------------------------------


def test_a_run_that_has_not_begun_to_read_says_so(store: Store) -> None:
    text = text_of(store, store.start_run("contacts", "r1", "scheduled", "contacts"))
    assert text.splitlines()[:2] == ["RUNNING: run r1 of flow contacts", "  now       no stage has begun"]
    assert "not chosen yet" in text


def test_a_running_stage_says_how_far_it_is(store: Store) -> None:
    run = store.start_run("contacts", "r1", "scheduled", "contacts")
    sealed(store, run, "read")
    store.start_stage(run, "transform", 0, 0)
    store.start_stage(run, "transform", 0, 0)
    store.progress_stage(run, "transform", 0, 7, 1)
    now = text_of(store, run).splitlines()[1]
    assert now.startswith("  now       transform since ")
    assert now.endswith(", attempt 2: 7 records so far")


def test_between_two_stages_the_last_one_is_named(store: Store) -> None:
    run = store.start_run("contacts", "r1", "scheduled", "contacts")
    sealed(store, run, "read", "transform")
    assert "transform is done since " in text_of(store, run).splitlines()[1]


def test_a_failed_attempt_of_a_run_under_way_is_told_with_its_facts(store: Store) -> None:
    run = store.start_run("contacts", "r1", "scheduled", "contacts")
    store.start_stage(run, "read", 0)
    store.fail_stage(run, "read", 0, FluxError("SOURCE_OUTAGE", "shop said 500"))
    text = text_of(store, run)
    assert "failed in read: Source outage (SOURCE_OUTAGE)" in text
    assert "  health    shop is pending" in text
    assert "attempt 1 failed at " in text and "the run has not ended" in text


# --- facts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"replay_of": "r0"}, "  replay    the failed records of run r0"),
        (
            {"replay_what": "3 errors of code X", "replay_payload": "source", "requested_by": "kim"},
            "  replay    3 errors of code X, read anew from the source, asked for by kim",
        ),
        (
            {"replay_what": "1 error", "replay_payload": "stored", "requested_by": "lee"},
            "  replay    1 error, with their stored payload, asked for by lee",
        ),
    ],
)
def test_a_replay_says_which_records_in_which_form_and_for_whom(store: Store, more: dict[str, str], line: str) -> None:
    replay_of = more.pop("replay_of", None)
    run = store.start_run("contacts", "r1", "replay", "contacts", replay_of, **more)
    assert line in text_of(store, run).splitlines()


def test_only_the_newest_stages_that_belong_together_count() -> None:
    def stage(name: str, epoch: int, input_epoch: int | None = None) -> StageRow:
        return StageRow(
            epoch, 1, name, epoch, input_epoch, "sealed", 0, 0, None, None, 1, None, None, None, None, "2026", None
        )

    rows = [stage("read", 0), stage("transform", 0, 0), stage("write", 0, 0), stage("transform", 2, 0)]
    chain = chain_of(rows)
    assert (chain.read, chain.transform, chain.write) == (rows[0], rows[3], None)
    assert chain_of(rows, 1).write == rows[2]
    assert newest(rows, "transform", 1) == rows[1]
    assert chain_of([]).read is None

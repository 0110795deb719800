"""Asking a person about the records that a run holds: which they are, what they look like, what was decided."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_flux import dag_runs
from airflow_provider_flux.compat import AIRFLOW_V_3_1_PLUS
from airflow_provider_flux.errors import FluxError, preview
from airflow_provider_flux.operators.generic import why_not

if TYPE_CHECKING:
    from airflow_provider_flux.store import Store
    from airflow_provider_flux.store.rows import ErrorRow, Run

REVIEW = "flux_review"
APPROVE = "Approve"
DISCARD = "Discard"
LEAVE = "Decide one by one"

_SHOWN = 50
_LONGEST = 200
# What Markdown or HTML would make something of.
_MARKUP = str.maketrans({mark: f"&#{ord(mark)};" for mark in "&<>|`*_~[]()#\\!$"})


def ask(store: Store, run: Run, epoch: int, warn: Callable[..., Any]) -> None:
    """Start the review of what a run holds; on Airflow 2.11 and 3.0 people use the inbox alone.

    :param epoch: of the clear that the run is in; what a clear makes of the records is asked about anew
    :param warn: told in one message why nobody is asked
    """
    if not AIRFLOW_V_3_1_PLUS or not held_for_review(store, run):
        return
    run_id = dag_runs.joined_id(run.flow, run.run_id, *([str(epoch)] if epoch else []))
    conf = {"flow": run.flow, "run_id": run.run_id}
    trouble = why_not(REVIEW, lambda: dag_runs.start(REVIEW, run_id, conf))
    if trouble is not None:
        warn("Records are held for a person: see `airflow-flux errors list`. Airflow's DAG %s %s.", REVIEW, trouble)


def held_for_review(store: Store, run: Run) -> list[int]:
    """The errors of a run that its strategy holds for a person.

    Records of which nobody knows whether they arrived are not among them: the answer is in the destination.
    """
    from airflow_provider_flux.store.error_rows import HELD, HOLDING_CODES
    from airflow_provider_flux.store.filters import ErrorFilter

    held = ErrorFilter(run=run, state=HELD)
    codes = {group.values["code"] for group in store.error_groups(("code",), held)} - set(HOLDING_CODES)
    return sorted(number for code in codes for number in store.numbers(ErrorFilter(run=run, state=HELD, code=code)))


def question(store: Store, run: Run, numbers: list[int]) -> str:
    """What a person needs to decide, as Markdown: the first records with field, message and value."""
    from airflow_provider_flux.store.filters import ErrorFilter

    rows = store.errors(ErrorFilter(ids=numbers[:_SHOWN]))
    lines = [
        f"Run {_plain(run.run_id)} of flow {_plain(run.flow)} holds {_records(len(numbers))} for you.",
        "",
        "| error | record | field | what is wrong | value |",
        "|---|---|---|---|---|",
        *(_line(row) for row in rows),
        "",
    ]
    if len(numbers) > len(rows):
        lines += [f"... and {len(numbers) - len(rows)} more.", ""]
    return "\n".join(
        [
            *lines,
            f"**{APPROVE}**: they are delivered as they are, in a run of their own. "
            f"**{DISCARD}**: they are given up, with your reason. "
            f"**{LEAVE}**: they stay in the inbox, where each can be corrected first "
            "(airflow-flux errors edit, approve, discard).",
        ]
    )


def decide(store: Store, include: Path, run: Run, option: str, reason: str, by: str) -> str:
    """Do what the person chose with what the run still holds.

    :param reason: why the records are discarded
    :param by: who chose
    :return: what was done, in a sentence
    :raises FluxError: when the replay of what was approved cannot be started
    """
    from airflow_provider_flux.inbox.retry import queue
    from airflow_provider_flux.inbox.review import approve, discard
    from airflow_provider_flux.store.error_rows import APPROVED
    from airflow_provider_flux.store.filters import ErrorFilter

    if option == LEAVE:
        return "The records stay in the inbox."
    held = held_for_review(store, run)
    if held and option == DISCARD:
        return f"{_records(discard(store, held, reason.strip() or 'no reason given', by))} discarded by {by}."
    if held:
        queued = approve(store, include, ErrorFilter(ids=held), by=by, start=start_replay)
    elif option == APPROVE and (left := store.numbers(ErrorFilter(run=run, state=APPROVED))):
        # Approved by an earlier try of this task, which could not start their replay.
        queued = queue(store, include, ErrorFilter(ids=left), by=by, start=start_replay)
    else:
        return "Nothing is held any more: somebody decided meanwhile."
    return "; ".join(f"{_records(one.records)} approved by {by}: run {one.run_id}" for one in queued)


def start_replay(flow: str, run_id: str, conf: dict[str, Any]) -> None:
    """`inbox.retry.Start` inside a task of Airflow.

    :raises FluxError: CONFIG_INVALID
    """
    try:
        dag_runs.start(flow, run_id, conf)
    except dag_runs.DagRunRefused as refusal:
        raise FluxError(
            "CONFIG_INVALID",
            f"Airflow did not start a run of '{flow}': {refusal}",
            next_step="See whether Airflow knows this DAG (`airflow dags list`), then clear this task.",
        ) from None


def who(answer: Any) -> str:
    """Name of the person who answered, as Airflow knows it."""
    user = answer.get("responded_by_user") or {}
    return str(user.get("name") or user.get("id") or "somebody in Airflow")


def _line(row: ErrorRow) -> str:
    where = row.field or row.source_path or ""
    cells = (str(row.id), row.source_key or "(no key)", where, row.message, row.value or "")
    return f"| {' | '.join(_plain(cell) for cell in cells)} |"


def _plain(text: str) -> str:
    """The text as one short line that shows as it is."""
    return preview(" ".join(text.split()), _LONGEST).translate(_MARKUP)


def _records(count: int) -> str:
    return f"{count} record" if count == 1 else f"{count} records"

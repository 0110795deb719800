"""The first lines about a run: what went wrong in which stage, and what to do next.

The same lines end the log of a task that failed.
"""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_flux.errors import CATALOGUE, Category, FluxError, Stage
from airflow_provider_flux.flow.models import FlowFile
from airflow_provider_flux.stages.context import RunContext
from airflow_provider_flux.stages.health import health_line
from airflow_provider_flux.stages.layout import raw, row
from airflow_provider_flux.store import Store
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import ErrorGroup, ErrorRow, Run

GROUP_BY = ("code", "stage", "field", "source_path", "transform")
"""Errors that share these are one trouble with one cause."""

COUNTED = ("open", "retrying", "held", "approved", "resolved", "discarded")
"""States of the errors that stand for a record of their run; a superseded one was taken back or tried again."""

_LOOK = {
    "read": "Check the health of the source connection first: `airflow-flux connectors list`.",
    "transform": "A mapping rule fails: `airflow-flux check` and `airflow-flux test FLOW` show it.",
    "write": "The destination refused or could not be reached: see its answer below.",
    "settle": "Keep the run as it is and report it; the cursor has not moved.",
}
"""Where to look in each stage, where nothing more exact is known."""


def failure_text(flow_id: str, stage: str, error: FluxError, facts: Sequence[str] = ()) -> str:
    """What happened, why, and what to do next: the end of a failed task's log.

    :param facts: lines of `stage_facts`
    """
    lines = failure_lines(stage, error.code, error.message, error.next_step, error.answer, facts)
    return "\n".join([f"{stage} of flow {flow_id} did not finish", *lines])


def failure_lines(
    stage: str, code: str, message: str, next_step: str, answer: str | None = None, facts: Sequence[str] = ()
) -> list[str]:
    """The trace: which stage, what happened, why, and what to do next.

    :param facts: lines of `stage_facts`; without any, where to look instead
    """
    known = CATALOGUE[code]
    lines = [
        f"  failed in {stage}: {known.title} ({code})",
        *row("what", message),
        *row("why", known.cause),
        *row("next", next_step),
    ]
    if facts:
        lines += facts
    elif _of_a_system(code):
        lines += row("", _LOOK[stage])
    if answer and not any(line.startswith("  answer ") for line in facts):
        lines += raw("answer", answer, limit=500)
    return lines


def stage_facts(store: Store, run: Run, stage: str, code: str, flow: FlowFile | None) -> list[str]:
    """What is known about the cause in this stage: the health of a connection, the failing rule, the rejected record.

    :param flow: what the flow file says, if it can be read
    """
    category = CATALOGUE[code].category
    if category in (Category.DATA, Category.MAPPING) and stage in (Stage.TRANSFORM, Stage.WRITE):
        example = _last_error(store, run, stage, code)
        return [] if example is None else record_facts(example)
    asked = stage == Stage.READ or (stage == Stage.WRITE and category is Category.CONNECTION)
    if flow is None or not asked or not _of_a_system(code):
        return []
    options = flow.source if stage == Stage.READ else flow.destination
    return row("health", health_line(store, options.connection))


def facts_of(ctx: RunContext, stage: str, error: FluxError) -> list[str]:
    """`stage_facts` for the log of a task that fails; nothing where the store cannot be asked."""
    try:
        return stage_facts(ctx.store, ctx.run(), stage, error.code, ctx.flow.file)
    except FluxError:
        return []  # the store itself is the trouble, and the error says so


def record_facts(error: ErrorRow) -> list[str]:
    """One error as an example of its kind: the rule that failed, or the record as it was sent and what was answered."""
    if error.stage == Stage.WRITE:
        where = f", field {error.field}" if error.field else ""
        lines = row("rejected", f"record {error.source_key or '(no key)'}{where}: {error.message}")
        lines += raw("sent", error.sent) if error.sent else []
        return lines + (raw("answer", error.answer) if error.answer else [])
    lines = row("rule", rule_of(error)) if error.source_path or error.field else []
    value = f", value {error.value!r}" if error.value is not None else ""
    return lines + row("record", f"{error.source_key or '(no key)'}{value}: {error.message}")


def partial_lines(run: Run, groups: Sequence[ErrorGroup], *, waiting: bool) -> list[str]:
    """The head of a partial run: how much is missing, the commonest reason, and the commands to type.

    :param waiting: whether any of the errors still waits for something
    """
    numbers = [(run.failed or 0, "failed"), (run.held or 0, "held for a person")]
    parts = ", ".join(f"{number} {what}" for number, what in numbers if number)
    lines = [f"  {sum(number for number, _ in numbers)} of {run.read} records did not arrive: {parts}"]
    if not waiting:
        return [*lines, "  none of them waits any more: see `now` below"]
    if groups:
        commonest, known = groups[0], CATALOGUE[groups[0].values["code"]]
        example = commonest.example
        where = example.field or example.source_path or "the record"
        lines += row("mostly", f"{commonest.count} x {known.title} in {example.stage}: {where} ({known.code})")
        lines += row("why", known.cause)
        lines += row("next", known.solution)
        lines += record_facts(example)
    lines += row("look", f"airflow-flux errors list --run {run.id} --by code")
    if run.failed:
        lines += row("retry", f"airflow-flux errors retry --run {run.id}")
    if run.held:
        lines += row("approve", f"airflow-flux errors approve --run {run.id}")
    return lines


def _last_error(store: Store, run: Run, stage: str, code: str) -> ErrorRow | None:
    """The newest error of a stage, of this code; of any, where the code says that one of them stopped the run."""
    of_code = None if code == "STOPPED_AT_FIRST_ERROR" else code
    groups = store.error_groups(GROUP_BY, ErrorFilter(run=run, state=COUNTED, code=of_code))
    found = [group.example for group in groups if group.example.stage == stage]
    return max(found, key=lambda error: error.id, default=None)


def rule_of(error: ErrorRow) -> str:
    """The mapping rule behind an error: from where, to where, by which transform, in which version."""
    source = error.source_path or "(an expression or a constant)"
    target = f" -> {error.field}" if error.field else ""
    transform = f", transform {error.transform}" if error.transform else ""
    version = f"@{error.mapping_version}" if error.mapping_version is not None else ""
    mapping = f", mapping {error.mapping}{version}" if error.mapping else ""
    return f"{source}{target}{transform}{mapping}"


def _of_a_system(code: str) -> bool:
    """Whether another system, or data, has to do with it: a bad file or a full disk has not."""
    return code != "CONFIG_INVALID" and CATALOGUE[code].category is not Category.INTERNAL

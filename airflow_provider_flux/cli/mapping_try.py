"""`mapping try`: a version on what failed and on good records, before it is promoted."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from airflow_provider_flux import settings
from airflow_provider_flux.cli.mapping import expect_mapping
from airflow_provider_flux.cli.output import Output
from airflow_provider_flux.cli.place import the_store
from airflow_provider_flux.cli.values import UsageError, counted
from airflow_provider_flux.errors import CATALOGUE

if TYPE_CHECKING:
    from airflow_provider_flux.stages.trial import Cause, Trial

_MOST = 10


def try_version(arguments: Namespace, out: Output) -> int:
    """Print what a version would clear, break and change; 1 when it would break a good record."""
    from airflow_provider_flux.stages.trial import try_version as try_now
    from airflow_provider_flux.staging import open_staging

    here = settings.load()
    with the_store() as store:
        known = expect_mapping(store, arguments.name)
        version = arguments.version or max(known.all)
        if version not in known.all:
            there = ", ".join(map(str, known.all))
            raise UsageError(f"mapping '{known.name}' has no version {version}; there are {there}")
        trial = try_now(
            store, open_staging(here.staging), here.include, known.name, version, sample=arguments.sample
        )
    if out.json:
        out.data(trial)
    else:
        _print(trial, known.active, out)
    return 1 if trial.newly_broken else 0


def _print(trial: Trial, active: int | None, out: Output) -> None:
    label = f"{trial.mapping}@{trial.version}"
    out.line(
        f"{label} would clear {len(trial.cleared)} of {counted(trial.failed, 'failed record')}, and newly break "
        f"{trial.newly_broken} of {counted(trial.good, 'good one')} (against {trial.against})."
    )
    if trial.sent_otherwise:
        refused = counted(trial.sent_otherwise, "record")
        out.line(f"  {refused} that the destination refused would be sent otherwise: only it can tell.")
    if trial.refused:
        out.line(f"  {counted(trial.refused, 'record')} that the destination refused would be sent as before.")
    if trial.unreadable:
        out.line(f"  {counted(trial.unreadable, 'record')} could not be read, or the payload is gone.")
    _print_causes("Newly broken:", trial.broken, out)
    _print_causes("Still failing:", trial.still, out)
    if trial.changes:
        out.line(f"{counted(trial.changed, 'good record')} would come out differently:")
        rows = [(one.flow, one.field, one.records, one.before, one.after, one.key) for one in trial.changes[:_MOST]]
        out.table(("flow", "field", "#records", "before", "after", "for example"), rows)
    if not trial.good:
        out.line("No good record to compare with: no run of the last ones is still staged.")
    if trial.version != active and not trial.newly_broken:
        out.line(f"To make it the active version: airflow-flux mapping promote {trial.mapping} {trial.version}")


def _print_causes(heading: str, causes: list[Cause], out: Output) -> None:
    if not causes:
        return
    out.line(heading)
    for one in causes[:_MOST]:
        title = CATALOGUE[one.code].title
        where = f" at {one.field}" if one.field else ""
        example = f", for example {one.example}" if one.example else ""
        out.line(f"{one.records:>6} x {title} ({one.code}){where} in {one.flow}{example}: {one.message}")
    if len(causes) > _MOST:
        out.line(f"       and {len(causes) - _MOST} other causes (--json has all)")

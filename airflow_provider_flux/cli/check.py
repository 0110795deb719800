"""`check` and `schema`."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_flux import settings
from airflow_provider_flux.cli.output import Output
from airflow_provider_flux.cli.place import find_credentials, pool_names, the_store
from airflow_provider_flux.cli.values import UsageError, counted

if TYPE_CHECKING:
    from airflow_provider_flux.flow.check import Checked, CheckReport
    from airflow_provider_flux.stages.online import OnlineReport


def check(arguments: Namespace, out: Output) -> int:
    """Print every problem of the files with its place; 1 if there is one."""
    from airflow_provider_flux.flow.check import examine
    from airflow_provider_flux.flow.library import in_order

    paths = [Path(path) for path in arguments.paths]
    for path in paths:
        if not path.exists():
            raise UsageError(f"there is no file or folder '{path}'")
    include = settings.load().include
    checked = examine(include, paths, _active_versions(include) if arguments.online else None)
    report = checked.report
    silent: tuple[str, ...] = ()
    if arguments.online:
        online = _online(checked, out)
        problems = in_order([*report.problems, *online.problems])
        warnings = in_order([*report.warnings, *online.warnings])
        report = replace(report, problems=tuple(problems), warnings=tuple(warnings))
        silent = tuple(sorted(online.silent))
    if out.json:
        out.data(report)
    else:
        _print(report, out)
    for connection in silent:
        out.note(f"{connection} answers, but does not describe its fields: they were not compared")
    return 1 if report.problems else 0


def _print(report: CheckReport, out: Output) -> None:
    for problem in report.problems:
        out.line(str(problem))
    for warning in report.warnings:
        out.line(f"warning: {warning}")
    valid = f"{counted(len(report.flows), 'valid flow')}, {counted(len(report.mappings), 'valid mapping')}"
    out.line(f"{valid}, {counted(len(report.problems), 'problem')}, {counted(len(report.warnings), 'warning')}")


def _active_versions(include: Path) -> dict[str, int]:
    """What runs, which only the store knows; a check of the files alone needs none."""
    from airflow_provider_flux.stages.versions import active_versions

    with the_store() as store:
        return active_versions(store, include)


def _online(checked: Checked, out: Output) -> OnlineReport:
    """What the systems of the valid flows say."""
    from airflow_provider_flux.stages.online import check_online

    with the_store() as store, out.progress("flows") as report:
        return check_online(checked.flows, checked.library, store, find_credentials, pool_names, report)


def schema(arguments: Namespace, out: Output) -> int:
    """Print a JSON Schema."""
    from airflow_provider_flux.flow.schema import flow_schema, mapping_schema

    out.data(flow_schema() if arguments.kind == "flow" else mapping_schema())
    return 0

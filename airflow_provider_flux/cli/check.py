"""`check` and `schema`."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from airflow_provider_flux import settings
from airflow_provider_flux.cli.output import Output
from airflow_provider_flux.cli.values import UsageError, counted


def check(arguments: Namespace, out: Output) -> int:
    """Print every problem of the files with its place; 1 if there is one."""
    from airflow_provider_flux.flow.check import check as check_files

    paths = [Path(path) for path in arguments.paths]
    for path in paths:
        if not path.exists():
            raise UsageError(f"there is no file or folder '{path}'")
    report = check_files(settings.load().include, paths)
    if out.json:
        out.data(report)
        return 1 if report.problems else 0
    for problem in report.problems:
        out.line(str(problem))
    for warning in report.warnings:
        out.line(f"warning: {warning}")
    valid = f"{counted(len(report.flows), 'valid flow')}, {counted(len(report.mappings), 'valid mapping')}"
    out.line(f"{valid}, {counted(len(report.problems), 'problem')}, {counted(len(report.warnings), 'warning')}")
    return 1 if report.problems else 0


def schema(arguments: Namespace, out: Output) -> int:
    """Print a JSON Schema."""
    from airflow_provider_flux.flow.schema import flow_schema, mapping_schema

    out.data(flow_schema() if arguments.kind == "flow" else mapping_schema())
    return 0

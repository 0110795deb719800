"""`test`: a small sample through a flow, to look at."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from airflow_provider_flux import settings
from airflow_provider_flux.cli.output import Output, plain
from airflow_provider_flux.cli.place import credentials_for, find_flow, the_store
from airflow_provider_flux.cli.values import counted
from airflow_provider_flux.errors import CATALOGUE, preview

if TYPE_CHECKING:
    from airflow_provider_flux.stages.testsync import Sample, TestReport

_SOURCE = 500  # characters of a source record that are shown; `--json` has all of it


def test(arguments: Namespace, out: Output) -> int:
    """Print each record of the sample and what became of it; 1 if one failed."""
    from airflow_provider_flux.stages.sharing import shared
    from airflow_provider_flux.stages.testsync import test_sync
    from airflow_provider_flux.stages.versions import resolve

    flow = find_flow(arguments.flow)
    find = credentials_for(flow)
    # Nothing is recorded there, but a token that is renewed must be kept for the tasks.
    with the_store() as store:
        mapping = resolve(store, settings.load().include, flow)
        report = test_sync(
            store, flow, mapping, lambda name: shared(find(name), store), arguments.limit, write=arguments.write
        )
    if out.json:
        out.data(report)
    else:
        _print(report, out)
    return 1 if any(sample.errors for sample in report.samples) else 0


def _print(report: TestReport, out: Output) -> None:
    for sample in report.samples:
        out.line(f"{sample.key or '(no key)'}: {sample.fate}")
        out.line(f"    source: {preview(_text(sample.source), _SOURCE)}")
        if sample.errors:
            _print_errors(sample, out)
        elif sample.mapped is not None:
            for target, value in sample.mapped.items():
                out.line(f"    {target} = {_text(value)}")
            if sample.would is not None:
                out.line(f"    would: {sample.would.effect} ({sample.would.why})")
    fates = [sample.fate for sample in report.samples]
    effects = [sample.would.effect for sample in report.samples if sample.would is not None]
    became = ", ".join(f"{fates.count(fate)} {fate}" for fate in dict.fromkeys(fates))
    would = ", ".join(f"{effects.count(effect)} {effect}" for effect in dict.fromkeys(effects))
    if would:
        out.line(f"The destination would: {would}")
    wrote = "" if report.wrote else "; nothing was written"
    out.line(f"{counted(len(fates), 'record')} through {report.mapping}: {became or 'nothing to read'}{wrote}")


def _print_errors(sample: Sample, out: Output) -> None:
    for error in sample.errors:
        row = CATALOGUE[error.code]
        where = " -> ".join(part for part in (error.source_path, error.field) if part)
        out.line(f"    {row.title} ({error.code}){': ' + where if where else ''}: {error.message}")
        out.line(f"    next: {row.solution}")


def _text(value: Any) -> str:
    return json.dumps(plain(value), ensure_ascii=False)

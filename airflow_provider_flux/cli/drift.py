"""`drift`: what changed in the sources since the mappings were promoted, and which rules that touches."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from airflow_provider_flux import settings
from airflow_provider_flux.cli.output import Output
from airflow_provider_flux.cli.place import find_credentials, find_flow, the_store
from airflow_provider_flux.cli.values import moment
from airflow_provider_flux.errors import ConfigError, FluxError

if TYPE_CHECKING:
    from airflow_provider_flux.connectors.declare import Description
    from airflow_provider_flux.flow.models import Flow
    from airflow_provider_flux.stages.shapes import Drifted
    from airflow_provider_flux.store import Store


def drift(arguments: Namespace, out: Output) -> int:
    """Print the changes of each flow's source; 1 when one breaks a rule."""
    from airflow_provider_flux.stages.shapes import drift_of

    flows = [find_flow(arguments.flow)] if arguments.flow else _flows(out)
    found: list[Drifted] = []
    with the_store() as store:
        for flow in flows:
            try:
                described = _described(store, flow, out) if arguments.online else None
                found.append(drift_of(store, settings.load().include, flow, described))
            except ConfigError as error:
                out.note(f"{flow.id} is left out: {error}")
    breaks = any(rule.breaks for one in found for change in one.changes for rule in change.rules)
    if out.json:
        out.data(found)
    else:
        for one in found:
            _print(one, out)
    return 1 if breaks else 0


def _flows(out: Output) -> list[Flow]:
    from airflow_provider_flux.flow.loader import load_flows

    flows, problems = load_flows(settings.load().include)
    if problems:
        out.note(f"{len(problems)} problems in flow files: flows that are not valid are left out (airflow-flux check)")
    if not flows:
        out.line("No flows yet.")
    return flows


def _described(store: Store, flow: Flow, out: Output) -> Description | None:
    """What the flow's source says of its object; None, with a remark, where it does not."""
    from airflow_provider_flux.connectors import registry
    from airflow_provider_flux.stages.describe import describe

    options = flow.file.source
    conn_type = registry.get(options.connector).conn_type
    try:
        found = describe(
            store,
            options.connection,
            options.connector,
            lambda: find_credentials(options.connection, conn_type),
            options,
        )
    except FluxError as error:
        out.note(f"{flow.id}: {error.message}. {error.next_step}")
        return None
    if found is None:
        out.note(f"{flow.id}: connection '{options.connection}' does not describe its fields")
    return found


def _print(one: Drifted, out: Output) -> None:
    if (one.observed is None or one.since is None) and not one.changes:
        out.line(f"{one.flow}: no run has read its source yet.")
        return
    compared = "as it describes itself"
    if one.observed is not None and one.since is not None:
        compared = f"read {moment(one.observed)}, compared with {moment(one.since)}"
    if not one.changes:
        out.line(f"{one.flow}: its source over connection '{one.connection}' is as it was ({compared}).")
        return
    out.line(f"{one.flow}: its source over connection '{one.connection}' has changed ({compared}):")
    for change in one.changes:
        example = f", for example {change.example}" if change.example else ""
        out.line(f"  {change}{example}")
        for rule in change.rules:
            verdict = "breaks" if rule.breaks else "is touched"
            out.line(f"    rule {rule.path} -> {rule.target} of {one.mapping} {verdict}: {rule.why}")
    if any(change.rules for change in one.changes):
        name = one.mapping.partition("@")[0]
        out.line(f"  next      Write a version that handles both shapes, and try it: airflow-flux mapping try {name}")

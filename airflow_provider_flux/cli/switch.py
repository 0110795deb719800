"""`connectors verify`, `connectors disable` and `connectors enable`."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from airflow_provider_flux.cli.connectors import Use, expect_connection, find_use, used_connections
from airflow_provider_flux.cli.output import Output
from airflow_provider_flux.cli.place import find_credentials, the_store
from airflow_provider_flux.cli.selection import person
from airflow_provider_flux.cli.values import UsageError

if TYPE_CHECKING:
    from airflow_provider_flux.stages.verify import Verified


def verify(arguments: Namespace, out: Output) -> int:
    """Make one call over a connection; 1 when it is refused."""
    from airflow_provider_flux.connectors import registry
    from airflow_provider_flux.stages.verify import verify as verify_now

    uses = used_connections(out)
    with the_store() as store:
        name, use = find_use(store, uses, arguments.connection)
        conn_type = registry.get(use.connector).conn_type
        found = verify_now(store, name, use.connector, lambda: find_credentials(name, conn_type), use.options)
    if out.json:
        out.data(found)
        return 0 if found.passed else 1
    return print_verified(found, use.flows, out)


def print_verified(found: Verified, flows: list[str], out: Output) -> int:
    """Print what a verify found, and what becomes of the flows; the exit code."""
    name = found.connection
    out.line(f"{name}: {found.answer}" if found.passed else f"{name}: failed ({found.kind})")
    if not found.passed:
        out.line(f"  what      {found.answer}")
    for place, line in enumerate(found.advice):
        out.line(f"  {'' if place else 'next':<9} {line}")
    out.line(_outlook(found.state, name, flows))
    return 0 if found.passed else 1


def disable(arguments: Namespace, out: Output) -> int:
    """Switch a connection off."""
    if not arguments.reason.strip():
        raise UsageError("say with --reason why; it is shown to whoever finds the connection switched off")
    uses = used_connections(out)
    with the_store() as store:
        row = expect_connection(store, uses, arguments.connection)
        store.disable_connection(row.connection, row.connector, person(arguments.by), arguments.reason.strip())
    flows = sorted(uses.get(row.connection, Use(row.connector)).flows)
    if out.json:
        out.data({"connection": row.connection, "state": "disabled", "flows": flows})
        return 0
    out.line(f"{row.connection} is disabled: no run calls it.")
    if flows:
        out.line(f"Until it is enabled these flows fail in the stage that needs it: {', '.join(flows)}")
    return 0


def enable(arguments: Namespace, out: Output) -> int:
    """Switch a connection on again."""
    uses = used_connections(out)
    with the_store() as store:
        row = expect_connection(store, uses, arguments.connection)
        changed = store.enable_connection(row.connection)
        state = getattr(store.connection(row.connection), "state", "pending")
    if out.json:
        out.data({"connection": row.connection, "state": state, "changed": changed})
        return 0
    if not changed:
        out.line(f"{row.connection} was not disabled.")
    out.line(_outlook(state, row.connection, uses.get(row.connection, Use(row.connector)).flows))
    return 0


def _outlook(state: str, connection: str, flows: list[str]) -> str:
    resumed = f"its flows go on with their next tick: {', '.join(sorted(flows))}" if flows else "no flow uses it"
    if state == "disabled":
        return f"{connection} stays disabled until `airflow-flux connectors enable {connection}`."
    if state == "degraded":
        return f"{connection} is degraded; its flows keep trying, and one good call makes it active."
    return f"{connection} is {state}; {resumed}."

"""Where a command works: the settings, the flow files, the store and the connections."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib.util import find_spec
from typing import TYPE_CHECKING

from airflow_provider_flux import settings
from airflow_provider_flux.cli.values import UsageError, did_you_mean
from airflow_provider_flux.connectors.credentials import Credentials, env_name, from_environment
from airflow_provider_flux.errors import FluxError

if TYPE_CHECKING:
    from airflow_provider_flux.flow.models import Flow
    from airflow_provider_flux.store import Store
    from airflow_provider_flux.store.rows import Run


def find_flow(flow_id: str) -> Flow:
    """The flow of that id.

    :raises UsageError: when there is no such file
    :raises ConfigError: when the file, its mapping or its connector file is not valid
    """
    from airflow_provider_flux.flow.loader import load_flow

    expect_flow(flow_id)
    return load_flow(settings.load().include, flow_id)


def expect_flow(flow_id: str) -> None:
    """:raises UsageError: when there is no flow file of that name"""
    from airflow_provider_flux.flow.loader import flow_ids

    include = settings.load().include
    known = flow_ids(include)
    if flow_id not in known:
        hint = did_you_mean(flow_id, known) or (f"; there are {', '.join(known)}" if known else "")
        raise UsageError(f"there is no flow '{flow_id}' in {include / 'flows'}{hint}")


def the_store() -> Store:
    """The store of the settings, for a `with` block."""
    from airflow_provider_flux.store import open_store

    return open_store(settings.load().store)


def find_run(store: Store, text: str, flow: str | None) -> Run:
    """The run of that number or run id.

    :raises UsageError: when there is none, or several flows have one
    """
    found = store.find_run(text, flow)
    if not found:
        of_flow = f" of flow '{flow}'" if flow else ""
        raise UsageError(f"there is no run '{text}'{of_flow}; `airflow-flux runs` lists them")
    if len(found) > 1:
        flows = ", ".join(f"--flow {run.flow}" for run in found)
        raise UsageError(f"several flows have a run '{text}'; add one of {flows}, or give the run's number")
    return found[0]


def credentials_for(flow: Flow) -> Callable[[str], Credentials]:
    """Finds the connections of a flow: environment variables first, then Airflow, which takes seconds to import."""
    from airflow_provider_flux.connectors import registry

    options = (flow.file.source, flow.file.destination)
    types = {option.connection: registry.get(option.connector).conn_type for option in options}
    return lambda conn_id: find_credentials(conn_id, types[conn_id])


def find_credentials(conn_id: str, conn_type: str) -> Credentials:
    """The fields of a connection: from an environment variable, else from Airflow.

    :param conn_type: what the connection should be, for messages
    :raises FluxError: CONNECTION_INVALID
    """
    found = from_environment(conn_id)
    if found is not None:
        return found
    if find_spec("airflow") is None:
        raise _missing(conn_id, conn_type, "the environment has no such variable, and Airflow is not installed")
    # Airflow logs to standard output, which belongs to the command's own answer.
    with redirect_stdout(sys.stderr):
        from airflow_provider_flux.hooks.connections import credentials

        try:
            return credentials(conn_id)
        except FluxError as error:
            raise _missing(conn_id, conn_type, error.message) from error


def pool_names() -> frozenset[str] | None:
    """The pools of Airflow; None where Airflow is not installed.

    :raises FluxError: CONFIG_INVALID when Airflow's database cannot be read
    """
    if find_spec("airflow") is None:
        return None
    with redirect_stdout(sys.stderr):
        from airflow_provider_flux.hooks.pools import pool_names

        return pool_names()


def _missing(conn_id: str, conn_type: str, why: str) -> FluxError:
    example = json.dumps({"conn_type": conn_type, "host": "...", "login": "...", "password": "..."})
    return FluxError(
        "CONNECTION_INVALID",
        f"connection '{conn_id}' cannot be used: {why}",
        next_step=f"Create it in Airflow (Admin, Connections), or: export {env_name(conn_id)}='{example}'",
    )

"""Airflow connections as the credentials that connectors understand."""

from __future__ import annotations

import json
import sys
from typing import Any
from urllib.parse import urlsplit

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook, mask_secret

from airflow_provider_flux.compat import AIRFLOW_V_3_0_PLUS
from airflow_provider_flux.connectors.credentials import Credentials, env_name
from airflow_provider_flux.errors import FluxError


def credentials(conn_id: str) -> Credentials:
    """The connection of that id, in a task as well as on the command line. Its secrets are masked in logs from now on.

    :raises FluxError: CONNECTION_INVALID when there is none or its extra field is not a JSON object
    """
    try:
        connection = _find(conn_id)
    except AirflowNotFoundException:
        raise FluxError(
            "CONNECTION_INVALID",
            f"connection '{conn_id}' does not exist",
            next_step=f"Create the Airflow connection '{conn_id}' (Admin, Connections), or set {env_name(conn_id)}.",
        ) from None
    return from_connection(connection)


def from_connection(connection: Any) -> Credentials:
    """An Airflow `Connection` as plain data.

    :raises FluxError: CONNECTION_INVALID when the extra field is not a JSON object
    """
    extra = _extra(connection)
    mask_secret(_underscored(extra))
    urls = _passwords_in_urls(connection.host, *extra.values())
    for secret in (connection.password, *urls, *_lines_of_keys(extra)):
        if secret:
            mask_secret(secret)
    return Credentials(
        conn_id=connection.conn_id,
        conn_type=connection.conn_type or "",
        host=connection.host or None,
        port=connection.port,
        login=connection.login or None,
        password=connection.password or None,
        schema=connection.schema or None,
        extra=extra,
    )


def _extra(connection: Any) -> dict[str, Any]:
    try:
        extra = json.loads(connection.extra or "{}")
    except ValueError:
        extra = None
    if isinstance(extra, dict):
        # A field that was left empty in the form is no answer to what it asks.
        return {name: value for name, value in extra.items() if value not in (None, "")}
    # The value is not shown: it may hold a secret.
    raise FluxError(
        "CONNECTION_INVALID",
        f"connection '{connection.conn_id}': field 'extra' is not a JSON object",
        next_step=f"Correct the field 'extra' of the Airflow connection '{connection.conn_id}'.",
    )


def _underscored(value: Any) -> Any:
    """Headers by the names that Airflow's masker knows: it takes `api_key` for a secret, but not `X-Api-Key`."""
    if isinstance(value, dict):
        return {name.replace("-", "_"): _underscored(inner) for name, inner in value.items()}
    return value


def _passwords_in_urls(*values: Any) -> list[str | None]:
    urls = [value for value in values if isinstance(value, str) and "://" in value]
    return [urlsplit(url).password for url in urls]


def _lines_of_keys(extra: dict[str, Any]) -> list[str]:
    """The lines of private keys: whoever prints one escapes its line breaks, and it is no longer the text that Airflow
    masks."""
    keys = [value for value in extra.values() if isinstance(value, str) and "PRIVATE KEY-----" in value]
    lines = [line.strip() for key in keys for line in key.replace("\\n", "\n").split("\n")]
    return [line for line in lines if line and not line.startswith("-----")]


def _find(conn_id: str) -> Any:
    if AIRFLOW_V_3_0_PLUS and not _in_task():
        # Outside a task the SDK does not look into Airflow's own database.
        from airflow.models.connection import Connection

        return Connection.get_connection_from_secrets(conn_id)
    return BaseHook.get_connection(conn_id)


def _in_task() -> bool:
    runner = sys.modules.get("airflow.sdk.execution_time.task_runner")
    return getattr(runner, "SUPERVISOR_COMMS", None) is not None

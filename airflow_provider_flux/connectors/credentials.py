"""An Airflow connection, as plain data that connectors understand without Airflow."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.shared import Shared


@dataclass(frozen=True)
class Credentials:
    """The fields of an Airflow connection. `repr` never shows the secrets.

    :param one_try: no call is tried again within an attempt, because the caller has a clock of its own
    :param shared: what all tasks that use the connection share: its tokens and its pace; None without a store
    """

    conn_id: str
    conn_type: str
    host: str | None = None
    port: int | None = None
    login: str | None = None
    password: str | None = field(default=None, repr=False)
    schema: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)
    one_try: bool = False
    shared: Shared | None = field(default=None, repr=False, compare=False)

    def invalid(self, field_name: str, message: str) -> FluxError:
        """The error for a field of this connection that is missing or wrong."""
        return FluxError(
            "CONNECTION_INVALID",
            f"connection '{self.conn_id}': field '{field_name}': {message}",
            next_step=f"Correct the field '{field_name}' of the Airflow connection '{self.conn_id}'.",
        )


def env_name(conn_id: str) -> str:
    """The environment variable in which Airflow looks for a connection."""
    return f"AIRFLOW_CONN_{conn_id.upper()}"


def from_environment(conn_id: str) -> Credentials | None:
    """Read `AIRFLOW_CONN_<ID>`, in Airflow's JSON or URI form; None where it is not set.

    Form: https://airflow.apache.org/docs/apache-airflow/stable/howto/connection.html

    :raises FluxError: CONNECTION_INVALID when the value is not a connection
    """
    text = os.environ.get(env_name(conn_id))
    if text is None:
        return None
    try:
        return _from_json(conn_id, text) if text.lstrip().startswith("{") else _from_uri(conn_id, text)
    except ValueError as error:
        # The value is not shown: it holds the password.
        raise FluxError(
            "CONNECTION_INVALID",
            f"the variable {env_name(conn_id)} is neither a connection in JSON nor a URI ({type(error).__name__})",
            next_step=f"Write {env_name(conn_id)} as JSON with conn_type, host, login, password, port, schema, extra.",
        ) from None


def _from_json(conn_id: str, text: str) -> Credentials:
    data = json.loads(text)
    extra = data.get("extra") or {}
    if isinstance(extra, str):
        extra = json.loads(extra)
    if not isinstance(extra, dict):
        raise ValueError("extra is not an object")
    port = data.get("port")
    if isinstance(port, (dict, list)):
        raise ValueError("port is not a number")
    return Credentials(
        conn_id=conn_id,
        conn_type=data.get("conn_type") or "",
        host=data.get("host"),
        port=int(port) if port not in (None, "") else None,
        login=data.get("login"),
        password=data.get("password"),
        schema=data.get("schema"),
        extra=extra,
    )


def _from_uri(conn_id: str, text: str) -> Credentials:
    parts = urlsplit(text)
    if not parts.scheme:
        raise ValueError("no scheme")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    extra = json.loads(query.pop("__extra__")) if "__extra__" in query else query
    return Credentials(
        conn_id=conn_id,
        conn_type=parts.scheme.replace("-", "_"),
        host=_host(parts.netloc),
        port=parts.port,
        login=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        schema=unquote(parts.path[1:]) if len(parts.path) > 1 else None,
        extra=extra,
    )


def _host(netloc: str) -> str | None:
    """The host as it is written: `urlsplit` lowers its case, and it may be the path of a SQLite file."""
    host = netloc.rpartition("@")[2]
    host = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return unquote(host) or None

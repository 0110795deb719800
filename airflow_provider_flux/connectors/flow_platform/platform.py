"""One project of a flow platform, and what its error reference advises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from airflow_provider_flux.connectors.api.profile import ApiProfile
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.flow_platform.options import FlowPlatformDestinationOptions
from airflow_provider_flux.connectors.graphql.graph import Graph
from airflow_provider_flux.connectors.rest.error_rows import compiled
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.auth import header_value
from airflow_provider_flux.transport.classify import DESTINATION
from airflow_provider_flux.transport.tally import Tally

ADVICE: Mapping[str, str] = {
    "AUTHENTICATION_FAILED": "Put the exact key from Studio, Settings, API Keys into the field 'password' of the "
    "connection '{conn_id}', without `Bearer`. A key that is new may need the project to be deployed again.",
    "PERMISSION_DENIED": "See that 'project_id' of the connection '{conn_id}' names the project that owns the flow, "
    "and that its key belongs to that project.",
    "NOT_FOUND": "Compare the endpoint (field 'host') and 'project_id' of the connection '{conn_id}' with the "
    "project's settings, and `workflow` with the flow's Connect or API panel. Deploy the flow, and use the id of what "
    "is deployed.",
    "PAYLOAD_MISMATCH": "Open the flow in the Editor, look at the schema of its trigger or input node, and align the "
    "mapping or `payload` with it.",
    "RATE_LIMIT_EXCEEDED": "See Limits & Quotas of the platform, lower `in_flight`, or run the flow less often; the "
    "task retries by itself.",
    "DESTINATION_OUTAGE": "Check the platform's status page; the task retries by itself. If it lasts, contact its "
    "support with the answer kept in the run.",
}
"""What the platform's error reference says of its statuses (401, 403, 404, 400, 429, 500), by our codes."""


class Platform:
    """Calls the platform for one project.

    :raises FluxError: CONNECTION_INVALID, with the field at fault
    """

    def __init__(
        self,
        credentials: Credentials,
        profile: ApiProfile,
        options: FlowPlatformDestinationOptions | None = None,
        tally: Tally | None = None,
    ) -> None:
        self._conn_id = credentials.conn_id
        self.graph = Graph.open(
            credentials,
            profile,
            outage=DESTINATION,
            path="",
            rows=compiled(options.errors) if options is not None else (),
            headers={"x-project-id": _project(credentials)},
            timeout=options.timeout if options is not None else None,
            connections=options.in_flight if options is not None else 1,
            tally=tally,
        )

    @contextmanager
    def advising(self) -> Iterator[None]:
        """Errors of calls made meanwhile say next what the platform's error reference advises."""
        try:
            yield
        except FluxError as error:
            if error.code in ADVICE:
                error.next_step = ADVICE[error.code].format(conn_id=self._conn_id)
            raise

    def close(self) -> None:
        """Close the connections."""
        self.graph.close()


def _project(credentials: Credentials) -> str:
    project = credentials.extra.get("project_id")
    if not isinstance(project, str) or not project.strip():
        raise credentials.invalid("extra.project_id", "is empty; it must hold the id of the project that owns the flow")
    try:
        return header_value(project)
    except ValueError as error:
        raise credentials.invalid("extra.project_id", str(error)) from None

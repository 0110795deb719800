"""Whether a stored error can be delivered again now, in words for people."""

from __future__ import annotations

from airflow_provider_flux.store.error_rows import DISCARDED, HELD, RESOLVED, SUPERSEDED
from airflow_provider_flux.store.rows import ErrorRow


def why_not(row: ErrorRow, payload: str = "stored") -> str | None:
    """Why no replay may take the error, and what to do instead; None where one may.

    :param payload: what the replay is to send: stored or source
    """
    if row.state == RESOLVED:
        return f"error {row.id} is resolved: run {row.resolved_by} delivered its record, nothing is left to do"
    if row.state == DISCARDED:
        return (
            f"error {row.id} was discarded; a new version of its record in the source is tried again by itself "
            f"(`airflow-flux errors show {row.id}` says who discarded it and why)"
        )
    if row.state == SUPERSEDED:
        return (
            f"error {row.id} is superseded: another error stands for its record "
            f"(`airflow-flux errors list --flow {row.flow}` lists what waits)"
        )
    if row.replay_active:
        return (
            f"error {row.id} is queued already, in run {row.replay} of flow {row.flow} "
            f"(`airflow-flux show {row.replay}` says how far it is)"
        )
    if row.state == HELD:
        return (
            f"error {row.id} is held for a person: approve it (`airflow-flux errors approve {row.id}`) or discard it"
        )
    if row.purged_at is not None and payload != "source":
        return (
            f"error {row.id} cannot be sent again: its payload was removed on {row.purged_at[:10]}, as "
            "`[flux] retention_payloads` says; read its record anew from the source (`--payload source`)"
        )
    return None


def not_there(number: int, flow: str | None = None) -> str:
    """What to say about the number of no error."""
    of_flow = f" of flow {flow}" if flow else ""
    return f"there is no error {number}{of_flow} (`airflow-flux errors list` lists them)"

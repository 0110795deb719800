"""What to do about a connection in trouble, by the kind of its last bad call."""

from __future__ import annotations

from airflow_provider_flux.transport.tally import AUTH, CONNECTION, OUTAGE, RATE_LIMIT

_ADVICE = {
    AUTH: (
        "401 and 403 mean auth. Put a freshly generated key into the Airflow connection '{connection}' (with OAuth: "
        "run `airflow-flux connectors reconnect {connection}` and approve the consent screen), then run "
        "`airflow-flux connectors verify {connection}`.",
    ),
    RATE_LIMIT: (
        "429 means a rate limit. In this order:",
        "lower the schedule cadence of the noisy flow;",
        "read fewer records per tick, with a tighter filter on what was updated (`incremental` in the flow file);",
        "stagger the flows on this source: do not run five of them on the same 15-minute boundary.",
    ),
    OUTAGE: (
        "5xx, a timeout or an unreadable answer means an outage of the system: see its status page. Every tick tries "
        "again by itself, and nothing is lost.",
    ),
    CONNECTION: (
        "The Airflow connection '{connection}' itself is wrong: correct the field that the message names, then run "
        "`airflow-flux connectors verify {connection}`.",
    ),
}
_AFTER_RECONNECT = (
    "Still refused after the credentials were changed? The source system may have revoked the app, removed a scope, or "
    "paused the account: confirm in its admin UI."
)
RESUMES = "One good call makes the connection active, and its flows resume on the next tick; nothing else to click."


def advice(connection: str, kind: str | None, *, again: bool = False) -> tuple[str, ...]:
    """What to do, in sentences; empty for a connection without trouble.

    :param kind: of the last bad call (`transport.tally`)
    :param again: it was refused for the same reason before, so that changing the credentials did not help
    """
    lines = tuple(line.format(connection=connection) for line in _ADVICE.get(kind or "", ()))
    return (*lines, _AFTER_RECONNECT) if lines and kind == AUTH and again else lines

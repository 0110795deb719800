"""`connectors reconnect`: a person's consent, through a browser, for a connection that rests on one."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_provider_flux.cli.connectors import find_use, used_connections
from airflow_provider_flux.cli.loopback import PATH, loopback
from airflow_provider_flux.cli.output import Output
from airflow_provider_flux.cli.place import find_credentials, the_store
from airflow_provider_flux.cli.switch import print_verified
from airflow_provider_flux.errors import FluxError

if TYPE_CHECKING:
    from airflow_provider_flux.connectors.api.consent import Consent
    from airflow_provider_flux.stages.verify import Verified


@dataclass(frozen=True)
class Reconnected:
    """What came of it.

    :param expires_at: of the access token (ISO 8601); None where the system did not say
    :param renewable: whether the system gave a refresh token, by which Flux renews the other by itself
    """

    connection: str
    expires_at: str | None
    renewable: bool
    verified: Verified


def reconnect(arguments: Namespace, out: Output) -> int:
    """Ask for a consent and keep what comes of it; 1 when there is none to ask for, or the system refuses still."""
    from airflow_provider_flux.connectors import registry
    from airflow_provider_flux.stages.reconnect import instead, prepare
    from airflow_provider_flux.stages.verify import verify

    uses = used_connections(out)
    with the_store() as store, loopback(arguments.port) as browser:
        name, use = find_use(store, uses, arguments.connection)
        credentials = find_credentials(name, registry.get(use.connector).conn_type)
        redirect = f"http://{'localhost' if arguments.localhost else '127.0.0.1'}:{browser.port}{PATH}"
        consent = prepare(store, use.connector, credentials, use.options, redirect)
        if consent is None:
            return _not_by_consent(name, instead(use.connector, credentials, use.options), out)
        token = consent.finish(_asked(consent, browser.answer, arguments.timeout, out))
        expires = None if token.expires_at is None else datetime.fromtimestamp(token.expires_at, UTC).isoformat()
        verified = verify(store, name, use.connector, lambda: credentials, use.options, reconnected=True)
    return _tell(Reconnected(name, expires, token.refresh is not None, verified), use.flows, out)


def _asked(
    consent: Consent, answer: Callable[[float], dict[str, str] | None], seconds: int, out: Output
) -> dict[str, str]:
    """What the browser brings.

    :raises FluxError: AUTHENTICATION_FAILED when nobody answered in time
    """
    # Always beside the result: with --json that is the only thing on standard output.
    out.note(f"Open this page in a browser on this computer, sign in and approve (within {seconds} s):\n{consent.url}")
    found = answer(seconds)
    if found is None:
        raise FluxError(
            "AUTHENTICATION_FAILED",
            f"connection '{consent.conn_id}' was not connected: no browser came back to {consent.redirect_uri} within "
            f"{seconds} s",
            next_step="Register exactly this redirect URL for the app in the system's settings. Where the browser runs "
            "on another computer, lead its port here: ssh -L PORT:127.0.0.1:PORT.",
        )
    return found


def _not_by_consent(connection: str, lines: tuple[str, ...], out: Output) -> int:
    if out.json:
        out.data({"connection": connection, "reconnected": False, "next": list(lines)})
    else:
        for line in lines:
            out.line(line)
    return 1


def _tell(result: Reconnected, flows: list[str], out: Output) -> int:
    if out.json:
        out.data(result)
        return 0 if result.verified.passed else 1
    out.line(f"{result.connection}: the consent was given, and its token is kept (encrypted, in the store).")
    if not result.renewable and result.expires_at is not None:
        out.line(
            f"The system gave no refresh token: the consent ends at {result.expires_at}. Many systems give one only "
            "for a scope such as `offline_access` (the field 'extra.scopes' of the connection)."
        )
    return print_verified(result.verified, flows, out)

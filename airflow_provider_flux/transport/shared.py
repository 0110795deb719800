"""What the tasks that use one connection at the same time share, through Flux's store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.ledger import Grant
from airflow_provider_flux.transport.pace import Limit


@dataclass(frozen=True)
class StoredToken:
    """A token as it is kept between tasks; the texts are encrypted by whoever keeps it.

    :param access: the access token
    :param refresh: the refresh token, where one was given
    :param expires_at: seconds since 1970 by our own clock; None where the server did not say
    :param renew_at: from when on it is renewed, some time before it expires
    :param origin: fingerprint of the connection's own secrets from which it came: another one makes it void
    :param extra: what else the server told: `instance_url` of Salesforce
    """

    access: str
    refresh: str | None = None
    expires_at: float | None = None
    renew_at: float | None = None
    origin: str = ""
    extra: dict[str, str] | None = None

    def __repr__(self) -> str:
        return "StoredToken(***)"


class UnreadableToken(FluxError):
    """There is a kept token, but not with the present key."""


class TokenVault(Protocol):
    """Keeps the tokens of connections, and lets one task at a time renew one."""

    def token(self, connection: str) -> StoredToken | None:
        """The token that was kept last.

        :raises UnreadableToken: it was encrypted with a key that is not known any more
        """

    def lease_token(self, connection: str, holder: str, seconds: float) -> bool:
        """Whether `holder` may renew the token now; nobody else may for so many seconds, or until it is kept.

        :raises FluxError: CONFIG_INVALID when the new one could not be kept for want of a key: a refresh token that is
            used then would be lost
        """

    def keep_token(self, connection: str, holder: str, token: StoredToken | None) -> None:
        """Keep the new token, or (None) give the lease back without one."""


class PaceBook(Protocol):
    """Counts the calls of all tasks over a connection, in blocks (see `transport.ledger`)."""

    def take_calls(
        self, connection: str, block: str, limits: Sequence[Limit], wanted: int, life: float
    ) -> Grant:
        """Reserve up to so many calls, of all the limits at once, or none.

        :param block: a name for them that nobody else uses
        :param life: seconds after which no call of the block can be on its way any more, should its process die
        """

    def give_back(self, connection: str, block: str, used: int) -> None:
        """All calls of the block were answered, or never made: the spans begin to run.

        :param used: how many of them were made
        """


@dataclass(frozen=True)
class Shared:
    """The doors to what is shared."""

    tokens: TokenVault
    pace: PaceBook

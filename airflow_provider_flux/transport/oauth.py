"""Signs requests with OAuth2 tokens: fetches them, renews them before they expire, and once when they are refused.

All tasks that use a connection share its token through Flux's store. Where the server rotates refresh tokens, one that
is used twice revokes them all: so one task at a time may renew, by a lease in the store, and the others wait for what
it brings (docs/decisions/0030-a-lease-for-tokens.md).
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.auth import Auth, Signature, bearer_signature, header_value
from airflow_provider_flux.transport.grants import Grant
from airflow_provider_flux.transport.shared import StoredToken, TokenVault, UnreadableToken
from airflow_provider_flux.transport.tally import Tally, kind_of_code
from airflow_provider_flux.transport.token_server import InvalidGrant, TokenServer

log = logging.getLogger("airflow_provider_flux.transport")

LEASE: Final = 90.0
"""Seconds after which a task that died while it renewed a token is no longer waited for. Renewing takes less, see
`connectors.api.sign_in`."""
PATIENCE: Final = 120.0
"""Seconds that a task waits for another one to renew the token."""

_FIRST_WAIT, _LONGEST_WAIT = 0.05, 1.0
_PAUSE = 10.0  # seconds before the next try when an early renewal failed
_DOUBT = 60.0  # seconds in which a new token that is refused, too, says that the token is not what is wrong
_KEEP_TRIES = 5


@dataclass(frozen=True)
class SharedTokens:
    """What the tasks of one connection share.

    :param origin: fingerprint of the connection's secrets: a kept token from others is void
    :param only_copy: a token that is lost cannot be asked for again
    :param lease: see `LEASE`
    :param patience: see `PATIENCE`
    """

    vault: TokenVault
    conn_id: str
    origin: str
    only_copy: bool = True
    lease: float = LEASE
    patience: float = PATIENCE

    def kept(self) -> StoredToken | None:
        """The token that was kept last, if it came from the connection as it is now.

        :raises UnreadableToken: it must not be taken for lost, because an older refresh token in its place would end
            the consent for the tasks that can read it
        """
        try:
            token = self.vault.token(self.conn_id)
        except UnreadableToken as error:
            if self.only_copy:
                raise
            log.warning("%s; another one is asked for", error.message)
            return None
        return token if token is not None and token.origin == self.origin else None


class OAuth(Auth):
    """The token of one connection. Used from several threads at once.

    :param grant: how a token is asked for
    :param shared: what other tasks know; None: this process asks for a token of its own
    :param tally: where a sign-in that failed is counted
    :param header: that carries the token, bare; None: `Authorization: Bearer`
    """

    def __init__(
        self,
        server: TokenServer,
        grant: Grant,
        shared: SharedTokens | None,
        tally: Tally | None = None,
        header: str | None = None,
    ) -> None:
        self._header = header
        self._server = server
        self._grant = grant
        self._shared = shared
        self._tally = tally or Tally()
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex}"
        self._lock = threading.Lock()
        self._token: StoredToken | None = None
        self._after_refusal: str | None = None
        self._refused_until = self._not_before = 0.0

    def __repr__(self) -> str:
        return f"OAuth({self._server.conn_id!r})"

    @property
    def token_url(self) -> str:
        """Where its tokens come from."""
        return self._server.url

    def sign(self) -> Signature:
        """A token that is good for now.

        :raises FluxError: AUTHENTICATION_FAILED when a person must do something, CONNECTION_INVALID, CONFIG_INVALID;
            transient ones where the token server or the store is down
        """
        return self._signature(self.token())

    def token(self) -> StoredToken:
        """The token itself, as `sign`."""
        token = self._token
        if token is not None and not _ageing(token):
            return token
        with self._lock:
            if self._token is None or _ageing(self._token):
                self._token = self._in_time()
            return self._token

    def renew(self, refused: Signature) -> bool:
        """Another token after a 401; False where one was just fetched for that reason and is refused, too."""
        with self._lock:
            token = self._token
            if token is None or self._signature(token).headers != refused.headers:
                return True  # another thread has renewed it
            if token.access == self._after_refusal and time.monotonic() < self._refused_until:
                return False
            log.info("connection '%s': the token was refused, getting another one", self._server.conn_id)
            self._token = self._renewed(token)
            self._after_refusal, self._refused_until = self._token.access, time.monotonic() + _DOUBT
            return True

    def accept(self, grant: Grant) -> StoredToken:
        """Ask by another grant, a person's consent, and keep what comes of it for all tasks.

        :raises FluxError: as `sign`
        """
        with self._lock:
            self._token = self._waiting_for_lease(lambda: None, lambda: self._server.ask(grant))
            return self._token

    def _signature(self, token: StoredToken) -> Signature:
        if self._header is None:
            return bearer_signature(token.access)
        return Signature({self._header: header_value(token.access)}, secrets=(token.access,))

    def _in_time(self) -> StoredToken:
        """A token that is good; one that ages only while no new one can be had."""
        known = self._token or (None if self._shared is None else self._shared.kept())
        if known is None or _expired(known):
            return self._renewed(known)
        if not _ageing(known) or time.monotonic() < self._not_before:
            return known
        try:
            return self._renewed(known)
        except FluxError as error:
            if not error.transient:
                raise
            log.warning("%s; the token that is in use expires soon, trying again", error)
            self._not_before = time.monotonic() + _PAUSE
            return known

    def _renewed(self, useless: StoredToken | None) -> StoredToken:
        """A token other than the useless one: kept by another task, or asked for.

        :raises FluxError: counted as a bad call, because the call that needed the token is never made
        """
        try:
            if self._shared is None:
                return self._server.ask(self._grant, None if useless is None else useless.refresh)
            return self._waiting_for_lease(lambda: self._of_another_task(useless), self._ask)
        except FluxError as error:
            if isinstance(error, InvalidGrant):
                error.next_step = self._remedy()
            self._tally.bad(kind_of_code(error.code), error.message, error.code)
            raise

    def _waiting_for_lease(
        self, look: Callable[[], StoredToken | None], ask: Callable[[], StoredToken]
    ) -> StoredToken:
        """What `look` finds, or what `ask` brings once this task alone may ask.

        :raises FluxError: CONNECTION_TIMEOUT when another task held the lease all the time
        """
        assert self._shared is not None
        shared, waiting, until = self._shared, _FIRST_WAIT, time.monotonic() + self._shared.patience
        while True:
            if (found := look()) is not None:
                return found
            if shared.vault.lease_token(shared.conn_id, self._holder, shared.lease):
                return self._under_lease(look, ask)
            if time.monotonic() + waiting > until:
                raise FluxError(
                    "CONNECTION_TIMEOUT",
                    f"connection '{shared.conn_id}': another task renews its token, and did not end within "
                    f"{shared.patience:.0f} s",
                )
            time.sleep(waiting)
            waiting = min(2 * waiting, _LONGEST_WAIT)

    def _under_lease(self, look: Callable[[], StoredToken | None], ask: Callable[[], StoredToken]) -> StoredToken:
        assert self._shared is not None
        new: StoredToken | None = None
        try:
            # Who held the lease before may have kept a token between our look and our lease.
            if (found := look()) is not None:
                return found
            new = replace(ask(), origin=self._shared.origin)
            return new
        finally:
            self._keep(new)

    def _ask(self) -> StoredToken:
        """Ask with the refresh token that was kept last.

        :raises InvalidGrant: it is used up, and no other task has a newer one
        """
        assert self._shared is not None
        kept = self._shared.kept()
        refresh = None if kept is None else kept.refresh
        if self._grant.by_person and refresh is None and not self._grant.secrets():
            name = self._server.conn_id
            raise InvalidGrant("AUTHENTICATION_FAILED", f"connection '{name}' was not connected to its system yet")
        try:
            new = self._server.ask(self._grant, refresh)
        except InvalidGrant:
            # A task that was slower than its lease may have used this refresh token, and kept what came of it.
            if (newer := self._of_another_task(kept)) is None:
                raise
            return newer
        # RFC 6749, 6: a server that sends no new refresh token lets the old one live.
        return replace(new, refresh=new.refresh or refresh)

    def _of_another_task(self, useless: StoredToken | None) -> StoredToken | None:
        """What another task has kept, unless it is the useless token or about to expire itself."""
        assert self._shared is not None
        kept = self._shared.kept()
        if kept is None or _ageing(kept) or (useless is not None and kept.access == useless.access):
            return None
        return kept

    def _keep(self, new: StoredToken | None) -> None:
        """Keep the token and give the lease back. Tried several times: it may be the only copy."""
        assert self._shared is not None
        for tries in range(1, _KEEP_TRIES + 1):
            try:
                self._shared.vault.keep_token(self._shared.conn_id, self._holder, new)
                return
            except FluxError as error:
                if tries == _KEEP_TRIES or not error.transient:
                    raise
                log.warning("the token of connection '%s' could not be kept yet: %s", self._shared.conn_id, error)
                time.sleep(tries)

    def _remedy(self) -> str:
        """What to do about a grant that is not accepted: only a person can give a new consent."""
        name = self._server.conn_id
        if self._grant.by_person:
            return f"Connect again: `airflow-flux connectors reconnect {name}`. Flows resume on the next tick."
        return (
            f"Correct the key, the user or the client id of the Airflow connection '{name}' (docs/sign-in.md), then "
            f"run `airflow-flux connectors verify {name}`."
        )


def _ageing(token: StoredToken) -> bool:
    at = token.renew_at if token.renew_at is not None else token.expires_at
    return at is not None and time.time() >= at


def _expired(token: StoredToken) -> bool:
    return token.expires_at is not None and time.time() >= token.expires_at

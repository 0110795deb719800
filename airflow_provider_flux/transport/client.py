"""The one request path: a pool of connections to one host, with limits, retries and masking."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Final

import httpx

from airflow_provider_flux import __version__
from airflow_provider_flux.errors import FluxError, OutcomeUnknown
from airflow_provider_flux.transport import network
from airflow_provider_flux.transport.advice import Adviser, no_advice
from airflow_provider_flux.transport.answers import kept
from airflow_provider_flux.transport.auth import NO_AUTH, Auth, Signature
from airflow_provider_flux.transport.masking import Masker
from airflow_provider_flux.transport.messages import Request, Response
from airflow_provider_flux.transport.origin import join, same_origin
from airflow_provider_flux.transport.pace import Pace, Unlimited
from airflow_provider_flux.transport.retry import AttemptFailed, Persistence
from airflow_provider_flux.transport.tally import RATE_LIMIT, Tally, kind_of_code, kind_of_status

MAX_BODY: Final = 64 * 1024 * 1024
"""Largest answer that is read, in bytes."""
BUDGET: Final = 60.0
"""Seconds within which a request is tried again."""
TIMEOUT: Final = 30.0
"""Seconds without a sign of life after which a server counts as silent."""

_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOT_EXECUTED = frozenset({501, 503, 505})  # server errors that say that nothing was done


class HttpClient:
    """Talks to one host over one connection. Safe to use from several threads.

    It sits on httpx' transport, not on `httpx.Client`: that one logs every URL with its query, where keys and cursors
    stand, and keeps cookies.

    :param base_url: scheme, host, port and a path that all calls begin with; a function where that is known only when
        the first call is made (a token's answer names it)
    :param conn_id: the Airflow connection, for messages
    :param headers: sent with every request
    :param timeout: seconds without a sign of life from the server
    :param verify: False switches the check of TLS certificates off
    :param proxy: URL of a proxy
    :param connections: most connections at the same time
    :param budget: seconds within which a request is tried again, see `retry.Persistence`
    :param tally: where its calls are counted; one of its own unless given
    :param pace: lets calls through as fast as the system allows
    :param adviser: what is known of the system's answers beyond their status
    """

    def __init__(
        self,
        base_url: str | Callable[[], str],
        *,
        conn_id: str,
        auth: Auth = NO_AUTH,
        headers: Mapping[str, str] | None = None,
        secrets: tuple[str, ...] = (),
        timeout: float = TIMEOUT,
        verify: ssl.SSLContext | bool = True,
        proxy: str | None = None,
        connections: int = 10,
        budget: float = BUDGET,
        tally: Tally | None = None,
        pace: Pace | None = None,
        adviser: Adviser = no_advice,
    ) -> None:
        self._base_url = base_url
        self.conn_id = conn_id
        self.tally = tally or Tally()
        self.mask = Masker(secrets)
        self._auth = auth
        self._pace = pace or Unlimited()
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": f"airflow-provider-flux/{__version__}",
            **(headers or {}),
        }
        self._timeout = timeout
        self._timeouts = httpx.Timeout(timeout).as_dict()
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._transport = httpx.HTTPTransport(verify=verify, trust_env=False, proxy=proxy, limits=limits)
        self._persistently = Persistence(self._attempt, budget, adviser, self._count_throttle)

    @cached_property
    def base(self) -> httpx.URL:
        """What all calls begin with."""
        return httpx.URL(self._base_url if isinstance(self._base_url, str) else self._base_url())

    def send(self, request: Request, *, once: bool = False) -> Response:
        """Send a request and bring back the answer, whatever its status.

        :param once: do not try again
        :raises OutcomeUnknown: a request that may not be repeated was sent, and whether it was executed is not known
        :raises FluxError: CONNECTION_TIMEOUT without an answer; CONNECTION_INVALID for a bad certificate or another
            host; BAD_REQUEST for an answer that is too large
        """
        try:
            response = self._attempt(request) if once else self._persistently(request)
        except AttemptFailed as failed:
            if failed.sent and not request.may_repeat:
                raise self._unknown(request, failed.error.message) from None
            raise failed.error from None
        if response.status >= 500 and response.status not in _NOT_EXECUTED and not request.may_repeat:
            raise self._unknown(request, f"{response.endpoint} answered HTTP {response.status}", response)
        return response

    def close(self) -> None:
        """Close all connections."""
        self._pace.close()
        self._transport.close()

    def resolve(self, link: str, response: Response) -> str:
        """The absolute URL of a link in an answer. Whether it may be followed is decided when it is sent.

        :raises FluxError: UNREADABLE_ANSWER when it is not a URL
        """
        return str(join(self.base, link, httpx.URL(response.url)))

    def endpoint(self, request: Request) -> str:
        """Method and path for messages; never the query, where keys may stand."""
        return f"{request.method} {join(self.base, request.url).path}"

    def _attempt(self, request: Request) -> Response:
        url = join(self.base, request.url)
        if not same_origin(url, self.base):
            raise self._other_host(request, url)
        url = url.copy_merge_params(request.params) if request.params else url
        for _ in range(_MOST_REDIRECTS + 1):
            response, target = self._exchange(request, url)
            if target is None:
                return response
            url = target
        raise self._refuse(request, f"answers with more than {_MOST_REDIRECTS} redirects")

    def _exchange(self, request: Request, url: httpx.URL) -> tuple[Response, httpx.URL | None]:
        """One request and its answer; a URL if the answer sends us there. A 401 is tried once with new credentials."""
        signature = self._sign()
        response, target = self._counted(request, url, signature)
        if response.status == 401 and self._auth.renew(signature):
            return self._counted(request, url, self._sign())
        return response, target

    def _sign(self) -> Signature:
        signature = self._auth.sign()
        self.mask.learn(signature.secrets)
        return signature

    def _counted(
        self, request: Request, url: httpx.URL, signature: Signature
    ) -> tuple[Response, httpx.URL | None]:
        """One call at the pace of the connection, counted."""
        try:
            self._pace.enter(request)
        except FluxError as kept_back:
            self.tally.bad(kind_of_code(kept_back.code), kept_back.message, kept_back.code)
            raise
        response: Response | None = None
        try:
            response, target = self._call(request, url, signature)
        except (AttemptFailed, FluxError) as failed:
            error = failed.error if isinstance(failed, AttemptFailed) else failed
            self.tally.bad(kind_of_code(error.code), error.message, error.code)
            raise
        finally:
            self._pace.left(request, response)
        if response.status >= 400:
            message = self.mask(f"{response.endpoint} answered HTTP {response.status}")
            self.tally.bad(kind_of_status(response.status), message)
        elif target is None:
            self.tally.good()
        return response, target

    def _count_throttle(self, response: Response) -> None:
        """An answer was counted by its status, and is a throttle."""
        counted = kind_of_status(response.status)
        if counted != RATE_LIMIT:
            message = self.mask(f"{response.endpoint} answered HTTP {response.status}: throttled")
            self.tally.correct(counted, RATE_LIMIT, message, "RATE_LIMIT_EXCEEDED")

    def _call(self, request: Request, url: httpx.URL, signature: Signature) -> tuple[Response, httpx.URL | None]:
        """:raises AttemptFailed: no answer came
        :raises FluxError: an answer that is too large, or leads where we do not go"""
        headers = {**self._headers, **signature.headers, **request.headers}
        sent_url = url.copy_merge_params(signature.params) if signature.params else url
        extensions = {"timeout": self._timeouts}
        call = httpx.Request(request.method, sent_url, headers=headers, content=request.body, extensions=extensions)
        endpoint = f"{request.method} {url.path}"
        try:
            answer = self._transport.handle_request(call)
            try:
                body = b"" if request.method == "HEAD" else self._body(request, answer)
            finally:
                answer.close()
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise network.failure(error, self.conn_id, self.base, endpoint, self.mask) from None
        response = Response(answer.status_code, answer.headers, body, str(url), endpoint)
        target = self._redirect(request, response) if answer.status_code in _REDIRECTS else None
        return response, target

    def _body(self, request: Request, answer: httpx.Response) -> bytes:
        """The whole body, or an error as soon as it is too large or too slow."""
        deadline = time.monotonic() + 10 * self._timeout
        chunks: list[bytes] = []
        size = 0
        announced = answer.headers.get("content-length", "")
        too_large = announced.isdigit() and int(announced) > MAX_BODY
        for chunk in answer.iter_bytes():
            size += len(chunk)
            if too_large or size > MAX_BODY:
                raise self._too_large(request, chunks[0] if chunks else chunk)
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout(f"the answer was not complete after {10 * self._timeout:.0f} s")
            chunks.append(chunk)
        return b"".join(chunks)

    def _redirect(self, request: Request, response: Response) -> httpx.URL | None:
        """Where a redirect leads, if it may be followed: a read, on the same host."""
        location = response.headers.get("location", "")
        if not location:
            return None
        target = join(self.base, location, httpx.URL(response.url))
        if request.method not in ("GET", "HEAD"):
            # 302 and 303 may mean "done, look there"; the others mean "not here".
            if response.status in (302, 303) and not request.may_repeat:
                raise self._unknown(request, f"{response.endpoint} answered HTTP {response.status}", response)
            raise self._refuse(request, f"redirects to {self.mask(target.path)}; write the final path into the flow")
        if not same_origin(target, self.base):
            raise self._other_host(request, target)
        return target

    def _unknown(self, request: Request, reason: str, response: Response | None = None) -> OutcomeUnknown:
        answer = None if response is None else kept(response.body, self.mask)
        return OutcomeUnknown("OUTCOME_UNKNOWN", self._no_verdict(request, reason), answer=answer)

    def _no_verdict(self, request: Request, reason: str) -> str:
        return f"{self.endpoint(request)} was sent over connection '{self.conn_id}', and no verdict came: {reason}"

    def _other_host(self, request: Request, url: httpx.URL) -> FluxError:
        ours, other = _origin(self.base), self.mask(_origin(url))
        return FluxError(
            "CONNECTION_INVALID",
            f"{self.endpoint(request)} leads to {other}, but connection '{self.conn_id}' is for {ours} and its "
            "credentials go nowhere else",
            next_step=f"If {other} is right, write it into the field 'host' of the connection '{self.conn_id}'.",
        )

    def _refuse(self, request: Request, what: str) -> FluxError:
        return FluxError("BAD_REQUEST", f"{self.endpoint(request)} of connection '{self.conn_id}' {what}")

    def _too_large(self, request: Request, beginning: bytes) -> FluxError:
        reason, answer = f"the answer is larger than {MAX_BODY // 1024**2} MB", kept(beginning, self.mask)
        if not request.may_repeat:
            return OutcomeUnknown("OUTCOME_UNKNOWN", self._no_verdict(request, reason), answer=answer)
        return FluxError(
            "BAD_REQUEST",
            f"{self.endpoint(request)} of connection '{self.conn_id}': {reason}",
            next_step="Ask for smaller pages: set `page.size` in the flow, or a smaller `batch_size`.",
            answer=answer,
        )


def _origin(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode('ascii', 'replace')}"

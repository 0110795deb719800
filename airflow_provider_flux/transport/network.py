"""What went wrong when no answer came: in words, and whether the server may have executed the request."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.masking import Masker
from airflow_provider_flux.transport.retry import AttemptFailed


@dataclass(frozen=True)
class _Fault:
    """What a class of exceptions means.

    :param words: a sentence with `{host}` (host and port), `{name}` (the host alone), `{error}` and `{cause}`
    :param sent: whether the server may have executed the request
    :param again: whether another try may help
    :param next_step: what to do, with `{conn_id}`; the catalogue's solution unless given
    """

    words: str
    code: str = "CONNECTION_TIMEOUT"
    sent: bool = True
    again: bool = True
    next_step: str | None = None


_NO_TLS = _Fault(
    "{host} does not speak TLS",
    "CONNECTION_INVALID",
    sent=False,
    again=False,
    next_step="Correct the port of the connection '{conn_id}', or say http:// if the system has no TLS there.",
)
_NO_TLS_REASONS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"})  # as OpenSSL calls it

_BY_CAUSE: Mapping[type[BaseException], _Fault] = {
    ssl.SSLCertVerificationError: _Fault(
        "the TLS certificate of {name} is not trusted: {cause.verify_message}",
        "CONNECTION_INVALID",
        again=False,
        next_step="Name the authority's file as `verify` in the extra field of the connection '{conn_id}'.",
    ),
    socket.gaierror: _Fault("the host name {name} is not known", sent=False),
}
"""By the class of what lies at the bottom; asked first."""

_BY_CLASS: Mapping[type[BaseException], _Fault] = {
    httpx.ConnectTimeout: _Fault("{host} could not be reached in time", sent=False),
    httpx.PoolTimeout: _Fault("no connection to {host} became free in time", sent=False),
    httpx.TimeoutException: _Fault("{host} did not answer in time"),
    httpx.ConnectError: _Fault("{host} cannot be reached: {cause}", sent=False),
    httpx.ProxyError: _Fault("the proxy did not reach {host}: {cause}", sent=False),
    httpx.LocalProtocolError: _Fault("cannot be sent: {error}", "BAD_REQUEST", again=False),
    httpx.UnsupportedProtocol: _Fault("cannot be sent: {error}", "BAD_REQUEST", again=False),
    httpx.RemoteProtocolError: _Fault("{host} broke off its answer: {error}"),
    httpx.DecodingError: _Fault("the compressed answer of {host} is broken: {error}"),
    httpx.HTTPError: _Fault("the connection to {host} was lost: {cause}"),
}
"""By the class of the exception, or the nearest class that it derives from."""


def failure(error: httpx.HTTPError, conn_id: str, base: httpx.URL, endpoint: str, mask: Masker) -> Exception:
    """The exception to raise: an AttemptFailed where another try may help, else a FluxError."""
    cause = _root_cause(error)
    fault = _without_tls(cause) or _nearest(_BY_CAUSE, cause) or _nearest(_BY_CLASS, error)
    assert fault is not None, "the table has a row for httpx.HTTPError"
    host = base.netloc.decode("ascii", "replace")
    words = fault.words.format(host=host, name=base.host, error=error, cause=cause)
    next_step = fault.next_step and fault.next_step.format(conn_id=conn_id)
    raised = FluxError(fault.code, mask(f"connection '{conn_id}': {words} ({endpoint})"), next_step=next_step)
    return AttemptFailed(raised, sent=fault.sent) if fault.again else raised


def _without_tls(error: BaseException) -> _Fault | None:
    return _NO_TLS if isinstance(error, ssl.SSLError) and error.reason in _NO_TLS_REASONS else None


def _nearest(table: Mapping[type[BaseException], _Fault], error: BaseException) -> _Fault | None:
    """The row of the error's class, or of the nearest one above it: a class that comes later is known too."""
    for kind in type(error).__mro__:
        if kind in table:
            return table[kind]
    return None


def _root_cause(error: BaseException) -> BaseException:
    while (below := error.__cause__ or error.__context__) is not None:
        error = below
    return error

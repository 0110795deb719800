"""What went wrong when no answer came: in words, and whether the server may have executed the request."""

from __future__ import annotations

import socket
import ssl

import httpx

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.masking import Masker
from airflow_provider_flux.transport.retry import AttemptFailed

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


def failure(error: httpx.HTTPError, conn_id: str, base: httpx.URL, endpoint: str, mask: Masker) -> Exception:
    """The exception to raise: an AttemptFailed where another try may help, else a FluxError."""
    if isinstance(error, (httpx.LocalProtocolError, httpx.UnsupportedProtocol)):
        message = f"{endpoint} over connection '{conn_id}' cannot be sent: {mask(str(error))}"
        return FluxError("BAD_REQUEST", message)
    cause = _root_cause(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return FluxError(
            "CONNECTION_INVALID",
            f"connection '{conn_id}': the TLS certificate of {base.host} is not trusted: {cause.verify_message}",
            next_step=f"Name the authority's file as `verify` in the extra field of the connection '{conn_id}'.",
        )
    what = f"connection '{conn_id}': {_in_words(error, cause, base)} ({endpoint})"
    return AttemptFailed(FluxError("CONNECTION_TIMEOUT", mask(what)), sent=not isinstance(error, _NEVER_SENT))


def _in_words(error: httpx.HTTPError, cause: BaseException, base: httpx.URL) -> str:
    host = base.netloc.decode("ascii", "replace")
    if isinstance(cause, socket.gaierror):
        return f"the host name {base.host} is not known"
    if isinstance(error, httpx.ConnectTimeout):
        return f"{host} could not be reached in time"
    if isinstance(error, httpx.PoolTimeout):
        return f"no connection to {host} became free in time"
    if isinstance(error, httpx.TimeoutException):
        return f"{host} did not answer in time"
    if isinstance(error, httpx.ConnectError):
        return f"{host} cannot be reached: {cause}"
    if isinstance(error, httpx.RemoteProtocolError):
        return f"{host} broke off its answer: {error}"
    if isinstance(error, httpx.DecodingError):
        return f"the compressed answer of {host} is broken: {error}"
    return f"the connection to {host} was lost: {cause}"


def _root_cause(error: BaseException) -> BaseException:
    while (below := error.__cause__ or error.__context__) is not None:
        error = below
    return error

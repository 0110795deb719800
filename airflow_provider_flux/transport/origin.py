"""Which URLs belong to a connection. Credentials are sent to its own host and to no other."""

from __future__ import annotations

import httpx

from airflow_provider_flux.errors import FluxError

_PORTS = {"http": 80, "https": 443}


def join(base: httpx.URL, url: str, current: httpx.URL | None = None) -> httpx.URL:
    """The URL of a path below the base, or of what a server wrote into a link.

    A link that says `http://` while the connection says `https://` of the same host is taken as `https://`: servers
    behind a proxy often do not know better.

    :param current: the URL that a link stands on; relative links start there (RFC 3986), paths of a flow at the base
    :raises FluxError: UNREADABLE_ANSWER for a link that is not a URL, BAD_REQUEST for such a path
    """
    try:
        if current is not None:
            joined = current.join(url)
        elif "://" in url:
            joined = httpx.URL(url)
        else:
            joined = httpx.URL(f"{base.scheme}://{_netloc(base)}{_below(base, url)}")
    except (httpx.InvalidURL, ValueError) as error:
        code = "BAD_REQUEST" if current is None else "UNREADABLE_ANSWER"
        raise FluxError(code, f"{url[:200]!r} is not a URL: {error}") from None
    unaware_of_tls = (joined.scheme, base.scheme) == ("http", "https") and joined.port in (None, base.port)
    if unaware_of_tls and joined.host == base.host:
        joined = joined.copy_with(scheme="https", port=base.port)
    return joined


def same_origin(url: httpx.URL, base: httpx.URL) -> bool:
    """Whether scheme, host and port are the same."""
    return (url.scheme, url.host, _port(url)) == (base.scheme, base.host, _port(base))


def _below(base: httpx.URL, path: str) -> str:
    root = base.raw_path.decode("ascii").partition("?")[0].rstrip("/")
    return f"{root}/{path.lstrip('/')}" if path else root or "/"


def _netloc(url: httpx.URL) -> str:
    return url.netloc.decode("ascii")


def _port(url: httpx.URL) -> int | None:
    return url.port or _PORTS.get(url.scheme)

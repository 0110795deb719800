"""oidc-provider (https://github.com/panva/node-oidc-provider): a certified, strict OAuth2 server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.contracts.servers.wire import unused_port
from tests.servers import npm
from tests.servers.prism import answers
from tests.servers.process import running


@dataclass(frozen=True)
class Oidc:
    """The server, and the clients that it knows (their configuration is packages/oidc/server.mjs).

    `client_id` says who it is by Basic authentication, `body_client_id` in the body; both have `client_secret`, and may
    use client credentials, refresh tokens, and the authorization code with or without PKCE (a loopback redirect of any
    port: `http://127.0.0.1:<port>/callback`). Whoever opens the authorize URL is signed in and consents at once.
    """

    url: str
    client_id: str = "sync"
    body_client_id: str = "sync-body"
    client_secret: str = "s3cret-of-the-client"
    scope: str = "openid offline_access crm"

    @property
    def token_url(self) -> str:
        return f"{self.url}/token"

    @property
    def authorize_url(self) -> str:
        return f"{self.url}/auth"

    def refresh_token(self, client_id: str = "sync") -> str:
        """A first refresh token, as a finished consent leaves it. It can be used once: each refresh gives a new one,
        and a used one answers 400 `invalid_grant` and ends all that came of it."""
        answer = httpx.post(f"{self.url}/test/refresh-token", params={"client_id": client_id})
        return str(answer.raise_for_status().json()["refresh_token"])

    def active(self, access_token: str) -> bool:
        """Whether the server takes this access token now."""
        auth = (self.client_id, self.client_secret)
        answer = httpx.post(f"{self.url}/token/introspection", data={"token": access_token}, auth=auth)
        return bool(answer.raise_for_status().json()["active"])


@contextmanager
def serve(log: Path, ttl: int) -> Iterator[Oidc]:
    """:param ttl: seconds that an access token lives"""
    folder = npm.installed("oidc")
    port = unused_port()
    oidc = Oidc(f"http://127.0.0.1:{port}")
    env = {"PORT": str(port), "TTL": str(ttl), "SECRET": oidc.client_secret, "SCOPE": oidc.scope}
    with running([npm.node(), "server.mjs"], log, lambda: answers(oidc.url), folder=folder, env=env):
        yield oidc

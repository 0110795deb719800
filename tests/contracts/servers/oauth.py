"""A token server with an API behind it, which does on request what a well-behaved one cannot be made to do."""

from __future__ import annotations

import base64
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, unquote

from tests.contracts.servers.wire import Call, Reply

CLIENT, SECRET = "app-1", "the-secret-of-the-app"


@dataclass
class OAuthServer:
    """`POST /token` hands out tokens, `GET /v1/...` takes them; `answer` is for `wire.serve`.

    Refresh tokens work once (`rotate`); a used one is refused and ends the one that came of it.

    :param lifetime: seconds that an access token is good; None: the answer does not say, and it is good for ever
    :param rotate: hand out a new refresh token with each renewal; else the first one lives on
    :param extra: more members of the answer
    :param troubles: answered instead, one for each request for a token; or functions that make the answer
    :param codes: what consents brought, each with its PKCE challenge (S256)
    :param lost: so many renewals are executed, and their answers never sent
    """

    lifetime: float | None = 3600
    rotate: bool = True
    extra: dict[str, Any] = field(default_factory=dict)
    troubles: deque[Reply | Callable[[], Reply]] = field(default_factory=deque)
    lost: int = 0
    refused: set[str] = field(default_factory=set)
    codes: dict[str, str | None] = field(default_factory=dict)
    forms: list[dict[str, str]] = field(default_factory=list)
    granted: list[str] = field(default_factory=list)
    signed_by: list[str | None] = field(default_factory=list)
    _good: dict[str, float] = field(default_factory=dict)
    _refresh: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _numbers: Any = field(default_factory=itertools.count)

    def refresh_token(self) -> str:
        """A first refresh token, as after a person's consent."""
        with self._lock:
            return self._new_refresh()

    def revoke(self) -> None:
        """Every access token is refused from now on."""
        with self._lock:
            self._good.clear()

    def answer(self, call: Call) -> Reply:
        if call.path == "/token":
            return self._token(call)
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        with self._lock:
            good = self._good.get(token, 0) > time.time() and token not in self.refused
        return Reply(body={"data": []}) if good else Reply(401, {"error": "token expired or revoked"})

    def _token(self, call: Call) -> Reply:
        form = {name: values[0] for name, values in parse_qs(call.body.decode()).items()}
        with self._lock:
            self.forms.append(form)
            self.signed_by.append(_client(call, form))
            trouble = self.troubles.popleft() if self.troubles else None
        if trouble is not None:
            return trouble() if callable(trouble) else trouble
        with self._lock:
            if _client(call, form) not in (f"{CLIENT}:{SECRET}", None):
                return Reply(401, {"error": "invalid_client"})
            refresh = form.get("refresh_token")
            if form["grant_type"] == "refresh_token":
                if refresh not in self._refresh:
                    self._refresh.clear()
                    return Reply(400, {"error": "invalid_grant", "error_description": f"token {refresh} was used"})
                if self.rotate:
                    self._refresh.remove(refresh)
            if form["grant_type"] == "authorization_code":
                if form["code"] not in self.codes or self.codes.pop(form["code"]) != _challenge(form):
                    return Reply(400, {"error": "invalid_grant", "error_description": "unknown code"})
                refresh = ""
            body = self._grant(refresh)
            if self.lost:
                self.lost -= 1
                return Reply(reset=True)
            return Reply(body=body)

    def _grant(self, refresh: str | None) -> dict[str, Any]:
        access = f"access-token-{next(self._numbers)}"
        self.granted.append(access)
        self._good[access] = time.time() + (self.lifetime or 1e9)
        body = {"access_token": access, "token_type": "Bearer", **self.extra}
        if refresh is not None and self.rotate:
            body["refresh_token"] = self._new_refresh()
        if self.lifetime is not None:
            body["expires_in"] = self.lifetime
        return body

    def _new_refresh(self) -> str:
        token = f"refresh-token-{next(self._numbers)}"
        self._refresh.add(token)
        return token


def _challenge(form: dict[str, str]) -> str | None:
    if "code_verifier" not in form:
        return None
    return base64.urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")


def _client(call: Call, form: dict[str, str]) -> str | None:
    """Who asks, as `id:secret`; None for a request that is signed another way."""
    kind, _, pair = call.headers.get("authorization", "").partition(" ")
    if kind == "Basic":
        return unquote(base64.b64decode(pair).decode())
    return f"{form['client_id']}:{form['client_secret']}" if "client_secret" in form else None

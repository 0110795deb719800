"""Signing in with OAuth2, through real HTTP and a real store: what is asked, kept, renewed, and said when it fails."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import RSAKey

from airflow_provider_flux.connectors.api.auth_options import Auth
from airflow_provider_flux.connectors.api.connection import open_client
from airflow_provider_flux.connectors.api.profile import ApiProfile, SignIn
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.store import Store, open_store
from airflow_provider_flux.transport.client import HttpClient
from airflow_provider_flux.transport.messages import Request
from airflow_provider_flux.transport.shared import Shared
from tests.contracts.servers.oauth import CLIENT, SECRET, OAuthServer
from tests.contracts.servers.wire import Reply, Wire, serve

GET = Request("GET", "/v1/contacts")


class Bench:
    """A token server with its API, and clients that sign in to it."""

    def __init__(self, stack: ExitStack, store: Store) -> None:
        self._stack = stack
        self.store = store
        self.server = OAuthServer()
        self.wire: Wire = stack.enter_context(serve(self.server.answer))

    def credentials(self, shared: bool = True, **extra: Any) -> Credentials:
        doors = Shared(tokens=self.store, pace=self.store) if shared else None
        app = {"client_id": CLIENT, "client_secret": SECRET, "token_url": f"{self.wire.url}/token", "timeout": 2}
        return Credentials("crm", "flux_rest", host=self.wire.url, extra={**app, **extra}, shared=doors)

    def client(self, profile: ApiProfile | None = None, **extra: Any) -> HttpClient:
        options = {} if profile is None else {"profile": profile}
        client = open_client(self.credentials(**extra), None, **options)
        self._stack.callback(client.close)
        return client

    def status(self, client: HttpClient) -> int:
        return client.send(GET).status


@pytest.fixture
def fernet_key(monkeypatch: pytest.MonkeyPatch) -> str:
    key = Fernet.generate_key().decode()
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", key)
    return key


@pytest.fixture(scope="module")
def store_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('store')}/flux.db"


@pytest.fixture
def bench(store_url: str, fernet_key: str) -> Iterator[Bench]:
    with ExitStack() as stack, open_store(store_url) as store:
        with store._database.writing() as connection:
            connection.exec_driver_sql("DELETE FROM flux_tokens")
        yield Bench(stack, store)


@pytest.fixture(scope="module")
def pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def refused(call: Callable[[], object], code: str) -> FluxError:
    with pytest.raises(FluxError) as caught:
        call()
    assert caught.value.code == code, str(caught.value)
    return caught.value


def test_client_credentials_ask_once_for_many_calls(bench: Bench) -> None:
    client = bench.client(scopes="crm.read crm.write")
    assert [bench.status(client) for _ in range(3)] == [200, 200, 200]
    (form,) = bench.server.forms
    assert form.pop("grant_type") == "client_credentials"
    assert form == {"scope": "crm.read crm.write", "client_id": CLIENT, "client_secret": SECRET}


def test_a_flow_says_where_the_token_comes_from(bench: Bench) -> None:
    auth = Auth.model_validate(
        {"kind": "client_credentials", "token_url": "/token", "scopes": ["a", "b"], "client_in": "header"}
    )
    credentials = Credentials("crm", "flux_rest", host=f"{bench.wire.url}/v1", login=CLIENT, password=SECRET)
    client = open_client(credentials, auth)
    assert client.send(Request("GET", "/contacts")).status == 200
    client.close()
    assert bench.server.forms == [{"grant_type": "client_credentials", "scope": "a b"}]
    assert bench.server.signed_by == [f"{CLIENT}:{SECRET}"]


def test_the_next_task_uses_the_token_that_was_kept(bench: Bench) -> None:
    assert bench.status(bench.client()) == bench.status(bench.client()) == 200
    assert len(bench.server.forms) == 1


def test_a_token_is_renewed_before_it_expires(bench: Bench) -> None:
    bench.server.lifetime = 0.25
    client = bench.client()
    assert bench.status(client) == 200
    time.sleep(0.2)  # a fifth of its life is its leeway
    assert bench.status(client) == 200
    assert len(bench.server.granted) == 2
    assert "GET 401" not in [call.path for call in bench.wire.calls]


def test_a_refused_token_is_renewed_once(bench: Bench) -> None:
    client = bench.client()
    assert bench.status(client) == 200
    bench.server.revoke()
    assert bench.status(client) == 200
    assert len(bench.server.granted) == 2


def test_a_system_that_refuses_every_token_is_not_asked_for_one_at_each_call(bench: Bench) -> None:
    bench.server.refused |= {f"access-token-{number}" for number in range(100)}
    client = bench.client()
    assert [bench.status(client) for _ in range(4)] == [401, 401, 401, 401]
    assert len(bench.server.granted) == 2


def test_rotated_refresh_tokens_are_used_in_turn(bench: Bench) -> None:
    bench.server.lifetime = 0.05
    first = bench.server.refresh_token()
    for task in (bench.client(refresh_token=first), bench.client(refresh_token=first)):
        for _ in range(2):
            assert bench.status(task) == 200
            time.sleep(0.05)
    used = [form["refresh_token"] for form in bench.server.forms]
    assert used[0] == first
    assert len(used) == len(set(used)) == 4


def test_a_server_that_sends_no_new_refresh_token_lets_the_old_one_live(bench: Bench) -> None:
    bench.server.rotate = False
    client = bench.client(refresh_token=bench.server.refresh_token())
    for _ in range(2):
        assert bench.status(client) == 200
        bench.server.revoke()
    assert [form["refresh_token"] for form in bench.server.forms] == ["refresh-token-0"] * 2


def test_a_token_of_unknown_age_is_used_until_it_is_refused(bench: Bench) -> None:
    bench.server.lifetime = None
    client = bench.client()
    assert bench.status(client) == 200
    token = bench.store.token("crm")
    assert token is not None and token.expires_at is None
    bench.server.revoke()
    assert bench.status(client) == 200
    assert len(bench.server.granted) == 2


@pytest.mark.parametrize("told", ["3600", 3600.0, "soon", -1, None])
def test_a_lifetime_may_be_a_text_or_nonsense(bench: Bench, told: object) -> None:
    bench.server.lifetime = None
    bench.server.extra = {"expires_in": told}
    assert bench.status(bench.client()) == 200
    token = bench.store.token("crm")
    assert token is not None
    assert (token.expires_at is not None) == (told in ("3600", 3600.0))


def test_threads_of_a_task_renew_once(bench: Bench) -> None:
    client = bench.client(refresh_token=bench.server.refresh_token())
    barrier = threading.Barrier(8)

    def call(_: int) -> list[int]:
        barrier.wait()
        return [bench.status(client) for _ in range(5)]

    with ThreadPoolExecutor(8) as pool:
        assert {status for found in pool.map(call, range(8)) for status in found} == {200}
        assert len(bench.server.granted) == 1
        bench.server.revoke()
        assert {status for found in pool.map(call, range(8)) for status in found} == {200}
    assert len(bench.server.granted) == 2


def test_a_task_waits_for_the_one_that_renews(bench: Bench) -> None:
    bench.status(bench.client())
    bench.server.revoke()
    bench.server.troubles.append(Reply(503, delay=0.1))  # the first of them is tried again, under its lease
    clients = [bench.client() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(bench.status, clients)) == [200] * 4
    assert len(bench.server.granted) == 2


def test_the_lease_of_a_task_that_died_ends(bench: Bench) -> None:
    assert bench.store.lease_token("crm", "a task that was killed", 0.15)
    assert bench.status(bench.client()) == 200


def test_an_answer_that_was_lost_leaves_the_connection_to_be_connected_again(bench: Bench) -> None:
    bench.server.lost = 1
    client = bench.client(refresh_token=bench.server.refresh_token())
    error = refused(lambda: client.send(GET), "AUTHENTICATION_FAILED")
    assert "airflow-flux connectors reconnect crm" in error.next_step
    assert "invalid_grant" in error.message


def test_an_answer_that_was_lost_costs_nothing_where_refresh_tokens_live_on(bench: Bench) -> None:
    bench.server.lost, bench.server.rotate = 1, False
    assert bench.status(bench.client(refresh_token=bench.server.refresh_token())) == 200


def test_a_used_refresh_token_is_no_loss_when_another_task_kept_its_successor(bench: Bench) -> None:
    client = bench.client(refresh_token=bench.server.refresh_token())
    assert bench.status(client) == 200
    bench.server.revoke()

    def slower_than_its_lease() -> Reply:
        """Before we are answered, a task that had lost its lease keeps what the same refresh token brought it."""
        kept = bench.store.token("crm")
        assert kept is not None
        body = bench.server._grant(kept.refresh)
        late = replace(kept, access=body["access_token"], refresh=body["refresh_token"])
        bench.store.keep_token("crm", "a late task", late)
        return Reply(400, {"error": "invalid_grant"})

    bench.server.troubles.append(slower_than_its_lease)
    assert bench.status(client) == 200
    assert len(bench.server.forms) == 2


def test_a_new_secret_in_the_connection_makes_the_kept_token_void(bench: Bench) -> None:
    assert bench.status(bench.client(refresh_token=bench.server.refresh_token())) == 200
    pasted = bench.server.refresh_token()
    assert bench.status(bench.client(refresh_token=pasted)) == 200
    assert bench.server.forms[-1]["refresh_token"] == pasted


def test_an_ageing_token_is_used_while_the_token_server_is_down(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    assert bench.status(bench.client()) == 200
    kept = bench.store.token("crm")
    assert kept is not None and kept.renew_at is not None
    bench.store.keep_token("crm", "a test", replace(kept, renew_at=time.time()))
    client = bench.client()
    bench.server.troubles.append(Reply(400, {"error": "temporarily_unavailable"}))
    assert [bench.status(client) for _ in range(3)] == [200, 200, 200]
    assert len(bench.server.granted) == 1
    assert "expires soon" in caplog.text


@pytest.mark.parametrize(
    ("reply", "code", "said"),
    [
        (Reply(401, {"error": "invalid_client"}), "AUTHENTICATION_FAILED", "'extra.client_id'"),
        (Reply(400, {"error": "invalid_scope"}), "CONNECTION_INVALID", "'extra.scopes'"),
        (Reply(400, {"error": "unauthorized_client"}), "AUTHENTICATION_FAILED", "in the system's settings"),
        (Reply(404, b"<html><title>Not here</title></html>"), "CONNECTION_INVALID", "'extra.token_url'"),
        (Reply(200, {"error": "bad_refresh_token"}), "AUTHENTICATION_FAILED", "(docs/sign-in.md)"),
        (Reply(200, {"token": "x"}), "UNREADABLE_ANSWER", "'extra.token_url'"),
        (Reply(200, {"access_token": "a\nb"}), "UNREADABLE_ANSWER", "'extra.token_url'"),
        (Reply(200, {"access_token": "a", "token_type": "mac"}), "UNREADABLE_ANSWER", "'extra.token_url'"),
        (Reply(500, {"error": "boom"}), "CONNECTION_TIMEOUT", "retries by itself"),
        (Reply(307, headers={"Location": "http://127.0.0.1:1/other"}), "BAD_REQUEST", ""),
    ],
)
def test_a_refusal_names_what_to_correct(bench: Bench, reply: Reply, code: str, said: str) -> None:
    bench.server.troubles.append(reply)
    error = refused(lambda: bench.client().send(GET), code)
    assert said in error.next_step
    assert "'crm'" in error.message


def test_a_sign_in_that_failed_makes_the_connection_degraded(bench: Bench) -> None:
    client = bench.client()
    bench.server.troubles.append(Reply(401, {"error": "invalid_client"}))
    refused(lambda: client.send(GET), "AUTHENTICATION_FAILED")
    assert client.tally.trouble is not None
    assert (client.tally.trouble.kind, client.tally.trouble.code) == ("auth", "AUTHENTICATION_FAILED")


def test_jwt_bearer_signs_for_the_user(bench: Bench, pem: str) -> None:
    one_line = pem.replace("\n", " ")  # as a form of one line gives it
    client = bench.client(client_secret=None, private_key=one_line, subject="ada@example.com", audience="https://login")
    assert bench.status(client) == 200
    (form,) = bench.server.forms
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    token = jwt.decode(form["assertion"], RSAKey.import_key(pem), algorithms=["RS256"])
    assert token.claims["iss"] == CLIENT
    assert (token.claims["sub"], token.claims["aud"]) == ("ada@example.com", "https://login")
    assert 0 < token.claims["exp"] - time.time() <= 180


def test_the_token_may_say_where_the_api_is(bench: Bench) -> None:
    known = SignIn(kinds=("client_credentials",), token_url=f"{bench.wire.url}/token", base_url_from="instance_url")
    bench.server.extra = {"instance_url": f"{bench.wire.url}/v1/"}
    credentials = Credentials("crm", "x", extra={"client_id": CLIENT, "client_secret": SECRET})
    client = open_client(credentials, None, profile=ApiProfile(sign_in=known))
    assert bench.server.forms == []  # no call before the first one
    assert client.send(Request("GET", "/contacts")).url == f"{bench.wire.url}/v1/contacts"
    client.close()
    bench.server.extra = {}
    client = open_client(credentials, None, profile=ApiProfile(sign_in=known))
    assert "field 'host'" in refused(lambda: client.send(GET), "CONNECTION_INVALID").message
    client.close()


def test_nothing_is_kept_without_a_key(bench: Bench, monkeypatch: pytest.MonkeyPatch, airflow_home: Path) -> None:
    monkeypatch.delenv("AIRFLOW__CORE__FERNET_KEY")
    error = refused(lambda: bench.client(refresh_token="r").send(GET), "CONFIG_INVALID")
    assert "AIRFLOW__CORE__FERNET_KEY" in error.next_step
    assert bench.server.forms == []  # the refresh token is not used up


def test_another_key_uses_no_refresh_token_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    first = bench.server.refresh_token()
    assert bench.status(bench.client(refresh_token=first)) == 200
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", Fernet.generate_key().decode())
    error = refused(lambda: bench.client(refresh_token=first).send(GET), "CONFIG_INVALID")
    assert "airflow-flux connectors reconnect crm" in error.next_step
    assert len(bench.server.forms) == 1
    assert bench.status(bench.client()) == 200  # the app itself can ask anew


def test_a_refresh_token_is_not_used_up_where_its_successor_cannot_be_kept(bench: Bench) -> None:
    error = refused(lambda: bench.client(shared=False, refresh_token="r"), "CONFIG_INVALID")
    assert "airflow-flux connectors verify crm" in error.next_step


def test_no_secret_is_in_any_text(bench: Bench, caplog: pytest.LogCaptureFixture, pem: str) -> None:
    first = bench.server.refresh_token()
    texts: list[str] = []
    with caplog.at_level(logging.DEBUG):
        client = bench.client(refresh_token=first)
        bench.status(client)
        bench.server.revoke()
        bench.server._refresh.clear()
        error = refused(lambda: client.send(GET), "AUTHENTICATION_FAILED")
        echo = {"error": "invalid_client", "error_description": f"unknown {SECRET} or {CLIENT}"}
        bench.server.troubles.append(Reply(400, echo))
        other = refused(lambda: bench.client().send(GET), "AUTHENTICATION_FAILED")
    auth: Any = client._auth
    for found in (error, other):
        texts += [str(found), found.next_step, found.answer or "", repr(found)]
    texts += [caplog.text, repr(auth), repr(auth._grant), repr(auth._server), repr(auth._shared), repr(auth._token)]
    texts += [repr(bench.credentials(refresh_token=first)), str(client.tally.trouble)]
    texts.append(repr(bench.client(client_secret=None, private_key=pem)._auth._grant))  # type: ignore[attr-defined]
    shown = "\n".join(texts)
    for secret in (first, SECRET, *bench.server.granted, *(f"refresh-token-{n}" for n in range(9)), pem.split("\n")[1]):
        assert secret not in shown
    assert "***" in (other.answer or "")

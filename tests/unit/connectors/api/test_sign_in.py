"""Which way of signing in the fields of a connection mean, and what is said about fields that do not fit."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from airflow_provider_flux.connectors.api.auth_options import Auth
from airflow_provider_flux.connectors.api.connection import open_client
from airflow_provider_flux.connectors.api.profile import ANY_API, ApiProfile, SignIn, SignInKind
from airflow_provider_flux.connectors.api.sign_in import OWN_EXTRAS, way
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.rest.source_options import RestSourceOptions
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.grants import JwtBearer
from airflow_provider_flux.transport.shared import Shared, StoredToken

PAGE = (Path(__file__).parents[4] / "docs" / "sign-in.md").read_text(encoding="utf-8")
CONNECTIONS = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]


class Nowhere:
    """The doors to a store that nobody goes through."""

    def token(self, connection: str) -> StoredToken | None:
        raise AssertionError

    def lease_token(self, connection: str, holder: str, seconds: float) -> bool:
        raise AssertionError

    def keep_token(self, connection: str, holder: str, token: StoredToken | None) -> None:
        raise AssertionError


def connection(**fields: Any) -> Credentials:
    doors = Shared(tokens=Nowhere(), pace=None)  # type: ignore[arg-type]
    return Credentials(**{"conn_id": "crm", "conn_type": "x", "host": "https://api.test", "shared": doors, **fields})


def pem(key: Any, password: bytes | None = None) -> str:
    how = NoEncryption() if password is None else BestAvailableEncryption(password)
    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how).decode())


RSA_PEM = pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))


@pytest.mark.parametrize("shown", CONNECTIONS, ids=lambda shown: str(shown.get("extra", {}).get("auth", "basic")))
def test_every_connection_of_the_page_opens(shown: dict[str, Any]) -> None:
    if "private_key" in shown.get("extra", {}):
        shown = {**shown, "extra": {**shown["extra"], "private_key": RSA_PEM}}
    open_client(connection(**shown), None).close()


def test_every_way_has_an_example() -> None:
    said = [shown.get("extra", {}).get("auth", "basic") for shown in CONNECTIONS]
    kinds = {auth if isinstance(auth, str) else auth["kind"] for auth in said}
    assert kinds == {"bearer", "api_key", "basic", "client_credentials", "refresh_token", "jwt_bearer"}


def test_the_flow_of_the_page_is_valid() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    options = RestSourceOptions.model_validate(yaml.safe_load(text)["source"])
    assert options.auth is not None
    open_client(connection(login="id", password="secret"), options.auth).close()


APP = {"client_id": "id", "client_secret": "secret"}


@pytest.mark.parametrize(
    ("fields", "kinds", "expected"),
    [
        ({"password": "key"}, ("api_key", "refresh_token"), "api_key"),
        ({"password": "key"}, ("refresh_token", "bearer"), "bearer"),
        ({"password": "key"}, None, "bearer"),
        ({"login": "ada", "password": "x"}, None, "basic"),
        ({"login": "id", "password": "secret"}, ("client_credentials",), "client_credentials"),
        ({"login": "ada", "password": "key"}, ("api_key",), "api_key"),
        ({"extra": APP}, ("client_credentials", "refresh_token"), "client_credentials"),
        ({"extra": APP}, ("api_key", "refresh_token"), "refresh_token"),
        ({"extra": APP, "password": "key"}, ("api_key", "refresh_token"), "refresh_token"),
        ({"extra": {**APP, "refresh_token": "r"}}, ("client_credentials", "refresh_token"), "refresh_token"),
        ({"extra": {**APP, "refresh_token": "r"}}, ("client_credentials",), "client_credentials"),
        ({"extra": {**APP, "private_key": "k"}}, ("client_credentials", "jwt_bearer"), "jwt_bearer"),
        ({"extra": {**APP, "auth": "refresh_token"}}, ("client_credentials", "refresh_token"), "refresh_token"),
        ({}, None, "none"),
    ],
)
def test_the_fields_decide(fields: dict[str, Any], kinds: tuple[SignInKind, ...] | None, expected: str) -> None:
    known = None if kinds is None else SignIn(kinds=kinds)
    assert way(connection(**fields), None, known).kind == expected


def test_the_flow_goes_before_the_connection() -> None:
    assert way(connection(extra={"auth": "bearer"}), Auth(kind="basic"), None).kind == "basic"


URL = {"token_url": "https://login.test/token"}


@pytest.mark.parametrize(
    ("extra", "field"),
    [
        ({"auth": "client_credentials", **URL, "client_secret": "s"}, "extra.client_id"),
        ({"auth": "client_credentials", **URL, "client_id": "i"}, "extra.client_secret"),
        ({"auth": "client_credentials", **APP}, "extra.token_url"),
        ({"auth": "client_credentials", **APP, "token_url": "ftp://x"}, "extra.token_url"),
        ({"auth": "client_credentials", **APP, "token_url": "https://u:p@x/y"}, "extra.token_url"),
        ({"auth": "client_credentials", **APP, "token_url": "https://x:99999/y"}, "extra.token_url"),
        ({"auth": "client_credentials", **APP, "token_url": 7}, "extra.token_url"),
        ({"auth": "client_credentials", **APP, **URL, "scopes": {"a": 1}}, "extra.scopes"),
        ({"auth": "client_credentials", **APP, **URL, "client_secret": "a\nb"}, "extra.client_secret"),
        ({"auth": "refresh_token", **APP, **URL, "refresh_token": "é"}, "extra.refresh_token"),
        ({"auth": "jwt_bearer", **APP, **URL}, "extra.private_key"),
        ({"auth": "jwt_bearer", **APP, **URL, "private_key": "no key"}, "extra.private_key"),
        ({"auth": "jwt_bearer", **URL, "private_key": RSA_PEM}, "extra.client_id"),
        ({"auth": "oauth"}, "extra.auth"),
        ({"auth": {"kind": "client_credentials", "token_url": "https://elsewhere.test"}}, "extra.auth"),
        ({"auth": {"kind": "bearer", "scopes": "a"}}, "extra.auth"),
        ({"auth": 7}, "extra.auth"),
    ],
)  # fmt: skip
def test_a_field_that_does_not_fit_is_named_and_not_shown(extra: dict[str, Any], field: str) -> None:
    with pytest.raises(FluxError) as caught:
        open_client(connection(extra=extra), None)
    assert caught.value.code == "CONNECTION_INVALID"
    assert f"field '{field}'" in caught.value.message
    assert "connection 'crm'" in caught.value.message
    for secret in ("a\nb", "é", "no key", "u:p"):
        assert secret not in f"{caught.value.message} {caught.value.next_step}"


def test_a_way_that_the_system_does_not_have_is_refused_with_those_that_it_has() -> None:
    with pytest.raises(FluxError, match=r"basic is not possible; possible: api_key, refresh_token"):
        way(connection(extra={"auth": "basic"}), None, SignIn(kinds=("api_key", "refresh_token")))


def test_a_connection_with_nothing_to_sign_in_with_says_what_would_do() -> None:
    with pytest.raises(FluxError, match=r"field 'password': is empty; .*'password' \(a token\), or 'extra.client_id'"):
        way(connection(), None, SignIn(kinds=("bearer", "refresh_token")))


def test_what_signs_in_is_never_sent_as_a_header() -> None:
    extra = dict.fromkeys(OWN_EXTRAS, "x") | {"auth": "bearer", "region": "eu"}
    client = open_client(connection(password="t", extra=extra), None)
    assert client._headers["region"] == "eu"
    assert not OWN_EXTRAS & set(client._headers)
    client.close()


def test_the_extra_field_of_a_known_system_is_never_sent() -> None:
    profile = ApiProfile(sign_in=SignIn(kinds=("bearer",)))
    client = open_client(connection(password="t", extra={"consumer_key": "k"}), None, profile=profile)
    assert "consumer_key" not in client._headers
    client.close()


@pytest.mark.parametrize(("known", "scheme"), [(None, "http"), (SignIn(kinds=("bearer",)), "https")])
def test_a_known_system_is_reached_over_tls_unless_the_connection_says_otherwise(
    known: SignIn | None, scheme: str
) -> None:
    client = open_client(connection(host="api.test", password="t"), None, profile=ApiProfile(sign_in=known))
    assert str(client.base) == f"{scheme}://api.test"
    client.close()


@pytest.mark.parametrize(
    ("text", "algorithm"),
    [
        (RSA_PEM, "RS256"),
        (RSA_PEM.replace("\n", " "), "RS256"),
        (RSA_PEM.replace("\n", "\\n"), "RS256"),
        (f"  {RSA_PEM}  ", "RS256"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "ES256"),
    ],
    ids=["as it is", "one line", "escaped", "with blanks", "elliptic"],
)
def test_a_key_is_read_however_its_lines_came(text: str, algorithm: str) -> None:
    extra = {"auth": "jwt_bearer", **URL, "client_id": "i", "private_key": text}
    auth: Any = open_client(connection(extra=extra), None)._auth
    grant: JwtBearer = auth._grant
    assert grant.algorithm == algorithm
    assert grant.audience == "https://login.test"
    assert "assertion=" in grant.form(None)


@pytest.mark.parametrize(
    "key",
    [
        pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)),
        pem(ec.generate_private_key(ec.SECP384R1())),
        pem(ec.generate_private_key(ec.SECP256R1()), b"password"),
    ],
    ids=["short", "another curve", "with a password"],
)
def test_a_key_that_cannot_sign_is_refused(key: str) -> None:
    with pytest.raises(FluxError, match=r"field 'extra\.private_key'"):
        open_client(connection(extra={"auth": "jwt_bearer", **URL, "client_id": "i", "private_key": key}), None)


def test_the_origin_follows_what_a_token_comes_from() -> None:
    def origin(**extra: Any) -> str:
        base = {"auth": "refresh_token", **APP, **URL, "refresh_token": "r1"}
        auth: Any = open_client(connection(extra={**base, **extra}), None, profile=ANY_API)._auth
        return str(auth._shared.origin)

    assert origin() == origin(timeout=5)
    assert origin(client_secret="a new one of the same app") == origin()
    others = [origin(refresh_token="r2"), origin(client_id="x"), origin(scopes="a"), origin(token_url="https://x.test")]
    assert len({origin(), *others}) == 5
    app = [origin(auth="client_credentials"), origin(auth="client_credentials", client_secret="new")]
    assert len({*app, origin()}) == 3

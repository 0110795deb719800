"""The fields of a connection that signs in with OAuth2, read into what `transport.oauth` needs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final
from urllib.parse import urlsplit

from airflow_provider_flux.connectors.api.auth_options import Auth as AuthOptions
from airflow_provider_flux.connectors.api.profile import SignIn
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.auth import header_value
from airflow_provider_flux.transport.client import HttpClient
from airflow_provider_flux.transport.grants import ClientCredentials, Grant, JwtBearer, OAuthClient, RefreshToken
from airflow_provider_flux.transport.oauth import OAuth, SharedTokens
from airflow_provider_flux.transport.tally import Tally
from airflow_provider_flux.transport.token_server import TokenServer

OAUTH_KINDS: Final = frozenset({"client_credentials", "refresh_token", "jwt_bearer"})
_LONGEST_SCOPES = 4000


@dataclass(frozen=True)
class OAuthFields:
    """Reads the fields; each one that is missing or wrong is a CONNECTION_INVALID that names it.

    :param base_url: of the API, for a token URL that is a path
    """

    credentials: Credentials
    options: AuthOptions
    known: SignIn
    base_url: str | None

    def client(self) -> OAuthClient:
        """The app: `client_id` and `client_secret` of the extra field, or `login` and `password`."""
        own_id = self._text("client_id")
        client_id = own_id or self.credentials.login
        if not client_id:
            raise self.credentials.invalid("extra.client_id", "is empty; it must hold the id of the registered app")
        secret = self._text("client_secret") or (None if own_id else self.credentials.password)
        if not secret and self.options.kind == "client_credentials":
            raise self.credentials.invalid("extra.client_secret", "is empty; client credentials need it")
        for name, value in (("client_id", client_id), ("client_secret", secret)):
            self._sendable(name, value)
        return OAuthClient(client_id, secret or None, self.options.client_in or self.known.client_in)

    def grant(self) -> Grant:
        """How a token is asked for."""
        if self.options.kind == "client_credentials":
            return ClientCredentials(self.scopes(), self._text("audience") or self.options.audience)
        if self.options.kind == "refresh_token":
            refresh = self._text("refresh_token")
            self._sendable("refresh_token", refresh)
            return RefreshToken(refresh)
        key, algorithm = self._key()
        return JwtBearer(
            key=key,
            algorithm=algorithm,
            issuer=self.client().id,
            subject=self._text("subject") or (self.credentials.login if self._text("client_id") else None),
            audience=self._audience(),
            scopes=self.scopes(),
        )

    def scopes(self) -> tuple[str, ...]:
        """What is asked for: of the connection (a text with blanks or commas, or a list), the flow, the vendor."""
        own = self.credentials.extra.get("scopes")
        if isinstance(own, str):
            found = tuple(own.replace(",", " ").split())
        elif own is None or (isinstance(own, list) and all(isinstance(one, str) for one in own)):
            found = tuple(own or ())
        else:
            raise self.credentials.invalid("extra.scopes", "must be scopes separated by blanks")
        found = found or self.options.scopes or self.known.scopes
        if len(" ".join(found)) > _LONGEST_SCOPES or not " ".join(found).isprintable():
            raise self.credentials.invalid("extra.scopes", "must be scopes separated by blanks")
        return found

    def token_url(self) -> str:
        """Where tokens come from."""
        return self._url("token_url", self.options.token_url or self.known.token_url)

    def authorize_url(self) -> str:
        """Where a person consents."""
        return self._url("authorize_url", self.known.authorize_url)

    def origin(self) -> str:
        """A fingerprint of what a token comes from: a kept one of another fingerprint is void.

        The client's secret is left out where a person consented: a new secret of the same app goes with the old
        consent, and the kept refresh token may be its only copy.
        """
        extra, by_person = self.credentials.extra, self.options.kind == "refresh_token"
        client = self.client()
        parts = [
            self.options.kind, self.token_url(), client.id, None if by_person else client.secret, *self.scopes(),
            *(extra.get(name) for name in ("refresh_token", "private_key", "subject", "audience")),
        ]  # fmt: skip
        return blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()

    def _audience(self) -> str:
        parts = urlsplit(self.token_url())
        own = self._text("audience") or self.options.audience or self.known.audience
        return own or f"{parts.scheme}://{parts.netloc}"

    def _url(self, name: str, otherwise: str | None) -> str:
        field, own = f"extra.{name}", self._text(name)
        value = own or otherwise
        if not value:
            raise self.credentials.invalid(field, "is empty; it must hold a URL, as https://login.example.com/oauth")
        if value.startswith("/") and self.base_url is not None:
            base = urlsplit(self.base_url)
            value = f"{base.scheme}://{base.netloc}{value}"
        try:
            parts = urlsplit(value)
            well = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            well = False
        if not well or not value.isprintable() or " " in value or parts.username is not None or parts.fragment:
            raise self.credentials.invalid(field, "is not a URL, as https://login.example.com/oauth")
        return value

    def _key(self) -> tuple[str, str]:
        """The private key, and the algorithm that fits it."""
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric import ec, rsa
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        text = self._text("private_key")
        if not text:
            raise self.credentials.invalid("extra.private_key", "is empty; it must hold the key as PEM")
        pem = _pem(text)
        try:
            key = load_pem_private_key(pem.encode(), None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            # What is wrong with it is not repeated: the message may hold a part of it.
            raise self.credentials.invalid(
                "extra.private_key", "is not a private key in PEM without a password"
            ) from None
        if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2048:
            return pem, "RS256"
        if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp256r1":
            return pem, "ES256"
        raise self.credentials.invalid("extra.private_key", "must be an RSA key of 2048 bits or more, or EC P-256")

    def _text(self, name: str) -> str | None:
        value = self.credentials.extra.get(name)
        if value is None or isinstance(value, str):
            return (value or "").strip() or None
        raise self.credentials.invalid(f"extra.{name}", "must be a text")

    def _sendable(self, name: str, value: str | None) -> None:
        try:
            header_value(value or "")
        except ValueError as error:
            raise self.credentials.invalid(f"extra.{name}", str(error)) from None


def oauth(
    credentials: Credentials,
    options: AuthOptions,
    known: SignIn,
    base_url: str | None,
    open_client: Callable[[str], HttpClient],
    tally: Tally | None,
) -> OAuth:
    """What fetches and renews the token of a connection, see `sign_in.sign_in`.

    :raises FluxError: CONNECTION_INVALID with the field; CONFIG_INVALID for a refresh token where no store is at hand
    """
    fields = OAuthFields(credentials, options, known, base_url)
    url, shared = fields.token_url(), credentials.shared
    if shared is None and options.kind == "refresh_token":
        raise FluxError(
            "CONFIG_INVALID",
            f"connection '{credentials.conn_id}' signs in with a refresh token, which is used up when it is used: that "
            "can only be done where the new one is kept for everybody, in Flux's store",
            next_step=f"Test it with `airflow-flux connectors verify {credentials.conn_id}`, or trigger the DAG "
            "flux_verify.",
        )
    keep = () if known.base_url_from is None else (known.base_url_from,)
    server = TokenServer(credentials.conn_id, url, fields.client(), lambda: open_client(url), keep)
    tokens = None
    if shared is not None:
        only_copy = options.kind == "refresh_token"
        tokens = SharedTokens(shared.tokens, credentials.conn_id, fields.origin(), only_copy)
    return OAuth(server, fields.grant(), tokens, tally, known.token_header)


def _pem(text: str) -> str:
    """The key with its line breaks, which a form of one line or a twofold JSON loses."""
    lines = text.replace("\\n", "\n").strip()
    flat = re.fullmatch(r"(-----BEGIN [A-Z ]+-----)([\sA-Za-z0-9+/=]+)(-----END [A-Z ]+-----)", lines)
    if flat is None:
        return lines
    begin, body, end = flat.groups()
    return "\n".join((begin, *re.findall(r".{1,64}", "".join(body.split())), end, ""))

"""What a client shows a token server to get a token: the grants of OAuth2 that need no browser, and the one that does.

The forms, the signature of a JWT and the client's own authentication are Authlib's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_JWT_SECONDS = 180  # Salesforce takes no assertion that is valid for longer


@dataclass(frozen=True)
class OAuthClient:
    """The app that was registered with the system.

    :param secret: None for a public client, and for one that signs its requests
    :param client_in: how it says who it is: by Basic authentication (RFC 6749, 2.3.1) or in the body
    """

    id: str
    secret: str | None = field(default=None, repr=False)
    client_in: Literal["header", "body"] = "body"

    def request(self, form: str) -> tuple[dict[str, str], str]:
        """Headers and body of a request of this client.

        :param form: the grant
        """
        from authlib.oauth2.auth import ClientAuth

        method = "none"
        if self.secret is not None:
            method = "client_secret_basic" if self.client_in == "header" else "client_secret_post"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        prepare: Callable[..., tuple[str, dict[str, str], str]] = ClientAuth(self.id, self.secret, method).prepare
        return prepare("POST", "", headers, form)[1:]


class Grant(ABC):
    """One way to ask for a token."""

    by_person: bool = False
    """Whether it rests on the consent of a person, which only a person can give again."""

    @abstractmethod
    def form(self, refresh: str | None) -> str:
        """The body of the request, without the client.

        :param refresh: the refresh token that was handed out last, if there is one
        """

    @abstractmethod
    def secrets(self) -> tuple[str, ...]:
        """Texts that must never be shown."""


@dataclass(frozen=True)
class ClientCredentials(Grant):
    """The app itself (RFC 6749, 4.4).

    :param audience: of the token, where the server wants one (Auth0)
    """

    scopes: tuple[str, ...] = ()
    audience: str | None = None

    def form(self, refresh: str | None) -> str:
        """Asks for a token of the app's own; a refresh token is not used."""
        return _form("client_credentials", scope=" ".join(self.scopes), audience=self.audience)

    def secrets(self) -> tuple[str, ...]:
        """None of its own."""
        return ()


@dataclass(frozen=True)
class RefreshToken(Grant):
    """What a person consented to before (RFC 6749, 6).

    :param first: the refresh token of the connection, used while no later one is known
    """

    by_person = True

    first: str | None = field(default=None, repr=False)

    def form(self, refresh: str | None) -> str:
        """Asks for a new token with the refresh token that was handed out last. No scopes: they stay as consented."""
        return _form("refresh_token", refresh_token=refresh or self.first)

    def secrets(self) -> tuple[str, ...]:
        """The refresh token of the connection."""
        return () if self.first is None else (self.first,)


@dataclass(frozen=True)
class JwtBearer(Grant):
    """An app that signs with its own key for a user (RFC 7523).

    :param key: PEM
    :param algorithm: RS256 or ES256
    """

    key: str = field(repr=False)
    algorithm: str
    issuer: str
    subject: str | None
    audience: str
    scopes: tuple[str, ...] = ()

    def form(self, refresh: str | None) -> str:
        """Asks with an assertion that is valid for three minutes; a refresh token is not used."""
        from authlib.oauth2.rfc7523.assertion import sign_jwt_bearer_assertion
        from joserfc.jwk import ECKey, RSAKey

        key = (ECKey if self.algorithm.startswith("ES") else RSAKey).import_key(self.key)
        assertion = sign_jwt_bearer_assertion(
            key, self.issuer, self.audience, self.subject, alg=self.algorithm, expires_in=_JWT_SECONDS
        )
        return _form(JWT_BEARER, assertion=assertion, scope=" ".join(self.scopes))

    def secrets(self) -> tuple[str, ...]:
        """The key."""
        return (self.key,)


@dataclass(frozen=True)
class AuthorizationCode(Grant):
    """A person's consent, as the browser brought it back (RFC 6749, 4.1.3; PKCE: RFC 7636, 4.5)."""

    by_person = True

    code: str = field(repr=False)
    redirect_uri: str
    verifier: str | None = field(default=None, repr=False)

    def form(self, refresh: str | None) -> str:
        """Exchanges the code; it can be used once."""
        return _form(
            "authorization_code", redirect_uri=self.redirect_uri, code=self.code, code_verifier=self.verifier
        )

    def secrets(self) -> tuple[str, ...]:
        """The code, and what proves that it is ours."""
        return tuple(secret for secret in (self.code, self.verifier) if secret is not None)


def _form(grant_type: str, redirect_uri: str | None = None, **members: str | None) -> str:
    from authlib.oauth2.rfc6749.parameters import prepare_token_request

    body: str = prepare_token_request(grant_type, "", redirect_uri, **members)
    return body

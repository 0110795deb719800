"""A person's consent to a connection that signs in with a refresh token: the address to open, and what came back.

Authorization code (RFC 6749, 4.1) with a state of its own each time, and PKCE (RFC 7636) where the system takes it. How
the browser comes back to us is the caller's business: the command line listens on the loopback interface.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from airflow_provider_flux.connectors.api import sign_in
from airflow_provider_flux.connectors.api.auth_options import Auth as AuthOptions
from airflow_provider_flux.connectors.api.connection import open_auth
from airflow_provider_flux.connectors.api.oauth_fields import OAuthFields
from airflow_provider_flux.connectors.api.profile import ApiProfile
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.grants import AuthorizationCode
from airflow_provider_flux.transport.oauth import OAuth
from airflow_provider_flux.transport.shared import StoredToken

_STATE_LENGTH, _VERIFIER_LENGTH = 32, 64


@dataclass(frozen=True)
class Consent:
    """A consent that was asked for.

    :param url: where a browser must go
    """

    conn_id: str
    url: str = field(repr=False)
    redirect_uri: str
    state: str = field(repr=False)
    verifier: str | None = field(repr=False)
    signer: OAuth

    def finish(self, answer: Mapping[str, str]) -> StoredToken:
        """Exchange what the browser brought back for a token, and keep that for all tasks.

        :param answer: the query with which the browser came to `redirect_uri`
        :raises FluxError: AUTHENTICATION_FAILED when the consent was denied, or is not the one that was asked for
        """
        again = f"Run `airflow-flux connectors reconnect {self.conn_id}` again, and use the page that it opens."
        if not hmac.compare_digest(answer.get("state", "").encode(), self.state.encode()):
            raise self._failed("the answer belongs to another attempt (its `state` is not ours)", again)
        if said := answer.get("error"):
            words = ": ".join(word for word in (said, answer.get("error_description", "")) if word)
            denied = "the consent was denied" if said == "access_denied" else "the system refuses to ask for consent"
            raise self._failed(f"{denied} ({words})", _NEXT.get(said, again))
        if not answer.get("code"):
            raise self._failed("the answer holds no `code`", again)
        try:
            return self.signer.accept(AuthorizationCode(answer["code"], self.redirect_uri, self.verifier))
        except FluxError as error:
            if error.code == "AUTHENTICATION_FAILED":
                error.next_step = f"{error.next_step} A code is good for one use within a few minutes. {again}"
            raise

    def _failed(self, what: str, next_step: str) -> FluxError:
        return FluxError(
            "AUTHENTICATION_FAILED", f"connection '{self.conn_id}' was not connected: {what}", next_step=next_step
        )


_NEXT = {
    "access_denied": "Approve the page as somebody who may: some systems let only administrators connect an app.",
    "invalid_scope": "Correct the field 'extra.scopes' of the Airflow connection.",
    "unauthorized_client": "Allow the authorization code in the app's settings in the system.",
    "temporarily_unavailable": "Try again in some minutes.",
}


def ask_consent(
    credentials: Credentials, of_flow: AuthOptions | None, profile: ApiProfile, redirect_uri: str
) -> Consent | None:
    """Prepare a consent; None for a connection that signs in another way.

    :param of_flow: what a flow that uses the connection says
    :param redirect_uri: where the system sends the browser afterwards, as it is registered there
    :raises FluxError: CONNECTION_INVALID with the field that is missing or wrong
    """
    from authlib.common.security import generate_token
    from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    challenge: Callable[[str], str] = create_s256_code_challenge
    known = profile.sign_in or sign_in.ANY
    options = sign_in.way(credentials, of_flow, profile.sign_in)
    if options.kind != "refresh_token":
        return None
    signer, base = open_auth(credentials, of_flow, profile)
    assert isinstance(signer, OAuth)
    fields = OAuthFields(credentials, options, known, base if isinstance(base, str) else None)
    state = generate_token(_STATE_LENGTH)
    verifier = generate_token(_VERIFIER_LENGTH) if known.pkce else None
    proof = {} if verifier is None else {
        "code_challenge": challenge(verifier), "code_challenge_method": "S256"
    }  # fmt: skip
    url = prepare_grant_uri(
        fields.authorize_url(),
        fields.client().id,
        "code",
        redirect_uri=redirect_uri,
        scope=" ".join(fields.scopes()),
        state=state,
        **proof,
    )
    return Consent(credentials.conn_id, url, redirect_uri, state, verifier, signer)

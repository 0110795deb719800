"""Fields that the connection forms of HTTP APIs share."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_provider_flux.connectors.declare import SECRET, FormField

CLIENT: Mapping[str, FormField] = {
    "timeout": FormField(
        "Timeout",
        "Seconds that the API may be silent; 30 unless given.",
        {"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 3600},
    ),
    "limit": FormField(
        "Limit of calls",
        "Calls that all flows on this connection may make together within a span, for example 100/10s or 40/2s, "
        "2500/5m; none: no limit. When empty: what the vendor allows, where Flux knows it.",
    ),
    "verify": FormField(
        "Check TLS certificates",
        "`false`, or the file of a certificate authority. When empty: the system's authorities.",
    ),
    "proxy": FormField("Proxy", "URL of an HTTP proxy. When empty: what the worker's environment says.", SECRET),
}
"""How the API is reached."""

WAY = FormField(
    "Way of signing in",
    "Unless a flow says it: bearer, basic, api_key, none, client_credentials, refresh_token or jwt_bearer. When empty: "
    "what the other fields fit.",
)

CONSENT = FormField("Authorize URL", "Where a person consents, for `airflow-flux connectors reconnect`.")

OAUTH: Mapping[str, FormField] = {
    "client_id": FormField("Client ID", "Of the app that was registered with the system (OAuth)."),
    "client_secret": FormField("Client secret", "Of the same app (OAuth).", SECRET),
    "scopes": FormField("Scopes", "What the app may do, separated by blanks; the connector's own unless given."),
    "token_url": FormField("Token URL", "Where tokens come from; the vendor's own unless given."),
}
"""The app that signs in with OAuth2: client credentials need nothing else."""

REFRESH: Mapping[str, FormField] = {
    "refresh_token": FormField(
        "Refresh token",
        "Leave it empty and run `airflow-flux connectors reconnect NAME`, which keeps one in Flux's store. One that is "
        "written here is used once, if the system rotates them; what follows it is kept in the store.",
        SECRET,
    ),
}
"""Beside `OAUTH`: a person's consent."""

JWT: Mapping[str, FormField] = {
    "client_id": OAUTH["client_id"],
    "private_key": FormField("Private key", "PEM, for OAuth2 by JWT bearer (RFC 7523).", SECRET),
    "subject": FormField("User", "For whom the app signs in by JWT bearer, for example a user name."),
    "audience": FormField("Audience", "Of the JWT; the token URL's host unless given."),
    "token_url": OAUTH["token_url"],
}
"""An app that signs in with a key of its own."""

TEST_PATH = FormField("Path to test", "What the Test button asks for, for example /v1/me.")

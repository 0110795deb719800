"""What a flow, or the extra field of a connection, may say about signing in to an API: `auth`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from airflow_provider_flux.connectors.api.profile import SignInKind
from airflow_provider_flux.connectors.options import Fields, Model

_OAUTH = ("client_credentials", "refresh_token", "jwt_bearer")


def _token_path(value: str) -> str:
    if "://" in value or value.startswith("//"):
        raise ValueError(
            "write only the path, on the API's own host; a token server elsewhere stands in the connection: "
            "extra.token_url"
        )
    if not value.startswith("/") or not value.isprintable() or " " in value or "#" in value:
        raise ValueError("a path begins with `/` and holds no blanks, line breaks or `#`")
    return value


class Auth(Model):
    """How the credentials of the connection are sent, or what is fetched with them first."""

    kind: SignInKind = Field(
        description="`bearer`: password as a token. `basic`: login and password. `api_key`: password as a key. `none`. "
        "`client_credentials`, `refresh_token`, `jwt_bearer`: OAuth2, see docs/sign-in.md."
    )
    header: str | None = Field(default=None, description="Header that carries the API key; X-Api-Key unless given.")
    query: str | None = Field(
        default=None, description="Query parameter that carries the API key, instead of a header."
    )
    prefix: str = Field(default="", description="Text before the API key in its header, for example `Token `.")
    token_url: Annotated[str, AfterValidator(_token_path)] | None = Field(
        default=None,
        description="OAuth2: path of the token server, if it is on the API's host; else it is `token_url` in the extra "
        "field of the connection.",
    )
    scopes: Fields | None = Field(default=None, description="OAuth2: what is asked for; one text or a list.")
    audience: str | None = Field(
        default=None,
        description="OAuth2: for whom the token (`client_credentials`) or the assertion (`jwt_bearer`) is.",
    )
    client_in: Literal["header", "body"] | None = Field(
        default=None,
        description="OAuth2: whether client id and secret go into the `body` of the request for a token (default) or "
        "into its `header`, as Basic authentication.",
    )

    @model_validator(mode="after")
    def _fits(self) -> Auth:
        if self.kind != "api_key" and (self.header or self.query or self.prefix):
            raise ValueError("`header`, `query` and `prefix` belong to kind api_key")
        if self.header and self.query:
            raise ValueError("write either `header` or `query`")
        if self.query and self.prefix:
            raise ValueError("`prefix` belongs to a header")
        if self.kind not in _OAUTH and (self.token_url or self.scopes or self.audience or self.client_in):
            raise ValueError(f"`token_url`, `scopes`, `audience` and `client_in` belong to {', '.join(_OAUTH)}")
        return self

"""What a flow file may say to the REST connector, whichever side it is on."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from airflow_provider_flux.connectors.options import Model
from airflow_provider_flux.errors import CATALOGUE
from airflow_provider_flux.transport.auth import header_value
from airflow_provider_flux.transport.masking import is_secret_name
from airflow_provider_flux.transport.paths import check_path

AnswerPath = Annotated[str, AfterValidator(check_path)]
"""Where something stands in an answer: `paging.next.after`, `data[0].id`, `data[-1].id`, `links["next.page"]`."""


def _url_path(value: str) -> str:
    if "://" in value or value.startswith("//"):
        raise ValueError("write only the path; the host stands in the Airflow connection")
    if not value.isprintable() or " " in value or "#" in value:
        raise ValueError("a path holds no blanks, line breaks or `#`; write %20 for a blank")
    return value


UrlPath = Annotated[str, AfterValidator(_url_path)]
"""A path below the connection's base URL."""


Scalar = str | int | float | bool
Params = dict[Annotated[str, Field(min_length=1)], Scalar | list[Scalar]]
"""Query parameters; a list repeats its name."""


def _headers(value: dict[str, str]) -> dict[str, str]:
    for name, text in value.items():
        if re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) is None:
            raise ValueError(f"{name!r} is not the name of a header")
        if is_secret_name(name) and name.lower() != "idempotency-key":
            raise ValueError(f"{name!r} looks like a secret; it belongs into the Airflow connection, see `auth`")
        try:
            header_value(text)
        except ValueError as error:
            raise ValueError(f"the value of {name!r} cannot be sent: {error}") from None
    return value


Headers = Annotated[dict[str, str], AfterValidator(_headers)]
"""Headers without secrets."""


def _statuses(value: Any) -> Any:
    return [value] if isinstance(value, int) else value


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return value


def _code(value: str) -> str:
    if value not in CATALOGUE:
        raise ValueError(f"{value!r} is no error code; allowed are {', '.join(CATALOGUE)}")
    return value


class ErrorRow(Model):
    """Gives a name to one kind of answer. The first row that fits decides."""

    code: Annotated[str, AfterValidator(_code)] = Field(description="Code of the error catalogue.")
    status: (
        Annotated[
            tuple[Annotated[int, Field(ge=100, le=599)], ...],
            BeforeValidator(_statuses, json_schema_input_type=int | list[int]),
        ]
        | None
    ) = Field(default=None, description="HTTP status, or a list of them; every error unless given. 200 is allowed.")
    path: AnswerPath | None = Field(
        default=None, description="Where in the answer to look; the whole text unless given."
    )
    match: Annotated[str, AfterValidator(_pattern)] | None = Field(
        default=None, description="Regular expression to find there; a group named `field` gives the target field."
    )
    field: AnswerPath | None = Field(default=None, description="Path in the answer that names the target field.")

    @model_validator(mode="after")
    def _recognises(self) -> ErrorRow:
        if self.status is None and self.match is None and self.path is None:
            raise ValueError("write `status`, `match` or `path`, or the row fits every error")
        if self.status is not None and min(self.status) < 400 and self.match is None and self.path is None:
            raise ValueError("a row for a successful status needs `path` or `match`")
        return self

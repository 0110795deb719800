"""Placeholders in paths and bodies of writes: `{record}`, `{record.email}`, `{key}`, `{destination_key}`.

`{record}` is the mapped record, `{record.email}` a field of it, `{key}` its field named by `key`, `{destination_key}`
the key that the destination answered when the record was delivered before. `{key|url}` is percent-encoded, as it must
be in a URL. `{{` and `}}` are braces; in a GraphQL document (`query`) every brace is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from airflow_provider_flux.connectors.contract import WriteItem
from airflow_provider_flux.errors import RecordError, preview
from airflow_provider_flux.transport.graphql import is_request
from airflow_provider_flux.transport.paths import MISSING, check_path, get

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")

Renderer = Callable[[WriteItem], Any]


class Unfit(Exception):
    """A record from which the request cannot be made."""

    def __init__(self, error: RecordError) -> None:
        super().__init__(error.message)
        self.error = error


def compile_template(template: Any, key: str | None, *, url: bool = False) -> Renderer:
    """What makes a request's path or body out of a record. The renderer raises Unfit.

    In an object, a member whose value is just a placeholder is left out where the record has no such field.

    :param template: text, or objects and lists of texts
    :param key: the one target field that `{key}` stands for; None if there is not exactly one
    :param url: percent-encode every value
    :raises ValueError: for a placeholder that does not exist
    """
    if isinstance(template, str):
        return _text(template, key, url)
    if isinstance(template, dict):
        # A GraphQL document is full of braces of its own, and gets its values through variables.
        fixed = {"query"} if is_request(template) else set()
        members = {
            name: _constant(value) if name in fixed else compile_template(value, key, url=url)
            for name, value in template.items()
        }
        return lambda item: {name: value for name, render in members.items() if (value := render(item)) is not MISSING}
    if isinstance(template, list):
        parts = [compile_template(value, key, url=url) for value in template]
        return lambda item: [value for render in parts if (value := render(item)) is not MISSING]
    return _constant(template)


def has_placeholder(text: str) -> bool:
    """Whether a text differs from record to record."""
    return any(match[1] is not None for match in _TOKEN.finditer(text))


def _constant(value: Any) -> Renderer:
    return lambda item: value


def placeholders(text: str) -> list[str]:
    """The names of the placeholders of a text, without their filters."""
    return [match[1].partition("|")[0] for match in _TOKEN.finditer(text) if match[1] is not None]


def _text(text: str, key: str | None, url: bool) -> Renderer:
    whole = _TOKEN.fullmatch(text)
    if whole is not None and whole[1] is not None and not url and not whole[1].endswith("|url"):
        return _value(whole[1], key)
    parts: list[str | Renderer] = []
    done = 0
    for match in _TOKEN.finditer(text):
        parts.append(text[done : match.start()])
        done = match.end()
        parts.append(match[0][0] if match[0] in ("{{", "}}") else _inserted(match, text, key, url))
    parts.append(text[done:])
    return lambda item: "".join(part if isinstance(part, str) else part(item) for part in parts)


def _inserted(match: re.Match[str], text: str, key: str | None, url: bool) -> Renderer:
    """A placeholder inside a longer text: its value must be there, and must be text or a number."""
    if match[1] is None:
        raise ValueError(f"{text!r} has a single brace; write {{{{ for a brace itself")
    name, _, form = match[1].partition("|")
    if form not in ("", "url"):
        raise ValueError(f"{match[0]} is not a placeholder: the only filter is `url`")
    value_of = _value(name, key)

    def insert(item: WriteItem) -> str:
        value = value_of(item)
        field = _field_name(name, key)
        if value is MISSING or value is None or value == "":
            raise Unfit(
                RecordError("REQUIRED_FIELD_MISSING", f"the request needs '{field}', which is empty", field=field)
            )
        if isinstance(value, (dict, list)):
            message = f"the request needs '{field}' as text, and it is a list or an object"
            raise Unfit(RecordError("INVALID_FORMAT", message, field=field, value=preview(value)))
        written = _as_text(value)
        if not (url or form):
            return written
        if written in (".", ".."):
            # These two would be taken as steps of the path, and lead to another resource.
            message = f"'{field}' is {written!r}, which cannot stand in a URL"
            raise Unfit(RecordError("INVALID_FORMAT", message, field=field, value=written))
        return _quoted(written, field)

    return insert


def _value(name: str, key: str | None) -> Renderer:
    if name == "record":
        return lambda item: item.data
    if name == "destination_key":
        return lambda item: MISSING if item.destination_key is None else item.destination_key
    if name == "key":
        if key is None:
            raise ValueError("{key} needs `key` with exactly one field; with several write {record.<field>} for each")
        name = f"record.{key}"
    if name.startswith("record."):
        path = check_path(name.removeprefix("record."))
        return lambda item: get(item.data, path)
    raise ValueError(
        f"{{{name}}} is not a placeholder; allowed are {{record}}, {{record.<field>}}, {{key}}, {{destination_key}}"
    )


def _field_name(name: str, key: str | None) -> str:
    return key or name if name == "key" else name.removeprefix("record.")


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _quoted(text: str, field: str) -> str:
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        message = f"'{field}' holds characters that are not valid UTF-8"
        raise Unfit(RecordError("INVALID_ENCODING", message, field=field, value=preview(text))) from None

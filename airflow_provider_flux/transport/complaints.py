"""The single complaints in an error's body: what each says, and the field that it names.

Only what stands under the usual names of messages and codes is read. A body also echoes what was sent, and names its
own request: neither must be taken for what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from airflow_provider_flux.transport.answers import looks_like_html, storable
from airflow_provider_flux.transport.paths import MISSING, get

_SAYING = (
    "message", "msg", "detail", "description", "error_description", "error_message", "title", "reason", "error",
    "code", "errorCode", "error_code", "statusCode", "type", "category",
)  # fmt: skip
"""Names under which a text says what is wrong."""

_HOLDING = (
    "error", "errors", "detail", "details", "fault", "body", "messages", "violations", "validationErrors",
    "validation_errors", "fieldErrors", "field_errors",
)  # fmt: skip
"""Names under which further complaints stand."""

_BY_FIELD = ("error", "errors", "details", "fields", "validationErrors", "fieldErrors", "field_errors", "messages")
"""Names under which an object may hold complaints by field: `{"errors": {"email": ["is required"]}}`."""

_FIELDS = (
    "field", "fieldName", "field_name", "fields", "property", "propertyName", "param", "parameter", "attribute",
    "column", "source.pointer", "pointer", "loc", "path", "context.propertyName", "name",
)  # fmt: skip
"""Where a complaint names its field."""

_AROUND = frozenset({"body", "query", "data", "input", "inputs", "attributes", "properties", "variables", "payload"})
"""What stands around the record in a path to a field."""

_MOST = 50
_DEEPEST = 6
_LONGEST = 1000


@dataclass(frozen=True)
class Complaint:
    """One thing that is wrong.

    :param text: message and code as the system wrote them
    :param field: the field that it names, in the system's own spelling
    """

    text: str
    field: str | None = None


def complaints(value: Any) -> list[Complaint]:
    """What an error's body complains about, the outermost first; nothing for a page that is made for people.

    :param value: the body: JSON, or its text
    """
    if isinstance(value, str) and looks_like_html(value.encode("utf-8", "replace")):
        return []
    found: list[Complaint] = []
    for complaint in _walk(value, None, 0):
        found.append(complaint)
        if len(found) == _MOST:
            break
    return found


def _walk(value: Any, field: str | None, depth: int) -> Iterator[Complaint]:
    if isinstance(value, str):
        yield _complaint(value, field)
    elif depth < _DEEPEST and isinstance(value, list):
        for item in value[:_MOST]:
            yield from _walk(item, field, depth + 1)
    elif depth < _DEEPEST and isinstance(value, dict):
        yield from _of_object(value, field, depth)


def _of_object(value: dict[str, Any], field: str | None, depth: int) -> Iterator[Complaint]:
    if depth == 0 and value and all(_is_texts(below) for below in value.values()):
        yield from _by_field(value, depth)
        return
    named = _named(value) or field
    texts = [text for name in _SAYING if isinstance(text := value.get(name), str) and text.strip()]
    if texts:
        yield _complaint("; ".join(texts), named)
    for name in _HOLDING:
        below = value.get(name)
        if isinstance(below, dict) and name in _BY_FIELD and not any(said in below for said in _SAYING):
            yield from _by_field(below, depth)
        if isinstance(below, (dict, list)):
            yield from _walk(below, named, depth + 1)


def _by_field(value: dict[str, Any], depth: int) -> Iterator[Complaint]:
    for name, below in value.items():
        if isinstance(below, str) or _is_texts(below):
            yield from _walk(below, str(name), depth + 1)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)


def _named(value: dict[str, Any]) -> str | None:
    for name in _FIELDS:
        found = get(value, name)
        if isinstance(found, list) and found and all(isinstance(step, (str, int)) for step in found):
            found = ".".join(str(step) for step in found)
        if found is MISSING or not isinstance(found, str) or not found.strip():
            continue
        if name == "path" and found.startswith("/"):
            continue  # the path of the request, as some frameworks repeat it
        return field_path(found)
    return None


def field_path(path: str) -> str:
    """The path of a field inside its record: `/data/attributes/email` and `body.email` are `email`."""
    steps = [step for step in path.replace("/", ".").split(".") if step]
    while len(steps) > 1 and (steps[0] in _AROUND or steps[0].isdigit()):
        steps = steps[1:]
    return storable(".".join(steps))[:200]


def _complaint(text: str, field: str | None) -> Complaint:
    return Complaint(" ".join(storable(text[:_LONGEST]).split()), field)

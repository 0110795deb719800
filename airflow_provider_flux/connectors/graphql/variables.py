"""The variables of a document, made out of a record."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider_flux.connectors.contract import WriteItem
from airflow_provider_flux.connectors.graphql.document import Document
from airflow_provider_flux.connectors.rest.placeholders import Unfit, compile_template, placeholders
from airflow_provider_flux.errors import RecordError
from airflow_provider_flux.transport.paths import MISSING

_WHOLE = re.compile(r"-?\d{1,10}", re.ASCII)

Render = Callable[[WriteItem], dict[str, Any]]
"""Raises Unfit for a record from which the variables cannot be made."""


def compile_variables(template: Mapping[str, Any], key: str | None, document: Document | None = None) -> Render:
    """What makes the variables of a call out of a record.

    A variable that is just a placeholder is left out where the record has no such field.

    :param key: the one target field that `{key}` stands for; None if there is not exactly one
    :param document: says which variables need a value, and of which type: the key of a link is a text, also where the
        document declares it as `Int`
    :raises ValueError: for a placeholder that does not exist
    """
    # One by one: a variable may be called `query`, which has a meaning of its own where a whole body is a template.
    members = {name: compile_template(value, key) for name, value in template.items()}
    filled = filled_by(template, key)
    declared = [] if document is None else list(document.variables.values())

    def render(item: WriteItem) -> dict[str, Any]:
        values = {name: value for name, of in members.items() if (value := of(item)) is not MISSING}
        for one in declared:
            if one.name in values:
                values[one.name] = _typed(values[one.name], one.type.rstrip("!"))
            if one.required and values.get(one.name) is None:
                field = filled.get(one.name)
                message = f"the document needs '{field or one.name}', which is empty"
                raise Unfit(RecordError("REQUIRED_FIELD_MISSING", message, field=field))
        return values

    return render


def filled_by(template: Mapping[str, Any], key: str | None) -> dict[str, str]:
    """The variables that hold one field of the record each, and its name."""
    found: dict[str, str] = {}
    for name, value in template.items():
        named = placeholders(value) if isinstance(value, str) else []
        if len(named) != 1 or value != "{" + named[0] + "}":
            continue
        if named[0] == "key" and key is not None:
            found[name] = key
        elif named[0].startswith("record."):
            found[name] = named[0].removeprefix("record.")
    return found


def _typed(value: Any, declared: str) -> Any:
    """A number as text or a text as number, where the document declares that. Nothing is lost by it."""
    if declared == "Int" and isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    if declared in ("String", "ID") and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value

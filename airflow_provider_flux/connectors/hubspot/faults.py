"""HubSpot's error bodies, taken apart.

A refusal comes as `{"status": "error", "category": "VALIDATION_ERROR", "message": ..., "context": {...}, "errors":
[{"message", "code", "in", "context"}]}`. What is wrong with single properties often stands as a JSON list **inside the
message**: `Property values were not valid: [{"isValid":false,"message":...,"error":"INVALID_EMAIL","name":"email"}]`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from airflow_provider_flux.connectors.contract import WriteItem
from airflow_provider_flux.errors import RecordError, preview
from airflow_provider_flux.transport.classify import Finding, Row, as_text, recognise, vendor_message
from airflow_provider_flux.transport.masking import Masker
from airflow_provider_flux.transport.wordings import record_fault

_LIST = re.compile(r"\[\s*\{.*\}\s*\]", re.DOTALL)


def _row(code: str, path: str, pattern: str) -> Row:
    return Row(code, None, path, re.compile(pattern), field="name")


ROWS = (
    _row("DUPLICATE_RECORD", "category", "^(CONFLICT|OBJECT_ALREADY_EXISTS)$"),
    _row("DUPLICATE_RECORD", "error", "UNIQUE|ALREADY_EXISTS"),
    _row("RECORD_NOT_FOUND", "category", "^OBJECT_NOT_FOUND$"),
    _row("FIELD_NOT_FOUND", "error", "^PROPERTY_DOESNT_EXIST$"),
    _row("INVALID_EMAIL", "error", "^INVALID_EMAIL$"),
    _row("REQUIRED_FIELD_MISSING", "error", "REQUIRED|^MISSING_"),
    _row("REQUIRED_FIELD_MISSING", "message", "required properties were not set"),
    _row("VALUE_TOO_LONG", "error", "TOO_LONG|TOO_LARGE|MAX_LENGTH|STRING_LENGTH"),
    _row("VALUE_OUT_OF_RANGE", "error", "OUT_OF_RANGE|^(MIN|MAX)_"),
    _row("CONSTRAINT_VIOLATED", "error", "READ_ONLY"),
    _row("INVALID_FORMAT", "error", "^INVALID_|WHITESPACE"),
)
"""Recognise one problem of a refused record, as `problems` hands it out. What HubSpot words in other ways is left to
`transport.wordings`."""


def refusal(error: Any, item: WriteItem, mask: Masker, status: int | None = None, endpoint: str = "") -> RecordError:
    """The error of a record that HubSpot did not take.

    :param error: the body of the answer, or one of the errors in it
    :param item: the record; one without data where it is not known which it is
    """
    found = list(problems(error))
    finding = next((known for one in found if (known := _known(one)) is not None), Finding("RECORD_REJECTED"))
    said = "; ".join(dict.fromkeys(text for one in found if (text := vendor_message(one.get("message", "")))))
    where = f" ({endpoint}, HTTP {status})" if endpoint else ""
    field = finding.field
    return RecordError(
        finding.code,
        mask(f"HubSpot refused the record{where}: {said}" if said else f"HubSpot refused the record{where}"),
        field=field,
        value=preview(item.data[field]) if field in item.data else None,
        answer=mask(error if isinstance(error, str) else as_text(error))[:4000],
        status=status,
    )


def problems(error: Any) -> Iterator[dict[str, Any]]:
    """Everything that a refusal complains about, each as `error` (a code), `name` (a property) and `message`, beside
    the `category` of the whole."""
    if not isinstance(error, dict):
        yield {"message": error if isinstance(error, str) else as_text(error)}
        return
    category = error.get("category")
    inside = list(_inside(error.get("message"))) or list(_details(error))
    for one in inside:
        yield {"category": category, **one}
    if not inside:
        yield {"category": category, "message": error.get("message", "")}


def missing_scopes(error: Any) -> tuple[str, ...]:
    """The scopes that a 403 names, of which the app has none or not all."""
    details = error.get("errors") if isinstance(error, dict) else None
    found: list[str] = []
    for holder in [error, *(details if isinstance(details, list) else [])]:
        for values in _context(holder, "requiredGranularScopes", "requiredScopes", "missingScopes"):
            found += values
    return tuple(dict.fromkeys(found))


def context_values(error: Any) -> set[str]:
    """Every value in the context of an error: trace ids, record ids, values of the key."""
    context = error.get("context") if isinstance(error, dict) else None
    if not isinstance(context, dict):
        return set()
    return {str(one) for values in context.values() for one in (values if isinstance(values, list) else [values])}


def _inside(message: Any) -> Iterator[dict[str, Any]]:
    """The problems in the JSON list inside a message; nothing where there is none."""
    found = _LIST.search(message) if isinstance(message, str) else None
    if found is None:
        return
    try:
        listed = json.loads(found[0])
    except ValueError:
        return
    for one in listed:
        if isinstance(one, dict) and one.get("isValid") is not True:
            yield {key: one[key] for key in ("error", "name", "message") if isinstance(one.get(key), str)}


def _details(error: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The problems in the list `errors`."""
    details = error.get("errors")
    for one in details if isinstance(details, list) else []:
        if not isinstance(one, dict):
            continue
        named = [*(name for names in _context(one, "propertyName", "propertyNames") for name in names), one.get("in")]
        name = next((name for name in named if isinstance(name, str)), None)
        yield {"error": one.get("code") or "", "name": name, "message": one.get("message", "")}


def _context(holder: Any, *names: str) -> Iterator[list[str]]:
    context = holder.get("context") if isinstance(holder, dict) else None
    for name in names:
        values = context.get(name) if isinstance(context, dict) else None
        if isinstance(values, list):
            yield [str(value) for value in values]


def _known(problem: dict[str, Any]) -> Finding | None:
    found = recognise(ROWS, None, problem, failed=True)
    if found is not None:
        return found
    # Its category says no more than that something is wrong.
    return record_fault(None, {key: value for key, value in problem.items() if key != "category"})

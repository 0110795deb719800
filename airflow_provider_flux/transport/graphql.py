"""What a GraphQL server says: errors beside its data or instead of it, and refusals typed into the data.

Sources: https://spec.graphql.org/October2021/#sec-Response-Format, the codes of Apollo Server, Shopify, Hasura and
AppSync as they publish them, and the sentences of the reference implementation graphql-js, which most servers pass on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from airflow_provider_flux.transport.classify import Finding, as_text
from airflow_provider_flux.transport.complaints import field_path
from airflow_provider_flux.transport.paths import MISSING, get, steps
from airflow_provider_flux.transport.wordings import caller_fault, record_fault


class Meaning(NamedTuple):
    """What a vendor's code means in our catalogue; None where it says too little.

    :param request: where it answers a whole request
    :param record: where it answers the write of one record
    """

    request: str | None
    record: str | None


_BROKEN = Meaning("OUTAGE", "OUTAGE")  # of whichever side answers
_LOGIN = Meaning("AUTHENTICATION_FAILED", "AUTHENTICATION_FAILED")
_RIGHTS = Meaning("PERMISSION_DENIED", "PERMISSION_DENIED")
_THROTTLE = Meaning("RATE_LIMIT_EXCEEDED", "RATE_LIMIT_EXCEEDED")
_GONE = Meaning("NOT_FOUND", "RECORD_NOT_FOUND")
_INPUT = Meaning("PAYLOAD_MISMATCH", "INVALID_FORMAT")
_WRONG = Meaning(None, "INVALID_FORMAT")
_DOCUMENT = Meaning("PAYLOAD_MISMATCH", "PAYLOAD_MISMATCH")
_RULE = Meaning("PAYLOAD_MISMATCH", "CONSTRAINT_VIOLATED")
_TWICE = Meaning(None, "DUPLICATE_RECORD")

CODES: Mapping[str, Meaning] = {
    "ACCESS_DENIED": _RIGHTS,
    "ALREADY_EXISTS": _TWICE,
    "ARGUMENT_LITERALS_INCOMPATIBLE": _DOCUMENT,
    "ARGUMENT_NOT_ACCEPTED": _DOCUMENT,
    "BAD_REQUEST": _INPUT,
    "BAD_USER_INPUT": _INPUT,
    "BLANK": Meaning("PAYLOAD_MISMATCH", "REQUIRED_FIELD_MISSING"),
    "CONFLICT": _TWICE,
    "CONSTRAINT_VIOLATION": _RULE,
    "DATA_EXCEPTION": _INPUT,
    "FORBIDDEN": _RIGHTS,
    "GRAPHQL_PARSE_FAILED": _DOCUMENT,
    "GRAPHQL_VALIDATION_FAILED": _DOCUMENT,
    "HANDLE_NOT_UNIQUE": _TWICE,
    "INCLUSION": _WRONG,
    "INPUT_MISMATCH": Meaning(None, "CONSTRAINT_VIOLATED"),
    "INSUFFICIENT_SCOPE": _RIGHTS,
    "INTERNAL_ERROR": _BROKEN,
    "INTERNAL_SERVER_ERROR": _BROKEN,
    "INVALID": _WRONG,
    "INVALID_JWT": _LOGIN,
    "INVALID_TOKEN": _LOGIN,
    "INVALID_VALUE": _WRONG,
    "MAX_COST_EXCEEDED": Meaning("BAD_REQUEST", "BAD_REQUEST"),
    "MISSING_FIELD_REQUIRED": Meaning("PAYLOAD_MISMATCH", "REQUIRED_FIELD_MISSING"),
    "MISSING_REQUIRED_ARGUMENTS": _DOCUMENT,
    "NOT_FOUND": _GONE,
    "OPERATION_RESOLUTION_FAILURE": _DOCUMENT,
    "PARSE_FAILED": _DOCUMENT,
    "PERMISSION_DENIED": _RIGHTS,
    "PERMISSION_ERROR": _RIGHTS,
    "PRESENT": Meaning(None, "CONSTRAINT_VIOLATED"),
    "PRODUCT_DOES_NOT_EXIST": _GONE,
    "RATE_LIMITED": _THROTTLE,
    "RATE_LIMIT_EXCEEDED": _THROTTLE,
    "SELECTION_MISMATCH": _DOCUMENT,
    "SERVICE_UNAVAILABLE": _BROKEN,
    "TAKEN": _TWICE,
    "THROTTLED": _THROTTLE,
    "TIMEOUT": Meaning("CONNECTION_TIMEOUT", "CONNECTION_TIMEOUT"),
    "TOO_LONG": Meaning(None, "VALUE_TOO_LONG"),
    "TOO_MANY_REQUESTS": _THROTTLE,
    "TOO_SHORT": _WRONG,
    "UNAUTHENTICATED": _LOGIN,
    "UNAUTHORIZED": _LOGIN,
    "UNDEFINED_FIELD": _DOCUMENT,
    "VALIDATION_ERROR": _INPUT,
    "VALIDATION_FAILED": _INPUT,
    "VARIABLE_MISMATCH": _DOCUMENT,
    "VARIABLE_REQUIRES_VALID_TYPE": _DOCUMENT,
}
"""By the code of an error as `_as_code` spells it: `extensions.code`, a user error's `code`, the name of a type."""

_ABOUT_INPUT: Sequence[tuple[str, re.Pattern[str]]] = (
    # graphql-js, and graphql-core of Python.
    ("REQUIRED_FIELD_MISSING", re.compile(r'Field "?(?P<field>\w+)"? of required type ".+" was not provided')),
    ("REQUIRED_FIELD_MISSING", re.compile(r'got invalid value (?:null|None) at "\w+\.(?P<field>[\w.]+)"')),
    ("FIELD_NOT_FOUND", re.compile(r'got invalid value .*Field "(?P<field>\w+)" is not defined by type', re.DOTALL)),
    ("INVALID_FORMAT", re.compile(r'got invalid value (?:.* )?at "\w+\.(?P<field>[\w.\[\]]+)"', re.DOTALL)),
    # The same two, from version 17 and 3.3 on.
    ("REQUIRED_FIELD_MISSING", re.compile(r'has invalid value.* to include required field "(?P<field>\w+)"')),
    ("REQUIRED_FIELD_MISSING", re.compile(r"has invalid value at \.(?P<field>[\w.]+): .* not to be (?:null|None)")),
    ("FIELD_NOT_FOUND", re.compile(r'has invalid value.* not to include unknown field "(?P<field>\w+)"')),
    ("INVALID_FORMAT", re.compile(r"has invalid value at \.(?P<field>[\w.\[\]]+):")),
    # graphql-ruby, on which Shopify and Jobber stand.
    ("FIELD_NOT_FOUND", re.compile(r"was provided invalid value for (?P<field>[\w.]+) \(Field is not defined on")),
    (
        "REQUIRED_FIELD_MISSING",
        re.compile(r"was provided invalid value for (?P<field>[\w.]+) \(Expected value to not be null"),
    ),
    ("INVALID_FORMAT", re.compile(r"was provided invalid value for (?P<field>[\w.]+) \(")),
)
"""Sentences about a value inside a variable: of one record, its own; of a whole request, its body."""

_ABOUT_DOCUMENT = re.compile(
    r'Cannot query field|Unknown argument|Unknown type|Unknown operation named|Syntax Error'
    r'|Variable "\$\w+" (?:(?:got|has) invalid|of (?:required )?type|is not defined)'
    r'|Field "\w+" (?:argument "\w+" of type|is not defined by type)|must have a selection of subfields'
    r'|Variable \$\w+ of type \S+ was provided invalid value|^Field "\w+" doesn"t (?:exist on type|accept argument)'
)
"""Sentences about the query itself, whatever the record."""

SAYS_LITTLE = frozenset({400, 403, 409, 422, 500})
"""Statuses of failed requests that say less than the errors in their body."""

_CODE_PATHS = ("extensions.code", "extensions.classification", "extensions.errorType", "errorType", "code", "type")
_USER_ERRORS = re.compile(r"(?:^e|E)rrors$")
_ERROR_TYPE = re.compile(r"(?:Error|Exception|Failure|Problem)s?$")


@dataclass(frozen=True)
class GraphqlError:
    """One error of an answer.

    :param code: the server's own code, as CODES spells it
    :param path: where in the data it belongs, empty where it belongs to the whole answer
    :param field: the input field that it names
    """

    message: str
    code: str | None = None
    path: tuple[str | int, ...] = ()
    field: str | None = None

    def finding(self, status: int, *, outage: str, record: bool) -> Finding | None:
        """Which code of the catalogue it has.

        :param status: the HTTP status of the answer
        :param outage: `classify.SOURCE` or `classify.DESTINATION`, whichever answered
        :param record: it answers the write of a single record
        :return: None for an error that says too little
        """
        said = self.message.replace("'", '"')  # the patterns are written with the quotes of graphql-js
        if record:
            for code, pattern in _ABOUT_INPUT:
                if match := pattern.search(said):
                    return Finding(code, match["field"])
        if _ABOUT_DOCUMENT.search(said):
            return Finding("PAYLOAD_MISMATCH", self.field)
        meaning = CODES.get(self.code or "")
        known = None if meaning is None else meaning.record if record else meaning.request
        if known == "OUTAGE" or (known is None and status >= 500):
            # Servers call every fault of their own code so, also one that a single record provokes each time.
            return self._worded(500, record) or Finding(outage)
        if known is not None and meaning not in (_INPUT, _WRONG):
            return Finding(known, self.field)
        return self._worded(422, record) or (None if known is None else Finding(known, self.field))

    def _worded(self, status: int, record: bool) -> Finding | None:
        said = {"message": self.message, "code": self.code, "field": self.field}
        found = record_fault(status, said) if record else None
        return found or caller_fault(403, said)


@dataclass(frozen=True)
class GraphqlAnswer:
    """An answer with its errors.

    :param errors: those that stand beside the data
    :param refusals: those that stand in the data, where a schema has types for them
    """

    data: Any
    errors: tuple[GraphqlError, ...] = ()
    refusals: tuple[GraphqlError, ...] = ()

    def refusal(self) -> GraphqlError | None:
        """The error for which a mutation was not done; None where it was, or may have been."""
        if self.refusals:
            return self.refusals[0]
        for error in self.errors:
            if self.data is None and len(error.path) <= 1:
                return error
            if len(error.path) == 1 and get_at(self.data, error.path) is None:
                return error
        return None

    def doubt(self) -> GraphqlError | None:
        """The error that leaves open whether a mutation was done: it was, and its result could not be told."""
        for error in self.errors:
            if len(error.path) > 1 and (self.data is None or get_at(self.data, error.path[:1]) is None):
                return error
        return None

    def of_list(self, path: str | None) -> tuple[dict[int, GraphqlError], list[GraphqlError]]:
        """The errors as they concern a list in the data.

        :param path: of the list in the answer: `data.contacts.nodes`
        :return: by position, those of single items; and those after which the list may not be whole
        """
        where = steps(path)[1:] if path else ()
        items: dict[int, GraphqlError] = {}
        whole: list[GraphqlError] = []
        for error in self.errors:
            below = error.path[len(where) :]
            if error.path[: len(where)] == where and below and isinstance(below[0], int):
                items.setdefault(below[0], error)
            elif where[: len(error.path)] == error.path:
                whole.append(error)
        return items, whole


def is_request(body: Any) -> bool:
    """Whether a request's body, or its parameters, carry a GraphQL document."""
    return isinstance(body, dict) and isinstance(query := body.get("query"), str) and "{" in query


def judge(value: Any, *, asked: bool = False) -> GraphqlAnswer | None:
    """An answer of the GraphQL form with all its errors; None for anything else.

    :param asked: a GraphQL document was sent: what else the server puts into the answer is overlooked
    """
    if not isinstance(value, dict) or not value or not (asked or set(value) <= {"data", "errors", "extensions"}):
        return None
    data, errors = value.get("data"), value.get("errors") or []
    well_formed = isinstance(errors, list) and all(_is_error(error) for error in errors)
    if not well_formed or not (data is None or isinstance(data, dict)) or (data is None and not errors):
        return None
    return GraphqlAnswer(data, tuple(_error(error) for error in errors), tuple(_refusals(data or {})))


def errors_at(value: Any, path: str) -> list[GraphqlError]:
    """The user errors at a path of an answer: a list of them, one of them, or nothing.

    :param path: `data.contactCreate.problems`
    """
    found = get(value, path)
    entries = found if isinstance(found, list) else [found] if isinstance(found, dict) else []
    where = steps(path)[1:]
    return [
        GraphqlError(entry["message"] if _is_error(entry) else as_text(entry), _code(entry), where, _field(entry))
        for entry in entries
        if isinstance(entry, dict)
    ]


def get_at(data: Any, path: Sequence[str | int]) -> Any:
    """What stands at the path of an error, None where nothing does."""
    for step in path:
        if isinstance(step, int) and isinstance(data, list) and 0 <= step < len(data):
            data = data[step]
        elif isinstance(data, dict):
            data = data.get(step)
        else:
            return None
    return data


def _is_error(error: Any) -> bool:
    return isinstance(error, dict) and isinstance(error.get("message"), str)


def _error(error: dict[str, Any]) -> GraphqlError:
    path = error.get("path")
    sound = isinstance(path, list) and all(isinstance(step, (str, int)) for step in path)
    return GraphqlError(error["message"], _code(error), tuple(path) if isinstance(path, list) and sound else ())


def _refusals(data: dict[str, Any]) -> Iterator[GraphqlError]:
    """`userErrors` of a mutation's payload, and a member of a union that is an error."""
    for root, payload in data.items():
        if not isinstance(payload, dict):
            continue
        name = payload.get("__typename")
        if isinstance(name, str) and _ERROR_TYPE.search(name):
            message = payload["message"] if _is_error(payload) else name
            yield GraphqlError(message, _code(payload) or _as_code(name), (root,), _field(payload))
        for member, entries in payload.items():
            if _USER_ERRORS.search(member) and isinstance(entries, list):
                for entry in filter(_is_error, entries):
                    yield GraphqlError(entry["message"], _code(entry), (root, member), _field(entry))


def _field(entry: dict[str, Any]) -> str | None:
    found = entry.get("field") or entry.get("path")
    if isinstance(found, list):
        found = ".".join(str(step) for step in found)
    return field_path(found) if isinstance(found, str) and found else None


def _code(error: dict[str, Any]) -> str | None:
    for path in _CODE_PATHS:
        found = get(error, path)
        if found is not MISSING and isinstance(found, str) and found:
            return _as_code(found)
    return None


def _as_code(text: str) -> str:
    """`not-found`, `NotFoundError`, `notFound` as `NOT_FOUND`."""
    spelt = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", _ERROR_TYPE.sub("", text) if not text.isupper() else text)
    return spelt.upper().replace("-", "_").strip("_")



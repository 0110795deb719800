"""Salesforce's error codes: what each means.

They stand as `errorCode` in an answer to a whole request, and as `statusCode` in the result of one record of a
collection. Source: REST API Developer Guide, "Status Codes and Error Responses"; SOAP API Developer Guide, "Core Data
Types Used in API Calls: StatusCode".
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from airflow_provider_flux.transport.classify import Row

CODES: Mapping[str, str] = {
    "UNABLE_TO_LOCK_ROW": "RECORD_LOCKED",
    "REQUIRED_FIELD_MISSING": "REQUIRED_FIELD_MISSING",
    "MISSING_ARGUMENT": "REQUIRED_FIELD_MISSING",
    "STRING_TOO_LONG": "VALUE_TOO_LONG",
    "DUPLICATE_VALUE": "DUPLICATE_RECORD",
    "DUPLICATES_DETECTED": "DUPLICATE_RECORD",
    "DUPLICATE_EXTERNAL_ID": "DUPLICATE_RECORD",
    "INVALID_EMAIL_ADDRESS": "INVALID_EMAIL",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": "CONSTRAINT_VIOLATED",
    "FIELD_INTEGRITY_EXCEPTION": "CONSTRAINT_VIOLATED",
    "FIELD_FILTER_VALIDATION_EXCEPTION": "CONSTRAINT_VIOLATED",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": "CONSTRAINT_VIOLATED",
    "DELETE_FAILED": "CONSTRAINT_VIOLATED",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "INVALID_FORMAT",
    "INVALID_TYPE_ON_FIELD_IN_RECORD": "INVALID_FORMAT",
    "MALFORMED_ID": "INVALID_FORMAT",
    "JSON_PARSER_ERROR": "INVALID_FORMAT",
    "NUMBER_OUTSIDE_VALID_RANGE": "VALUE_OUT_OF_RANGE",
    "INVALID_FIELD": "FIELD_NOT_FOUND",
    "INVALID_FIELD_FOR_INSERT_UPDATE": "FIELD_NOT_FOUND",
    "INVALID_TYPE": "NOT_FOUND",
    "ENTITY_IS_DELETED": "RECORD_NOT_FOUND",
    "INVALID_CROSS_REFERENCE_KEY": "REFERENCE_MISSING",
    "INSUFFICIENT_ACCESS_OR_READONLY": "PERMISSION_DENIED",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": "PERMISSION_DENIED",
    "API_DISABLED_FOR_ORG": "PERMISSION_DENIED",
    "API_CURRENTLY_DISABLED": "PERMISSION_DENIED",
    "INVALID_SESSION_ID": "AUTHENTICATION_FAILED",
    "REQUEST_LIMIT_EXCEEDED": "QUOTA_EXHAUSTED",
    "MALFORMED_QUERY": "BAD_REQUEST",
    "INVALID_QUERY_LOCATOR": "SOURCE_OUTAGE",  # the rest of a list that was left alone for too long: read it anew
}
"""Salesforce's code -> the catalogue's."""

_PLACES = (
    ("[0].errorCode", "[0].message", "[0].fields[0]"),
    ("errors[0].statusCode", "errors[0].message", "errors[0].fields[0]"),
)
"""Where code, text and field stand: in the answer to a whole request, and in the result of one record."""

_TEXTS: tuple[tuple[str, str], ...] = (
    ("DUPLICATE_RECORD", r"^duplicate value found: (?P<field>\w+) duplicates value on record with id"),
    ("FIELD_NOT_FOUND", r"No such column '(?P<field>[\w.]+)'"),
    ("REQUIRED_FIELD_MISSING", r"^(?P<field>\w+) not specified"),
)
"""Texts that name the field where `fields` is empty."""

_NO_SUCH_RECORD = re.compile(r"(?=.*INVALID_CROSS_REFERENCE_KEY)(?=.*\"fields\": \[(?:\"Id\")?\])")
"""An Id that is none: the record itself is not there. With another field it is one that it points to."""


def _rows() -> list[Row]:
    rows = [
        Row("DUPLICATE_RECORD", frozenset({300})),  # an external id that several records have
        Row("RECORD_NOT_FOUND", path="errors[0]", pattern=_NO_SUCH_RECORD),
        Row("RECORD_NOT_FOUND", path="errors[0].statusCode", pattern=re.compile("^NOT_FOUND$")),
    ]
    by_meaning: dict[str, list[str]] = {}
    for vendor, code in CODES.items():
        by_meaning.setdefault(code, []).append(vendor)
    for place, text, field in _PLACES:
        rows += [Row(code, path=text, pattern=re.compile(pattern)) for code, pattern in _TEXTS]
        for code, names in by_meaning.items():
            rows.append(Row(code, path=place, pattern=re.compile(f"^(?:{'|'.join(names)})$"), field=field))
    return rows


ROWS: tuple[Row, ...] = tuple(_rows())

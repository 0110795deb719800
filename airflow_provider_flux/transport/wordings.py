"""Faults that systems of every make put into words: what a refused record lacks, and refusals of the whole caller.

These rows are asked after the rows of the flow and its connector, and before the bare status. They are conservative:
they read messages and codes only (see `complaints`), never a page for people, and on a server error just what no
outage says. What they do not know keeps the code of its status, with the raw answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from airflow_provider_flux.transport.classify import Finding, Row
from airflow_provider_flux.transport.complaints import Complaint, complaints

_REFUSED = frozenset({400, 409, 422})
_EVEN_500 = _REFUSED | {500}
_CALLER = frozenset({400, 403})


def _row(code: str, statuses: frozenset[int], *patterns: str) -> Row:
    return Row(code, statuses, pattern=re.compile("|".join(patterns), re.IGNORECASE))


RECORD_ROWS: Sequence[Row] = (
    _row(
        "DUPLICATE_RECORD", _EVEN_500,
        r"already (?:exists|taken|in use|been taken|registered|been used)",
        r"\bduplicate[ _](?:key|entry|record|value|row|email|contact|name|external)",
        r"\bduplicates?_(?:value|detected|record)|\bduplicates detected",
        r"violates unique constraint|unique constraint failed|\bE11000\b|must be unique|is not unique",
    ),
    _row(
        "REFERENCE_MISSING", _EVEN_500,
        r"violates foreign key constraint|foreign key constraint fail|invalid_cross_reference_key",
        r"referenced \w+ (?:does not|doesn't) exist|(?:parent|related|associated) \w+ (?:was )?not found",
    ),
    _row(
        "CONSTRAINT_VIOLATED", _EVEN_500,
        r"violates (?:check|exclusion) constraint|\bcheck constraint (?:failed|\W?[\w.]+\W? is violated)",
    ),
    _row(
        "OBJECT_TYPE_CHANGED", _EVEN_500,
        r"(?:field|column|property|object|record)(?: ?'s)? type (?:has |was |is )?(?:been )?changed",
        r"type of (?:the )?(?:field|column|property|object|record)\b.{0,60}? (?:has|was) (?:been )?changed",
        r"column \W?(?P<field>[\w.]+)\W? is of type [\w ]+ but expression is of type",
    ),
    _row(
        "INVALID_EMAIL", _EVEN_500,
        r"\binvalid_email(?:_address)?\b",
    ),
    _row(
        "INVALID_EMAIL", _REFUSED,
        r"\b(?:invalid|malformed|not a valid)\b[\w '\"`-]{0,12}\be-?mail\b",
        r"\be-?mail\b.{0,90}?\b(?:is|was|looks) (?:not valid|invalid|malformed|not an? (?:valid )?(?:e-?mail|address))",
    ),
    _row(
        "REQUIRED_FIELD_MISSING", _EVEN_500,
        r"\brequired_field_missing\b|\bnull value in column \W?(?P<field>[\w.]+)|not[- ]null constraint",
        r"missing required (?:field|property|attribute|value)\b",
    ),
    _row(
        "REQUIRED_FIELD_MISSING", _REFUSED,
        # Not: "authentication is required", "an API key is required".
        r"(?<!authentication )(?<!authorization )(?<!authorisation )(?<!login )(?<!key )(?<!token )(?<!header )"
        r"(?<!signature )(?<!scope )(?<!permission )(?<!upgrade )(?<!payment )(?<!https )(?<!ssl )(?<!approval )"
        r"\b(?:is|are) (?:a )?required\b(?! (?:to|for) (?:authenticat|access|call|use))",
        r"\brequired (?:field|property|attribute)s?\b.{0,60}?\b(?:missing|absent|not (?:set|provided|present|found))",
        r"\bmissing (?:field|property|attribute)\b|\bmissing_field\b|\bvalue_error\.missing\b",
        r"(?:can(?:no|')t|can not|must not|may not|should not) be (?:blank|null|empty|undefined)",
        r"\bmust have required property '?(?P<field>[\w.]+)",
    ),
    _row(
        "VALUE_TOO_LONG", _EVEN_500,
        r"\bstring_too_long\b|value too long for type|data too long for column|binary data would be truncated",
        r"longer than (?:the )?(?:maximum|max|\d+)\b.{0,20}\bcharacters?",
    ),
    _row(
        "VALUE_TOO_LONG", _REFUSED,
        # Not: "the request took too long".
        r"(?<!took )(?<!take )(?<!taking )(?<!taken )(?<!waited )(?<!running )(?<!ran )\btoo[ _]long\b(?! to\b)",
        r"too many characters|longer than \d+|(?:exceed\w*|over) (?:the )?max(?:imum)?[ _]?length",
        r"(?:at most|max(?:imum)?(?: of| is| length| length is)?|no more than|more than|exceeds?) \d+ characters",
        r"\bmaxlength\b|\bmax_length\b",
    ),
    _row(
        "VALUE_OUT_OF_RANGE", _REFUSED,
        # Not: "index out of range", which is a fault of the server's own.
        r"(?<!index )\b(?:is )?out of range\b|\bnumeric (?:field )?overflow\b",
        r"(?:must|should) be (?:less|greater|smaller|larger) than (?:or equal to )?-?\d|must be (?:<=|>=|<|>) ?-?\d",
        r"exceeds? (?:the )?max(?:imum)? value|below (?:the )?min(?:imum)? value",
    ),
    _row(
        "FIELD_NOT_FOUND", _EVEN_500,
        r"\b(?:unknown|unrecogni[sz]ed|no such) (?:field|property|attribute|column)\b",
        r"(?:field|property|column|attribute) \W?(?P<field>[\w.]+)\W? (?:of relation .{1,60})?"
        r"(?:does not|doesn't) exist",
        r"\bproperty_doesnt_exist\b|\binvalid_field\b|\bextra_forbidden\b|\badditional properties\b",
    ),
    _row(
        "RECORD_NOT_FOUND", _REFUSED,
        r"\b(?:entity_is_deleted|object_not_found|record_not_found|resource_not_found)\b|\brecordnotfound\b",
        r"\b(?:record|entity|contact|customer|row|item|document|company|deal|lead)\b.{0,60}?"
        r"(?:not found|(?:does not|doesn't) exist|could not be found|(?:was|is|has been) deleted)",
        r"(?:could not|cannot|can't|couldn't) find (?:the |a |an )?(?:record|entity|contact|customer|row|item)\b",
    ),
    _row(
        "INVALID_FORMAT", _EVEN_500,
        r"\binvalid[_ ]type\b|\btype[_ ]mismatch\b|cannot deserialize|\binvalid input syntax for\b",
        # Not: "class A cannot be cast to class B", which is a fault of the server's own.
        r"cannot be cast (?:automatically )?to (?:type )?\W?(?:int|bigint|num|bool|date|time|text|uuid|float|dec)",
        r"could not be converted to (?:type )?\W?[\w.]+|(?:could not|cannot) convert (?:string|value|text)\b",
        r"\bis not a valid (?:integer|number|date|boolean|uuid|timestamp|decimal)\b|\bfailed to deserialize\b",
        r"value of type \W?[\w.]+\W? (?:is|was) not (?:valid|expected|allowed)",
    ),
    _row(
        "INVALID_FORMAT", _REFUSED,
        r"\b(?:is|was) not (?:a |an )?valid\b|\binvalid (?:format|value|date|number|enum|option|choice|phone|url)\b",
        r"\binvalid_(?:format|value|option|date|number|phone)\b|\bwas not one of the allowed (?:options|values)",
        r"\bexpected (?:type )?\W?(?:string|int|integer|number|float|boolean|object|array|date|list|map)\b",
        r"\b(?:must|should) be (?:a |an )?(?:valid|string|number|integer|boolean|object|array|list|date)\b",
        r"\b(?:int|float|bool|string|date)\w*_(?:parsing|type)\b|\bis (?:not|an) (?:in)?valid format\b",
        r"\b(?:field|value|property|column) \W?(?P<field>[\w.]+)\W? is invalid\b",
    ),
)  # fmt: skip
"""Complaints about one record. They are permanent, also where they come dressed as a server error."""

CALLER_ROWS: Sequence[Row] = (
    _row(
        "RATE_LIMIT_EXCEEDED", _CALLER,
        r"\brate[ -]?limits? (?:was |has been |is )?(?:exceeded|reached|hit)\b|\btoo many requests\b",
        r"\bexceeded (?:a |the |your |its )?[\w ]{0,30}(?:rate limit|request limit|quota)\b",
        r"\bquota (?:was |has been |is )?exceeded\b|\b(?:user)?ratelimitexceeded\b",
        r"\b(?:rate_limit_exceeded|rate_limited|request_limit_exceeded|throttled)\b",
        r"\brequests? limit exceeded\b",
    ),
    _row(
        "AUTHENTICATION_FAILED", _CALLER,
        r"\b(?:invalid_grant|invalid_client|invalid_token|invalid_session_id|expired_token|expired_authentication)\b",
        r"\b(?:access|api|auth|bearer|refresh|session) ?token (?:has |is |was )?(?:been )?"
        r"(?:expired|revoked|invalid|not valid)",
        r"\b(?:invalid|expired|revoked|missing) (?:api[ _-]?key|access token|bearer token|credentials)\b",
        r"\bapi[ _-]?key (?:is |was )?(?:invalid|missing|required|expired|revoked|not valid)\b",
    ),
)  # fmt: skip
"""Refusals of whoever calls, whatever the record, under a status that says something else."""

_NO_FIELDS = frozenset(
    {
        "field", "value", "property", "column", "attribute", "object", "record", "this", "it", "input", "body",
        "entity", "contact", "customer", "row", "item", "document", "company", "deal", "lead", "user", "resource",
    }
)  # fmt: skip
"""Subjects of sentences that name no field."""

_SUBJECT = re.compile(
    r"""["'`]?(?P<field>[A-Za-z_][\w.\[\]]*)["'`]? """
    r"(?:is|are|was|can|cannot|can't|must|may|should|has|already|does|exceeds)\b"
)


def caller_fault(status: int, value: Any) -> Finding | None:
    """What the words of a failed request say about who called, whatever the record.

    :param value: the body: JSON, or its text
    """
    return _first(CALLER_ROWS, status, complaints(value))


def record_fault(status: int | None, value: Any) -> Finding | None:
    """What the words of a refusal say about the record.

    :param status: None, or a successful one, where a refusal stands inside a success
    :param value: the body, or the record's result: JSON, or its text
    """
    refused = 422 if status is None or status < 400 else status
    return _first(RECORD_ROWS, refused, complaints(value))


def _first(rows: Sequence[Row], status: int, found: Sequence[Complaint]) -> Finding | None:
    for row in rows:
        assert row.status is not None and row.pattern is not None
        if status not in row.status:
            continue
        for complaint in found:
            if match := row.pattern.search(complaint.text):
                return Finding(row.code, _field(complaint, match))
    return None


def _field(complaint: Complaint, match: re.Match[str]) -> str | None:
    """The field: as the complaint names it apart, as the pattern found it, or the subject of the sentence."""
    named = complaint.field or match.groupdict().get("field")
    if named is not None:
        return named
    subject = _SUBJECT.match(complaint.text)
    return None if subject is None or subject["field"].lower() in _NO_FIELDS else subject["field"]

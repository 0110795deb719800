"""One mutation per record, and what its answer says became of the record.

An answer may refuse a record in four places: the HTTP status, `errors` beside or instead of the data, user errors in
the mutation's payload, or a member of a union that is an error. What says neither that a record was stored nor that it
was not never counts as written: UNREADABLE_ANSWER where the mutation may be sent again, else OUTCOME_UNKNOWN.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from airflow_provider_flux.connectors.contract import Verdict, WriteItem, Written
from airflow_provider_flux.connectors.graphql.graph import Graph
from airflow_provider_flux.connectors.rest.placeholders import Unfit
from airflow_provider_flux.connectors.rest.results import target_field
from airflow_provider_flux.errors import (
    CATALOGUE,
    Disposition,
    FluxError,
    NoVerdict,
    OutcomeUnknown,
    RecordError,
    preview,
)
from airflow_provider_flux.transport import graphql
from airflow_provider_flux.transport.answers import NotJson, looks_like_html
from airflow_provider_flux.transport.classify import DESTINATION, Finding, as_text, loosely, recognise, vendor_message
from airflow_provider_flux.transport.graphql import GraphqlAnswer, GraphqlError
from airflow_provider_flux.transport.messages import Response
from airflow_provider_flux.transport.paths import MISSING, get, reached

# Failed requests that may be about the one record; any other status refuses every record alike.
_ABOUT_RECORD = frozenset({400, 409, 412, 413, 422})
# What is answered to every record alike, whatever the status.
_ABOUT_CALLER = frozenset(
    {"AUTHENTICATION_FAILED", "RATE_LIMIT_EXCEEDED", "QUOTA_EXHAUSTED", "PAYLOAD_MISMATCH", "BAD_REQUEST", "NOT_FOUND"}
)
# Failures of the server after which nobody knows how far it came.
_MAYBE_DONE = frozenset({DESTINATION, "CONNECTION_TIMEOUT"})

_BAD_VARIABLE = re.compile(
    r"Variable \W?\$(?P<name>\w+)\W? (?:of type \S+ )?(?:got|has|was provided) invalid value"
    r"(?! at \.|.* at .\w+[.\[]| for )",
    re.DOTALL,
)
_MOST_TOLD = 3  # errors of one record that a message names


@dataclass(frozen=True)
class Mutation:
    """A mutation and where its answer says what.

    :param id: path of the destination's own key: `data.customerSet.customer.id`. An answer without it is no verdict.
    :param errors: path of the user errors; unless given, every list of the payload whose name ends in `Errors`, and
        every member of a union whose type's name ends in `Error`
    :param idempotent: whether it may be sent twice
    :param of_existing: it changes or removes what is there: null at `id`, and no error, says that nothing is
    :param fields: variables that hold one field of the record each: their names, and the field's
    """

    document: str
    id: str | None = None
    errors: str | None = None
    idempotent: bool = False
    of_existing: bool = False
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What came back for a record that was not refused.

    :param value: the whole answer, as JSON
    :param key: what stands at `Mutation.id`
    """

    value: Any
    key: str | None

    def at(self, path: str) -> Any:
        """What stands at a path of the answer; `paths.MISSING` where nothing does."""
        return get(self.value, path)


class Mutator:
    """Sends mutations and judges their answers."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def write(self, mutation: Mutation, variables: Mapping[str, Any], item: WriteItem) -> Verdict:
        """Send one record: `Written(its key)`, or why it was refused.

        :param item: the record, for what an error tells of it
        :raises OutcomeUnknown: it was sent, must not be repeated, and no verdict came
        :raises FluxError: what keeps every record from being stored, not only this one
        """
        answer = self.send(mutation, variables, item)
        return Written(answer.key) if isinstance(answer, Answer) else answer

    def send(self, mutation: Mutation, variables: Mapping[str, Any], item: WriteItem) -> Answer | RecordError:
        """As `write`, for who needs more of the answer than a key."""
        try:
            response = self._graph.send(mutation.document, variables, repeatable=mutation.idempotent)
        except Unfit as unfit:
            return unfit.error
        if not 200 <= response.status < 300:
            return self._failed(response, mutation, item)
        if looks_like_html(response.body):
            raise self._unreadable(response, "a page for people came instead of data", mutation)
        try:
            value = response.decoded.value
        except NotJson as error:
            raise self._unreadable(response, f"the answer is not JSON: {error}", mutation) from None
        return self._judged(response, value, mutation, item)

    def _judged(self, response: Response, value: Any, mutation: Mutation, item: WriteItem) -> Answer | RecordError:
        said = graphql.judge(value, asked=True)
        if said is None:
            raise self._unreadable(response, "it is no answer of a GraphQL server", mutation)
        refusals = _refusals(value, said, mutation)
        finding = recognise(self._graph.rows, response.status, value, failed=False)
        if refusals or finding is not None:
            return self._refused(response, value, finding, refusals, mutation, item)
        # An error that belongs to nothing may be about the mutation, too.
        doubt = said.doubt() or next((error for error in said.errors if not error.path), None)
        key = _key(value, mutation.id) if mutation.id else None
        if mutation.of_existing and mutation.id and key is None and not said.errors:
            answer = self._graph.client.mask(as_text(value))[:4000]
            message = f"the destination has no such record: its answer is null at '{mutation.id}'"
            return RecordError("RECORD_NOT_FOUND", message, answer=answer, status=response.status)
        if doubt is not None or (mutation.id and key in (None, MISSING)):
            reason = doubt.message if doubt else f"`{mutation.id}` is not in it"
            for error in said.errors if doubt is None else ():
                reason += f": {error.message}"
            return self._no_verdict(reason, value, mutation)
        return Answer(value, None if key is None else str(key))

    def _refused(
        self,
        response: Response,
        value: Any,
        finding: Finding | None,
        refusals: Sequence[GraphqlError],
        mutation: Mutation,
        item: WriteItem,
    ) -> RecordError:
        error = self._error(response, value, finding, refusals, mutation, item)
        if error.code in _ABOUT_CALLER:
            message = f"connection '{self._graph.client.conn_id}': {error.message}"
            raise self._graph.judgement.inside(response, replace(error, message=message))
        if error.code in _MAYBE_DONE and not mutation.idempotent:
            raise OutcomeUnknown("OUTCOME_UNKNOWN", error.message, answer=error.answer, status=error.status)
        return error

    def _failed(self, response: Response, mutation: Mutation, item: WriteItem) -> RecordError:
        """The error of a record, told by a status that may say less than its body."""
        value = loosely(response.body, response.content_type)
        said = graphql.judge(value) if response.status in graphql.SAYS_LITTLE else None
        errors = said.errors if said is not None else ()
        finding = recognise(self._graph.rows, response.status, value, failed=True)
        finding = finding or self._known(errors, response.status, mutation)
        if finding is None and response.status not in _ABOUT_RECORD:
            raise self._graph.judgement.failed(response)
        if finding is not None and CATALOGUE[finding.code].disposition in (Disposition.STOP, Disposition.RETRY):
            raise self._graph.judgement.failed(response)
        error = self._error(response, value, finding, errors, mutation, item)
        return self._graph.judgement.about_record(response, error)

    def _known(self, errors: Sequence[GraphqlError], status: int, mutation: Mutation) -> Finding | None:
        """What the first error that says enough means."""
        for error in errors:
            variable = _BAD_VARIABLE.search(error.message)
            if variable is not None and variable["name"] in mutation.fields:
                return Finding("INVALID_FORMAT", mutation.fields[variable["name"]])
            if finding := error.finding(status, outage=DESTINATION, record=True):
                return finding
        return None

    def _error(
        self,
        response: Response,
        value: Any,
        finding: Finding | None,
        errors: Sequence[GraphqlError],
        mutation: Mutation,
        item: WriteItem,
    ) -> RecordError:
        finding = (
            finding
            or recognise(self._graph.rows, None, value, failed=True)
            or self._known(errors, response.status, mutation)
            or Finding("RECORD_REJECTED", errors[0].field if errors else None)
        )
        named = target_field(finding.field or next((error.field for error in errors if error.field), None), item)
        offending = get(item.data, named) if named and named.replace(".", "_").isidentifier() else MISSING
        where = f"{response.endpoint}, HTTP {response.status}"
        reason = "; ".join(_said(error) for error in errors[:_MOST_TOLD]) or vendor_message(value)
        mask = self._graph.client.mask
        return RecordError(
            finding.code,
            mask(f"the destination refused the record ({where})" + (f": {reason}" if reason else "")),
            field=named,
            value=None if offending is MISSING else preview(offending),
            answer=mask(value if isinstance(value, str) else as_text(value))[:4000],
            status=response.status,
        )

    def _no_verdict(self, reason: str, value: Any, mutation: Mutation) -> RecordError:
        """:raises NoVerdict: where the mutation must not be sent again"""
        mask = self._graph.client.mask
        message, answer = mask(f"the answer has no verdict on this record: {reason}"), mask(as_text(value))[:4000]
        if not mutation.idempotent:
            raise NoVerdict("OUTCOME_UNKNOWN", message, answer=answer)
        return RecordError("UNREADABLE_ANSWER", message, answer=answer)

    def _unreadable(self, response: Response, reason: str, mutation: Mutation) -> FluxError:
        error = self._graph.judgement.unreadable(response, reason)
        if mutation.idempotent:
            return error
        return OutcomeUnknown("OUTCOME_UNKNOWN", error.message, answer=error.answer)


def _key(value: Any, path: str) -> Any:
    """What stands at the path of the key; null where null stands on the way to it."""
    found = get(value, path)
    return None if found is MISSING and reached(value, path)[1] is None else found


def _refusals(value: Any, said: GraphqlAnswer, mutation: Mutation) -> list[GraphqlError]:
    """The errors for which the record was not stored, those of the payload first."""
    told = graphql.errors_at(value, mutation.errors) if mutation.errors else list(said.refusals)
    refusal = said.refusal()
    if not told and refusal is not None and refusal not in said.refusals:
        told.append(refusal)
    return told


def _said(error: GraphqlError) -> str:
    message = vendor_message(error.message)
    named = f"{error.field}: " if error.field and error.field not in message else ""
    return f"{named}{message}" + (f" ({error.code})" if error.code else "")

"""What became of each record of a collection, and of a request that was refused as a whole."""

from __future__ import annotations

import re
from collections.abc import Sequence

from airflow_provider_flux.connectors.contract import Verdict, WriteItem, Written
from airflow_provider_flux.connectors.rest.results import NoVerdicts, RecordJudge
from airflow_provider_flux.connectors.rest.write_blocks import Results as ResultPaths
from airflow_provider_flux.errors import (
    CATALOGUE,
    BatchRejected,
    Category,
    Disposition,
    FluxError,
    OutcomeUnknown,
    RecordError,
)
from airflow_provider_flux.transport.answers import NotJson
from airflow_provider_flux.transport.classify import loosely
from airflow_provider_flux.transport.failures import Judgement
from airflow_provider_flux.transport.messages import Response

RESULTS = ResultPaths.model_validate(
    {
        "ok": {"path": "success", "equals": True},
        "id": "id",
        "error_field": "errors[0].fields[0]",
        "error_code": "errors[0].statusCode",
        "error_message": "errors[0].message",
    }
)
"""Where the result of a record says what."""

_FOR_ITS_CONTENT = frozenset({300, 400, 409, 413, 422})
"""Statuses by which a whole request is refused for what is in it; the write stage then halves it."""

_TOO_LONG = re.compile(r"\(max length=(\d+)\)")


class Results:
    """Reads the answers to collections.

    :param judge: of single records, with `RESULTS`
    """

    def __init__(self, judge: RecordJudge, judgement: Judgement) -> None:
        self._judge = judge
        self._judgement = judgement

    def of(self, response: Response, items: Sequence[WriteItem]) -> list[Verdict]:
        """One verdict per item, in order.

        :raises BatchRejected: nothing was stored, for what is in it
        :raises FluxError: nothing was stored; UNREADABLE_ANSWER when it cannot be known
        """
        if not 200 <= response.status < 300:
            refusal = self._refused(response, items)
            if refusal.code != "RECORD_LOCKED":
                raise refusal
            return [RecordError(refusal.code, refusal.message, answer=refusal.answer)] * len(items)
        try:
            value = response.decoded.value
            verdicts = [_discreet(verdict) for verdict in self._judge.batch(value, items)]
        except (NotJson, NoVerdicts) as error:
            raise self._unreadable(response, str(error)) from None
        self._raise_if_hopeless(response, verdicts)
        return verdicts

    def in_doubt(self, unknown: FluxError) -> RecordError:
        """The verdict on a record that was sent once more, and no answer came."""
        code = "RECORD_LOCKED" if self._judge.idempotent else "OUTCOME_UNKNOWN"
        return RecordError(code, unknown.message, answer=unknown.answer)

    def _refused(self, response: Response, items: Sequence[WriteItem]) -> FluxError:
        value = loosely(response.body, response.content_type)
        known = self._judge.known(response.status, value)
        if known is None and response.status not in _FOR_ITS_CONTENT:
            return self._judgement.failed(response)
        if known is not None and _is_about_all(known.code):
            return self._judgement.failed(response)
        item = items[0] if len(items) == 1 else WriteItem({})
        error = self._judge.refused(value, response.status, item, response.endpoint)
        return BatchRejected(self._judgement.about_record(response, error))

    def _unreadable(self, response: Response, reason: str) -> FluxError:
        error = self._judgement.unreadable(response, reason)
        if self._judge.idempotent:
            return error
        return OutcomeUnknown("OUTCOME_UNKNOWN", error.message, answer=error.answer)

    def _raise_if_hopeless(self, response: Response, verdicts: Sequence[Verdict]) -> None:
        """Where all records are refused for one reason that is not theirs, the whole request was.

        :raises FluxError: with that reason
        """
        first = verdicts[0] if verdicts else Written()
        if not isinstance(first, RecordError) or not _is_about_all(first.code) or first.code == "RECORD_LOCKED":
            return
        if all(isinstance(verdict, RecordError) and verdict.code == first.code for verdict in verdicts):
            raise self._judgement.inside(response, first)


def is_locked(verdict: Verdict) -> bool:
    """Whether somebody else was changing the record."""
    return isinstance(verdict, RecordError) and verdict.code == "RECORD_LOCKED"


def _is_about_all(code: str) -> bool:
    """Whether no record of this object can fare better: the caller, the object or the mapping is at fault."""
    known = CATALOGUE[code]
    return known.disposition in (Disposition.STOP, Disposition.RETRY) or known.category is Category.MAPPING


def _discreet(verdict: Verdict) -> Verdict:
    """STRING_TOO_LONG repeats the whole value, which is customer data: the answer keeps it, the message does not."""
    if not isinstance(verdict, RecordError) or verdict.code != "VALUE_TOO_LONG":
        return verdict
    longest = _TOO_LONG.search(verdict.message) or _TOO_LONG.search(verdict.answer or "")
    takes = f" takes at most {longest[1]} characters" if longest else " cannot hold so long a value"
    verdict.message = f"the destination refused the record: STRING_TOO_LONG: `{verdict.field or 'a field'}`{takes}"
    return verdict

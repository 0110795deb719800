"""What an answer says became of each record. A record without a verdict never counts as written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_flux.connectors.contract import Verdict, WriteItem, Written
from airflow_provider_flux.connectors.rest.records import NoRecords, find_records
from airflow_provider_flux.connectors.rest.write_blocks import Match, Ok, Results
from airflow_provider_flux.errors import RecordError, preview
from airflow_provider_flux.transport import graphql
from airflow_provider_flux.transport.classify import (
    DESTINATION,
    Finding,
    Row,
    as_text,
    recognise,
    record_code,
    vendor_message,
)
from airflow_provider_flux.transport.paths import MISSING, get
from airflow_provider_flux.transport.wordings import caller_fault, record_fault

_GONE = (404, 410)
# What one record may be refused for, and its neighbour not; whether all are, the whole batch shows.
_MAY_BE_ONE = frozenset({"PERMISSION_DENIED", DESTINATION})


class NoVerdicts(ValueError):
    """The answer does not say what became of the records. The message says why."""


@dataclass(frozen=True)
class RecordJudge:
    """Judges answers about single records.

    :param rows: recognise the vendor's own bodies, asked before the status
    :param mask: takes the secrets out of a text
    :param speaks_graphql: the requests carry GraphQL documents
    """

    results: Results
    rows: Sequence[Row]
    mask: Callable[[str], str]
    idempotent: bool
    speaks_graphql: bool = False

    def batch(self, answer: Any, items: Sequence[WriteItem]) -> list[Verdict]:
        """One verdict per item, from an answer about many.

        :raises NoVerdicts: when there is no list of results, or it cannot be laid beside the records
        """
        try:
            found = find_records(answer, self.results.records, optional=False, option="results.records")
        except NoRecords as error:
            raise NoVerdicts(str(error)) from None
        if isinstance(self.results.match, Match):
            return self._matched(found, items, self.results.match)
        if len(found) != len(items):
            raise NoVerdicts(f"{len(items)} records were sent and {len(found)} results came back")
        return [self.one(result, item) for result, item in zip(found, items, strict=True)]

    def one(self, result: Any, item: WriteItem) -> Verdict:
        """The verdict on one record, from its result."""
        if self.speaks_graphql and (verdict := self._by_graphql(result, item)) is not None:
            return verdict
        ok = self.results.ok
        status = _status(result, ok.status) if ok is not None and ok.status is not None else None
        if item.deleted and status in _GONE:
            return Written()
        stored = True if ok is None else _is_stored(result, ok, status)
        if stored is None:
            return self._no_verdict(f"its result does not hold `results.ok`: {preview(as_text(result))}", result)
        if not stored:
            return self.refused(result, status, item)
        key = get(result, self.results.id) if self.results.id else None
        return Written(None if key is None or key is MISSING else str(key))

    def refused(self, value: Any, status: int | None, item: WriteItem, endpoint: str = "") -> RecordError:
        """The error of a record that was not stored.

        :param value: its result, or the body of the answer
        """
        finding = recognise(self.rows, status, value, failed=True) or self._by_itself(status, value)
        finding = finding or Finding(record_code(status))
        field = target_field(self._said(value, self.results.error_field) or finding.field, item)
        offending = get(item.data, field) if field and _is_path(field) else MISSING
        return RecordError(
            finding.code,
            self.mask(self._message(value, status, endpoint)),
            field=field,
            value=None if offending is MISSING else preview(offending),
            answer=self.mask(value if isinstance(value, str) else as_text(value))[:4000],
            status=status,
        )

    def known(self, status: int, value: Any) -> Finding | None:
        """What an answer to a write says beyond its status: by the rows, by GraphQL's codes, by its words."""
        finding = recognise(self.rows, status, value, failed=True)
        if finding is None:
            finding = self._by_itself(status, value)
            return None if finding is not None and finding.code in _MAY_BE_ONE else finding
        return finding

    def _by_itself(self, status: int | None, value: Any) -> Finding | None:
        """What an answer says to who knows nothing of this system."""
        told = status is None or status < 400 or status in graphql.SAYS_LITTLE
        answer = graphql.judge(value, asked=self.speaks_graphql) if told else None
        for error in [*answer.refusals, *answer.errors][:1] if answer is not None else ():
            if finding := error.finding(status or 200, outage=DESTINATION, record=True):
                return finding
        return record_fault(status, value) or (caller_fault(status, value) if status else None)

    def _by_graphql(self, result: Any, item: WriteItem) -> Verdict | None:
        """The verdict of GraphQL's own errors; None where they do not say that the write failed."""
        answer = graphql.judge(result, asked=True)
        if answer is None:
            return self._no_verdict("it is no answer of a GraphQL server", result)
        if answer.refusal() is not None:
            return self.refused(result, None, item)
        doubt = answer.doubt()
        return None if doubt is None else self._no_verdict(doubt.message, result)

    def _matched(self, results: list[Any], items: Sequence[WriteItem], match: Match) -> list[Verdict]:
        by_value: dict[str, Any] = {}
        for result in results:
            value = get(result, match.result)
            if value is not MISSING and value is not None:
                by_value[str(value)] = result
        verdicts: list[Verdict] = []
        for item in items:
            value = get(item.data, match.record)
            if str(value) in by_value:
                verdicts.append(self.one(by_value[str(value)], item))
            else:
                verdicts.append(self._no_verdict(f"no result came with {match.result} = {preview(value)}", None))
        return verdicts

    def _no_verdict(self, reason: str, result: Any) -> RecordError:
        code = "UNREADABLE_ANSWER" if self.idempotent else "OUTCOME_UNKNOWN"
        answer = None if result is None else self.mask(as_text(result))[:4000]
        return RecordError(code, self.mask(f"the answer has no verdict on this record: {reason}"), answer=answer)

    def _message(self, value: Any, status: int | None, endpoint: str) -> str:
        said = self._said(value, self.results.error_message) or vendor_message(value) or _refusal_in(value)
        code = self._said(value, self.results.error_code)
        reason = ": ".join(part for part in (code, said) if part)
        refused = "the destination refused the record"
        where = f" ({endpoint}, HTTP {status})" if endpoint else f" (status {status})" if status is not None else ""
        return f"{refused}{where}: {reason}" if reason else f"{refused}{where}"

    def _said(self, value: Any, path: str | None) -> str | None:
        found = MISSING if path is None else get(value, path)
        if found is MISSING or found is None or found == "":
            return None
        return vendor_message(found) if isinstance(found, str) else as_text(found)


def _status(result: Any, path: str) -> int | None:
    """A status as a number; `"404"` and `"404 Not Found"` count too."""
    found = get(result, path)
    if isinstance(found, str):
        found = found.split(" ")[0]
        return int(found) if found.isdigit() and len(found) == 3 else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _is_stored(result: Any, ok: Ok, status: int | None) -> bool | None:
    """Whether the record was stored; None where the result does not say."""
    if ok.status is not None:
        return None if status is None else 200 <= status < 400
    assert ok.path is not None
    if not isinstance(result, dict):
        return None
    found = get(result, ok.path)
    if ok.empty:
        return found is MISSING or found is None or found in ([], {}, "")
    if found is MISSING:
        return None
    return bool(found == ok.equals and isinstance(found, bool) == isinstance(ok.equals, bool))


def _refusal_in(value: Any) -> str:
    """What a GraphQL server says in a type of its own."""
    answer = graphql.judge(value)
    return vendor_message(answer.refusals[0].message) if answer is not None and answer.refusals else ""


def target_field(named: str | None, item: WriteItem) -> str | None:
    """The field of the mapped record that an answer means with `inputs[0].properties.email`, or `Email`."""
    if named is None or (_is_path(named) and get(item.data, named) is not MISSING):
        return named
    last = named.rpartition(".")[2].lower()
    alike = [name for name in item.data if name.lower() == last]
    return alike[0] if len(alike) == 1 else named


def _is_path(field: str) -> bool:
    return all(part.isidentifier() for part in field.split("."))

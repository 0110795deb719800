"""Answers that are no success, as errors for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from airflow_provider_flux.errors import FluxError, RecordError
from airflow_provider_flux.transport import graphql
from airflow_provider_flux.transport.answers import Decoded, NotJson, kept, looks_like_html
from airflow_provider_flux.transport.classify import Finding, Row, loosely, recognise, request_code, vendor_message
from airflow_provider_flux.transport.messages import Response
from airflow_provider_flux.transport.quota import day_used_up
from airflow_provider_flux.transport.retry import retry_after
from airflow_provider_flux.transport.tally import Tally, kind_of_code, kind_of_status
from airflow_provider_flux.transport.wordings import caller_fault


class Judgement:
    """Judges the answers of one connection.

    :param mask: takes the secrets out of a text
    :param rows: recognise the vendor's own bodies, asked before the status
    :param outage: the code for server errors, `classify.SOURCE` or `classify.DESTINATION`
    :param tally: of the client that brings the answers; it counted them by their status alone
    """

    def __init__(
        self, conn_id: str, mask: Callable[[str], str], rows: Sequence[Row], outage: str, tally: Tally | None = None
    ) -> None:
        self._conn_id = conn_id
        self._mask = mask
        self._rows = rows
        self._outage = outage
        self._tally = tally or Tally()

    def check(self, response: Response) -> None:
        """Pass an answer with a 2xx status on.

        :raises FluxError: any other status
        """
        if not 200 <= response.status < 300:
            raise self.failed(response)

    def value(self, response: Response) -> Decoded:
        """The JSON of an answer.

        :raises FluxError: UNREADABLE_ANSWER when it is none; the code of a row that recognises it as an error
        """
        try:
            decoded = response.decoded
        except NotJson as error:
            raise self.unreadable(response, _not_json(response, error)) from None
        self._look_for_errors(response, decoded.value)
        return decoded

    def failed(self, response: Response) -> FluxError:
        """The error for an answer whose status says that the request failed."""
        value = loosely(response.body, response.content_type)
        finding = Finding("QUOTA_EXHAUSTED") if day_used_up(response) else self._recognised(response.status, value)
        return self._error(response, finding, vendor_message(value))

    def graphql(self, response: Response, error: graphql.GraphqlError) -> FluxError:
        """The error for an answer that says by its status that all is well, and by its body that it is not."""
        finding = error.finding(response.status, outage=self._outage, record=False)
        return self._error(response, finding or Finding("UNKNOWN"), vendor_message(error.message))

    def inside(self, response: Response, refusal: RecordError) -> FluxError:
        """The error for a success in which every record would be refused like this one."""
        wait = retry_after(response.headers)
        error = FluxError(refusal.code, refusal.message, answer=refusal.answer, retry_after=wait)
        return self._counted(response, error)

    def about_record(self, response: Response, error: RecordError) -> RecordError:
        """The error of a record, told by a status that may say more: a 500 for one bad value is no outage."""
        self._count(response, error.code, error.message)
        return error

    def unreadable(self, response: Response, reason: str, next_step: str | None = None) -> FluxError:
        """The error for an answer of another shape than declared."""
        error = FluxError(
            "UNREADABLE_ANSWER",
            self._mask(f"connection '{self._conn_id}': {response.endpoint} (HTTP {response.status}): {reason}"),
            next_step=next_step,
            answer=kept(response.body, self._mask),
        )
        return self._counted(response, error)

    def _look_for_errors(self, response: Response, value: Any) -> None:
        """Some systems answer 200 with an error inside."""
        if self._rows and (finding := recognise(self._rows, response.status, value, failed=False)) is not None:
            raise self._error(response, finding, vendor_message(value))

    def _recognised(self, status: int, value: Any) -> Finding:
        """What a failed request means: by the rows, by GraphQL's codes, by its words, by its status."""
        finding = recognise(self._rows, status, value, failed=True)
        if finding is None and status in graphql.SAYS_LITTLE:
            answer = graphql.judge(value)
            if answer is not None and answer.errors:
                finding = answer.errors[0].finding(status, outage=self._outage, record=False)
        return finding or caller_fault(status, value) or Finding(request_code(status, self._outage))

    def _error(self, response: Response, finding: Finding, said: str) -> FluxError:
        message = f"connection '{self._conn_id}': {response.endpoint} answered HTTP {response.status}"
        error = FluxError(
            finding.code,
            self._mask(f"{message}: {said}" if said else message),
            answer=kept(response.body, self._mask),
            retry_after=retry_after(response.headers),
            status=response.status,
        )
        return self._counted(response, error)

    def _counted(self, response: Response, error: FluxError) -> FluxError:
        self._count(response, error.code, error.message)
        return error

    def _count(self, response: Response, code: str, message: str) -> None:
        """The client counted this answer by its status alone; its body says more."""
        self._tally.correct(kind_of_status(response.status), kind_of_code(code), message, code)


def _not_json(response: Response, error: NotJson) -> str:
    if not response.body.strip():
        return "the answer is empty"
    if looks_like_html(response.body):
        title = vendor_message(loosely(response.body, response.content_type))
        return f"a page for people came instead of data: {title}"
    return f"the answer is not JSON: {error}"

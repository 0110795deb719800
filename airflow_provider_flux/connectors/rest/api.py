"""What the writers of one destination share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from airflow_provider_flux.connectors.rest.destination_options import RestDestinationOptions
from airflow_provider_flux.connectors.rest.results import RecordJudge
from airflow_provider_flux.errors import FluxError, OutcomeUnknown
from airflow_provider_flux.transport.answers import looks_like_html
from airflow_provider_flux.transport.classify import Row
from airflow_provider_flux.transport.client import HttpClient
from airflow_provider_flux.transport.failures import Judgement
from airflow_provider_flux.transport.messages import Response


@dataclass(frozen=True)
class Api:
    """A destination's client, and its judges of whole answers and of single records."""

    options: RestDestinationOptions
    client: HttpClient
    judgement: Judgement
    judge: RecordJudge
    rows: Sequence[Row]

    @property
    def looks_inside(self) -> bool:
        """Whether a 2xx answer must be read to know what happened."""
        in_successes = any(row.status is not None and min(row.status) < 300 for row in self.rows)
        declared = in_successes or self.options.results not in (None, "all_or_nothing")
        return declared or self.judge.speaks_graphql

    def unreadable(self, response: Response, reason: str) -> FluxError:
        """The error for a 2xx answer that does not say what became of the records."""
        error = self.judgement.unreadable(response, reason)
        if self.options.effective_idempotent:
            return error
        return OutcomeUnknown("OUTCOME_UNKNOWN", error.message, answer=error.answer)

    def check_no_page(self, response: Response) -> None:
        """A login form or a maintenance page with a 2xx status stored nothing.

        :raises FluxError: when such a page came
        """
        if looks_like_html(response.body):
            raise self.unreadable(response, "a page for people came instead of data")

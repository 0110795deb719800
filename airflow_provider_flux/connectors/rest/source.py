"""Reads a list of records from a REST API, page by page."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from airflow_provider_flux.connectors.api.clock import clock
from airflow_provider_flux.connectors.api.connection import open_client
from airflow_provider_flux.connectors.api.partial import defects
from airflow_provider_flux.connectors.api.profile import ANY_API, ApiProfile
from airflow_provider_flux.connectors.contract import Page, Source, Window
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.rest.error_rows import compiled
from airflow_provider_flux.connectors.rest.pagers import pager_for
from airflow_provider_flux.connectors.rest.paging import Seen, Step
from airflow_provider_flux.connectors.rest.records import NoRecords, find_records, page_of
from airflow_provider_flux.connectors.rest.single_reads import SingleReads
from airflow_provider_flux.connectors.rest.source_options import RestSourceOptions
from airflow_provider_flux.connectors.rest.window import window_parameters
from airflow_provider_flux.errors import FluxError, RecordError
from airflow_provider_flux.transport import graphql
from airflow_provider_flux.transport.answers import Decoded
from airflow_provider_flux.transport.classify import SOURCE
from airflow_provider_flux.transport.failures import Judgement
from airflow_provider_flux.transport.messages import Request, Response
from airflow_provider_flux.transport.paths import place
from airflow_provider_flux.transport.tally import Tally

log = logging.getLogger(__name__)

_REFUSED_SIZE = frozenset({400, 404, 416, 422})


class _Answer(NamedTuple):
    """One page as it came.

    :param defects: by index in `records`: what the API says is wrong with one of them
    """

    decoded: Decoded
    records: list[Any]
    defects: dict[int, RecordError]

    def page(self) -> Page:
        page = page_of(self.decoded, self.records)
        page.defects.update(self.defects)
        return page


class RestSource(Source):
    """One list of one API.

    :param profile: what is known of the vendor's API
    """

    def __init__(self, options: RestSourceOptions, credentials: Credentials, profile: ApiProfile = ANY_API) -> None:
        self._options = options
        own = compiled(options.errors)
        self._client = open_client(
            credentials, options.auth, profile=profile, timeout=options.timeout, connections=1, rows=own
        )
        rows = (*own, *profile.rows)
        self._judgement = Judgement(credentials.conn_id, self._client.mask, rows, SOURCE, self._client.tally)
        self._kind = options.cursor.type if options.cursor else "timestamp"
        self._speaks_graphql = graphql.is_request(options.body) or graphql.is_request(options.params)

    def now(self) -> datetime | None:
        """The API's clock: the `Date` of its answer to a HEAD of the path, whatever the status. None if there is none.

        A date has whole seconds, which is on the safe side: nothing is read that is newer.
        """
        try:
            response = self._client.send(Request("HEAD", self._options.path, headers=self._options.headers), once=True)
        except FluxError as error:
            log.warning("the clock of the source is not known: %s", error)
            return None
        return clock(response)

    def read(self, window: Window) -> Iterator[Page]:
        """Yield the records of the window, page by page, as the API orders them.

        :raises FluxError: what the API answers; UNREADABLE_ANSWER for an answer of another shape than declared
        """
        parameters = window_parameters(window, self._options.incremental, self._kind)
        pager = pager_for(self._options.page)
        step: Step | None = pager.first()
        response: Response | None = None
        while step is not None:
            first = response is None
            step, response = self._ask(step, parameters, response)
            answer = self._answer(response, first=first)
            if answer.records != step.known:
                yield answer.page()
            step = pager.after(Seen(step, response.headers, answer.decoded.value, answer.records, response.endpoint))

    def fetch(self, keys: Sequence[Mapping[str, Any]]) -> Iterator[Page]:
        """Yield the records with these keys, each asked for by a request of its own."""
        yield from SingleReads(self._options, self._client, self._judgement).pages(keys)

    def calls(self) -> Tally:
        """The calls made so far."""
        return self._client.tally

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _ask(self, step: Step, parameters: dict[str, Any], last: Response | None) -> tuple[Step, Response]:
        """The answer to a step, or to its fallback where the API refuses it."""
        response = self._client.send(self._request(step, parameters, last))
        if step.fallback is not None and response.status in _REFUSED_SIZE:
            step = step.fallback
            response = self._client.send(self._request(step, parameters, last))
        return step, response

    def _request(self, step: Step, parameters: dict[str, Any], last: Response | None) -> Request:
        options = self._options
        if step.url is not None and last is not None:
            # The server wrote its own parameters into the URL.
            url, query = self._client.resolve(step.url, last), {}
        else:
            url, query = options.path, dict(options.params)
        in_body = options.parameters_in == "body"
        if not in_body and step.url is None:
            query.update(parameters)
            query.update(step.params)
        if options.method == "GET":
            return Request("GET", url, query, options.headers, wants="json")
        body = copy.deepcopy(options.body or {})
        for path, value in {**parameters, **step.params}.items() if in_body else ():
            place(body, path, value)
        headers = {"Content-Type": "application/json", **options.headers}
        return Request("POST", url, query, headers, msgspec.json.encode(body), repeatable=True, wants="json")

    def _answer(self, response: Response, *, first: bool) -> _Answer:
        if not 200 <= response.status < 300:
            raise self._failed(response, first=first)
        decoded = self._judgement.value(response)
        said = graphql.judge(decoded.value, asked=True) if self._speaks_graphql else None
        path, mask = self._options.records, self._client.mask
        found = {} if said is None else defects(response, said, path, self._judgement, mask)
        try:
            records = find_records(decoded.value, self._options.records, optional=self._options.records_optional)
        except NoRecords as error:
            if said is not None and said.refusals:
                raise self._judgement.graphql(response, said.refusals[0]) from None
            raise self._judgement.unreadable(response, str(error)) from None
        return _Answer(decoded, records, found)

    def _failed(self, response: Response, *, first: bool) -> FluxError:
        error = self._judgement.failed(response)
        page = self._options.page
        if response.status == 404 and not first and page.kind in ("page", "offset") and page.more is None:
            error.next_step = (
                "If the API answers 404 after its last page, name in `page.more` where it says that nothing follows."
            )
        return error

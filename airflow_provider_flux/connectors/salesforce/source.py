"""Reads one object of an org by SOQL, page by page."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from airflow_provider_flux.connectors.api.clock import clock
from airflow_provider_flux.connectors.api.profile import ApiProfile
from airflow_provider_flux.connectors.contract import Page, Source, Window
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.salesforce import soql
from airflow_provider_flux.connectors.salesforce.connection import open_salesforce, path
from airflow_provider_flux.connectors.salesforce.options import SalesforceSourceOptions
from airflow_provider_flux.connectors.salesforce.query import Query
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.classify import SOURCE
from airflow_provider_flux.transport.failures import Judgement
from airflow_provider_flux.transport.messages import Request
from airflow_provider_flux.transport.tally import Tally

log = logging.getLogger(__name__)


class SalesforceSource(Source):
    """One object. With `deleted` in the flow, records in the recycle bin come too, as tombstones."""

    def __init__(self, options: SalesforceSourceOptions, credentials: Credentials, profile: ApiProfile) -> None:
        self._options = options
        self._credentials = credentials
        self._client = open_salesforce(credentials, profile, timeout=options.timeout)
        judgement = Judgement(credentials.conn_id, self._client.mask, profile.rows, SOURCE, self._client.tally)
        self._query = Query(self._client, judgement, credentials, options.page_size)

    def now(self) -> datetime | None:
        """The org's clock, from the `Date` of an answer; None where it does not answer."""
        try:
            response = self._client.send(Request("HEAD", path(self._credentials, "")), once=True)
        except FluxError as error:
            log.warning("the clock of the source is not known: %s", error)
            return None
        return clock(response)

    def read(self, window: Window) -> Iterator[Page]:
        """Yield the records of the window in the order of the cursor and the key.

        :raises FluxError: what the org answers
        """
        options = self._options
        cursor = options.cursor
        conditions = [] if cursor is None else soql.within(window, cursor.field, cursor.type)
        order = (*([cursor.field] if cursor is not None else []), *options.key)
        query = soql.select(options.queried, options.object, conditions, tuple(dict.fromkeys(order)))
        yield from self._query.pages(query, deleted=options.deleted is not None)

    def fetch(self, keys: Sequence[Mapping[str, Any]]) -> Iterator[Page]:
        """Yield the records with these keys, as many in a query as fit.

        :raises FluxError: what the org answers
        """
        options = self._options
        wanted = [tuple(key[name] for name in options.key) for key in keys]
        for portion in soql.portions([values for values in wanted if soql.askable(options.key, values)]):
            condition = soql.any_of(options.key, portion)
            query = soql.select(options.queried, options.object, [condition])
            yield from self._query.pages(query, deleted=options.deleted is not None)

    def calls(self) -> Tally:
        """The calls made so far."""
        return self._client.tally

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

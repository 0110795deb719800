"""Runs a SOQL query and hands its records out, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from airflow_provider_flux.connectors.contract import Page
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.rest.records import NoRecords, find_records, page_of
from airflow_provider_flux.connectors.salesforce.connection import path
from airflow_provider_flux.transport.client import HttpClient
from airflow_provider_flux.transport.failures import Judgement
from airflow_provider_flux.transport.messages import Request, Response


class Query:
    """Queries over one client.

    :param page_size: records in one answer, 200 to 2,000 (header `Sforce-Query-Options`)
    """

    def __init__(
        self, client: HttpClient, judgement: Judgement, credentials: Credentials, page_size: int = 2000
    ) -> None:
        self._client = client
        self._judgement = judgement
        self._credentials = credentials
        self._headers = {"Sforce-Query-Options": f"batchSize={page_size}"}

    def pages(self, soql: str, *, deleted: bool = False) -> Iterator[Page]:
        """The records without Salesforce's `attributes`, those of related records included.

        :param deleted: those in the recycle bin, too (`queryAll`)
        :raises FluxError: what the org answers; UNREADABLE_ANSWER for an answer of another shape
        """
        resource = path(self._credentials, "queryAll" if deleted else "query")
        request: Request | None = Request("GET", resource, {"q": soql}, self._headers, wants="json")
        seen: set[str] = set()
        while request is not None:
            response = self._client.send(request)
            page, following = self._answer(response)
            yield page
            if following is not None and following in seen:
                raise self._judgement.unreadable(response, "its next page is one that was already read")
            seen.add(following or "")
            request = None if following is None else self._next(following, response)

    def _next(self, link: str, response: Response) -> Request:
        return Request("GET", self._client.resolve(link, response), headers=self._headers, wants="json")

    def _answer(self, response: Response) -> tuple[Page, str | None]:
        self._judgement.check(response)
        decoded = self._judgement.value(response)
        try:
            records = find_records(decoded.value, "records", optional=False)
        except NoRecords as error:
            raise self._judgement.unreadable(response, str(error)) from None
        following = decoded.value.get("nextRecordsUrl")
        if following is None and decoded.value.get("done") is not True:
            raise self._judgement.unreadable(response, "it says neither that all is told nor where more is")
        if following is not None and not isinstance(following, str):
            raise self._judgement.unreadable(response, "`nextRecordsUrl` is not a URL")
        return page_of(decoded, [_plain(record) for record in records]), following


def _plain(value: Any) -> Any:
    """A record without `attributes`, which say its type and URL; also in related records."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items() if name != "attributes"}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value

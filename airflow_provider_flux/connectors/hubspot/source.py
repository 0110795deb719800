"""Reads records of HubSpot: everything from the list, what changed from the search, what is gone from the bin."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from airflow_provider_flux.connectors.api.clock import clock
from airflow_provider_flux.connectors.contract import Page, Source, Window
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.cursor import canonical, native
from airflow_provider_flux.connectors.hubspot.api import Api
from airflow_provider_flux.connectors.hubspot.objects import BATCH, modified_property
from airflow_provider_flux.connectors.hubspot.options import HubspotSourceOptions
from airflow_provider_flux.connectors.rest.records import page_of
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.messages import Request, Response
from airflow_provider_flux.transport.paths import MISSING, get
from airflow_provider_flux.transport.tally import Tally

log = logging.getLogger(__name__)

_LISTED = 100
"""Records in one page of a list."""
_FOUND = 200
"""Records in one page of a search."""
_LONGEST = 6000
"""Characters of the names of properties in a URL; a search takes them in its body."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class HubspotSource(Source):
    """One object of one account."""

    def __init__(self, options: HubspotSourceOptions, credentials: Credentials) -> None:
        self._api = Api.open(credentials, options.object, timeout=options.timeout)
        self._properties = list(options.properties)
        self._modified = modified_property(options.object)
        self._archived = options.archived
        self._searches = options.cursor is not None and options.cursor.field == "updatedAt"

    def now(self) -> datetime | None:
        """HubSpot's clock: the `Date` of its answer to a HEAD, whatever the status. None where there is none."""
        try:
            return clock(self._api.client.send(Request("HEAD", self._api.path), once=True))
        except FluxError as error:
            log.warning("the clock of HubSpot is not known: %s", error)
            return None

    def read(self, window: Window) -> Iterator[Page]:
        """Yield the records of the window, then, if the flow asks for them, those in the recycle bin.

        A first run, without a begin, lists everything; the list knows no lag and no ceiling. Later runs search, and so
        does a flow with more properties than fit into a URL.

        :raises FluxError: what HubSpot answers; UNREADABLE_ANSWER for an answer of another shape
        """
        if (window.start is not None and self._searches) or not self._fits_url:
            yield from self._search(window)
        else:
            yield from self._list(archived=False)
        if self._archived:
            yield from self._list(archived=True)

    @property
    def _fits_url(self) -> bool:
        return len(",".join(self._properties)) <= _LONGEST

    def fetch(self, keys: Sequence[Mapping[str, Any]]) -> Iterator[Page]:
        """Yield the records with these ids, 100 in one call; those that are not there are named in a 207."""
        ids = list(dict.fromkeys(str(key["id"]) for key in keys))
        for first in range(0, len(ids), BATCH):
            inputs = [{"id": one} for one in ids[first : first + BATCH]]
            body = {"inputs": inputs, "properties": self._properties, "propertiesWithHistory": []}
            yield self._page(self._api.post("/batch/read", body))

    def calls(self) -> Tally:
        """The calls made so far."""
        return self._api.client.tally

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def _list(self, *, archived: bool) -> Iterator[Page]:
        """Every record, in the order of the ids, whatever changes meanwhile."""
        after: str | None = None
        while True:
            params: dict[str, Any] = {"limit": _LISTED, "archived": "true" if archived else "false"}
            # Of what is in the bin only the id matters, should all the names be too long.
            if self._properties and self._fits_url:
                params["properties"] = ",".join(self._properties)
            if after is not None:
                params["after"] = after
            response = self._api.get(self._api.path, params)
            yield self._page(response)
            following = get(response.decoded.value, "paging.next.after")
            if _is_missing(following):
                return
            if following == after:
                raise self._api.judgement.unreadable(response, "the list names the same next page again, without end")
            after = str(following)

    def _search(self, window: Window) -> Iterator[Page]:
        """What changed in the window, in the order of the ids.

        A search hands out no more than 10,000 results by its own paging. Each page is therefore a search of its own,
        for what has a greater id than the last record of the page before.
        """
        last = "0"
        while True:
            response = self._api.post("/search", self._query(window, last))
            page = self._page(response)
            yield page
            # What HubSpot says counts, not what was asked for: it may lower the page size.
            if not page.records or _is_missing(get(response.decoded.value, "paging.next.after")):
                return
            ids = [str(record.get("id")) for record in page.records]
            if not _ascending([last, *ids]):
                raise self._api.judgement.unreadable(
                    response, "the search does not answer in the order of the ids: records would be missed"
                )
            last = ids[-1]

    def _query(self, window: Window, last: str) -> dict[str, Any]:
        """A search as HubSpot's description demands it: all five members, and every value a text."""
        filters = []
        if window.start is not None:
            value = _milliseconds(window.start)
            filters.append({"propertyName": self._modified, "operator": "GTE", "value": value})
        if window.end is not None:
            value = _milliseconds(window.end, up=True)
            filters.append({"propertyName": self._modified, "operator": "LT", "value": value})
        filters.append({"propertyName": "hs_object_id", "operator": "GT", "value": last})
        return {
            "filterGroups": [{"filters": filters}],
            "sorts": ["hs_object_id"],
            "properties": self._properties,
            "limit": _FOUND,
            "after": "0",
        }

    def _page(self, response: Response) -> Page:
        decoded, records = self._api.results(response)
        page = page_of(decoded, records)
        return replace(page, records=[flat(record) for record in page.records])


def flat(record: dict[str, Any]) -> dict[str, Any]:
    """A record with its properties beside `id`, `createdAt`, `updatedAt` and `archived`.

    `updatedAt` is the latest of itself, the property by which a search filters, and `archivedAt`: to archive a record
    is a change of it, which must not count as older than the one before.
    """
    properties = record.get("properties")
    if not isinstance(properties, dict):
        return record
    own = {name: value for name, value in record.items() if name != "properties"}
    dates = [own.get("updatedAt"), properties.get("lastmodifieddate"), properties.get("hs_lastmodifieddate")]
    if own.get("archived") is True:
        dates.append(own.get("archivedAt"))
    return {**properties, **own, "updatedAt": _latest(dates)}


def _is_missing(value: Any) -> bool:
    return value is MISSING or value is None


def _latest(dates: Sequence[Any]) -> Any:
    """The latest of those that are dates; the first where none is, for the read stage to complain about."""
    latest, found = "", dates[0]
    for date in dates:
        try:
            text = canonical(date, "timestamp") or ""
        except ValueError:
            continue
        if text > latest:
            latest, found = text, date
    return found


def _milliseconds(text: str, *, up: bool = False) -> str:
    """A canonical timestamp as HubSpot's filters take it; rounded so that nothing of the window is left out."""
    moment = native(text, "timestamp")
    assert isinstance(moment, datetime)
    since = moment - _EPOCH
    whole = since // timedelta(milliseconds=1)
    return str(whole + 1 if up and since % timedelta(milliseconds=1) else whole)


def _ascending(ids: Sequence[str]) -> bool:
    numbers = [int(one) for one in ids if one.isdigit()]
    return len(numbers) == len(ids) and all(before < after for before, after in pairwise(numbers))

"""Reads objects of an account.

Jobber lists the newest change first, and nothing says that its cursors hold their place while records move. A record
that changes meanwhile goes to the front of the list, where it was read already in its old form, or not yet at all: so
what has changed since the list began is asked for again at its end. The end of the window is never sent, because a
record that leaves the list would move the others to a place that was read.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from airflow_provider_flux.connectors.contract import Page, Window
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.cursor import canonical, minus
from airflow_provider_flux.connectors.graphql.object_source import GraphObjectSource
from airflow_provider_flux.connectors.jobber import JobberSourceOptions
from airflow_provider_flux.connectors.jobber.asking import endpoint
from airflow_provider_flux.connectors.rest.source_options import Incremental
from airflow_provider_flux.connectors.rest.window import window_parameters
from airflow_provider_flux.transport.classify import SOURCE

log = logging.getLogger(__name__)

_AFTER = Incremental(param="after", exclusive=True)
_MOST_TIMES = 5  # that a list is asked for what has changed meanwhile
_PRIMARY = {"email": ("emails", "address"), "phone": ("phones", "number")}


class JobberSource(GraphObjectSource):
    """One object of one account."""

    options: JobberSourceOptions

    def __init__(self, options: JobberSourceOptions, credentials: Credentials) -> None:
        super().__init__(options, endpoint(credentials, outage=SOURCE, timeout=options.timeout))

    def variables(self, window: Window) -> Mapping[str, Any]:
        """The filter for what was changed since the begin of the window: of clients only, jobs have none."""
        cursor = self.options.cursor
        if self.options.object != "clients":
            return {}
        if cursor is None or cursor.field != "updatedAt":
            return {"filter": None}
        asked = window_parameters(Window(window.start), _AFTER, cursor.type)
        return {"filter": {"updatedAt": asked} if asked else None}

    def read(self, window: Window) -> Iterator[Page]:
        """Yield the records of the window, and at last those that have changed meanwhile."""
        again = self.options.object == "clients" and self.options.cursor is not None
        seen = _Seen()
        for page in self.listed(self.variables(window)):
            seen.note(page)
            yield page
        for _ in range(_MOST_TIMES if again else 0):
            if seen.newest is None:
                return
            changed = [seen.new(page) for page in self.listed(self.variables(Window(seen.newest)))]
            if not any(changed):
                return
            yield from (page for page in changed if page is not None)
        if again:
            log.warning("clients keep changing: those that changed last are left to the next run")

    def listed(self, variables: Mapping[str, Any]) -> Iterator[Page]:
        """With the primary e-mail and phone of each client as `email` and `phone`."""
        for page in super().listed(variables):
            _shorten(page)
            yield page

    def fetch(self, keys: Any) -> Iterator[Page]:
        """As `listed`."""
        for page in super().fetch(keys):
            _shorten(page)
            yield page


class _Seen:
    """Which of the newest records were read already, by id and moment.

    :param newest: the latest change that was there when the list began
    """

    def __init__(self) -> None:
        self.newest: str | None = None
        self._read: set[tuple[Any, str]] = set()

    def note(self, page: Page) -> None:
        """Remember the records of a page, as far as they can come again."""
        versions = [_version(record) for record in page.records]
        if self.newest is None:
            self.newest = max((moment for _, moment in versions if moment), default=None)
        earliest = minus(self.newest, "timestamp", timedelta(seconds=2)) if self.newest else ""
        self._read.update(version for version in versions if version[1] >= earliest)

    def new(self, page: Page) -> Page | None:
        """What of a page was not read yet; None where nothing is."""
        left = [index for index, record in enumerate(page.records) if _version(record) not in self._read]
        self.newest = max([self.newest or "", *(_version(page.records[index])[1] for index in left)])
        self._read.update(_version(page.records[index]) for index in left)
        if not left:
            return None
        defects = {place: page.defects[index] for place, index in enumerate(left) if index in page.defects}
        return Page([page.records[index] for index in left], defects)


def _version(record: dict[str, Any]) -> tuple[Any, str]:
    try:
        return record.get("id"), canonical(record.get("updatedAt"), "timestamp") or ""
    except ValueError:
        return record.get("id"), ""


def _shorten(page: Page) -> None:
    for record in page.records:
        for short, (name, text) in _PRIMARY.items():
            entries = record.get(name)
            if isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries):
                record[short] = next((entry.get(text) for entry in entries if entry.get("primary")), None)

"""The newest records of an object, which the search does not know yet.

Pipedrive's search learns of a new record a moment later than its lists (how much later the vendor does not say). Who
creates what a search has not found would make doubles: after a lost answer, after a crash, or of two source records
with one key. So beside the search two places are asked: what this process has made, and, once, the list of what was
made in the last 15 minutes, by whomever.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_provider_flux.connectors.pipedrive.person import plain, values

log = logging.getLogger(__name__)

LAG = timedelta(minutes=15)
_MOST_PAGES = 10

Pages = Callable[[], Iterator[tuple[list[dict[str, Any]], datetime | None]]]
"""The records, newest first, page by page, and the server's clock."""


class Newest:
    """Remembers records by their id. Used from several threads at once."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._lock = threading.Lock()
        self._listed = False
        self._records: dict[str, dict[str, Any]] = {}
        self._gone: set[str] = set()

    def ids(self, field: str, value: Any) -> list[str]:
        """The ids of the newest records that hold the value.

        :raises FluxError: as the list
        """
        with self._lock:
            if not self._listed:
                self._list()
            wanted = plain(field, value)
            return [key for key, record in self._records.items() if wanted in values(record, field)]

    def is_gone(self, key: str) -> bool:
        """Whether this process has found or made the record gone, which the search may not know yet either."""
        with self._lock:
            return key in self._gone

    def made(self, key: str, record: dict[str, Any]) -> None:
        """A record was made by this process."""
        with self._lock:
            self._records[key] = record

    def changed(self, key: str, record: dict[str, Any]) -> None:
        """A record was changed by this process, and may be found by other values now."""
        with self._lock:
            if key in self._records:
                self._records[key] = record

    def gone(self, key: str) -> None:
        """A record is not there any more."""
        with self._lock:
            self._gone.add(key)
            self._records.pop(key, None)

    def doubtful(self) -> None:
        """An answer was lost: what is there now has to be listed again."""
        with self._lock:
            self._listed = False

    def _list(self) -> None:
        for number, (records, now) in enumerate(self._pages(), start=1):
            oldest = (now or datetime.now(UTC)) - LAG
            for record in records:
                if (_made_at(record) or oldest) < oldest:
                    self._listed = True
                    return
                self._records[str(record.get("id"))] = record
            if number == _MOST_PAGES:
                log.warning("more than %d pages of records are younger than %s: the rest is not looked at", number, LAG)
                break
        self._listed = True


def _made_at(record: dict[str, Any]) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(record.get("add_time")))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

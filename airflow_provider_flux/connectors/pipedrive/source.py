"""Reads Pipedrive as any REST API is read; what differs is cheaper this way."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from airflow_provider_flux.connectors.api.clock import clock
from airflow_provider_flux.connectors.contract import Page
from airflow_provider_flux.connectors.pipedrive.objects import IDS
from airflow_provider_flux.connectors.rest.records import NoRecords, find_records, page_of
from airflow_provider_flux.connectors.rest.source import RestSource
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.messages import Request

log = logging.getLogger(__name__)


class PipedriveSource(RestSource):
    """One list of one Pipedrive account."""

    def now(self) -> datetime | None:
        """The `Date` of the answer to a list of one record: whoever may read the flow's object may ask for that."""
        try:
            response = self._client.send(Request("GET", self._options.path, {"limit": 1}), once=True)
        except FluxError as error:
            log.warning("the clock of the source is not known: %s", error)
            return None
        return clock(response)

    def fetch(self, keys: Sequence[Mapping[str, Any]]) -> Iterator[Page]:
        """Yield the records with these ids, 100 in one call; the deleted and the invisible are left out.

        :raises FluxError: as `read`
        """
        ids = [text for key in keys for value in key.values() if (text := str(value)).isdecimal()]
        for first in range(0, len(ids), IDS):
            wanted = {"ids": ",".join(ids[first : first + IDS]), "limit": IDS}
            response = self._client.send(Request("GET", self._options.path, wanted, wants="json"))
            self._judgement.check(response)
            decoded = self._judgement.value(response)
            try:
                records = find_records(decoded.value, "data", optional=False)
            except NoRecords as error:
                raise self._judgement.unreadable(response, str(error)) from None
            yield page_of(decoded, records)

"""Writes to Pipedrive: looks up, then creates or changes, one record after the other."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from airflow_provider_flux.connectors.api.connection import open_client
from airflow_provider_flux.connectors.api.one_by_one import raise_if_all_alike, write_each
from airflow_provider_flux.connectors.api.profile import ApiProfile
from airflow_provider_flux.connectors.contract import Destination, Verdict, WriteItem
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.lookup import LookupWrites
from airflow_provider_flux.connectors.pipedrive.options import PipedriveDestinationOptions
from airflow_provider_flux.connectors.pipedrive.person import plain
from airflow_provider_flux.connectors.pipedrive.records import PipedriveRecords
from airflow_provider_flux.connectors.rest.results import RecordJudge
from airflow_provider_flux.connectors.rest.write_blocks import Results
from airflow_provider_flux.transport.classify import DESTINATION
from airflow_provider_flux.transport.failures import Judgement
from airflow_provider_flux.transport.paths import MISSING, get
from airflow_provider_flux.transport.tally import Tally

_LOCKS = 64


class PipedriveDestination(Destination):
    """One object of one Pipedrive account."""

    one_by_one = True

    def __init__(self, options: PipedriveDestinationOptions, credentials: Credentials, profile: ApiProfile) -> None:
        self.batch_size = options.batch_size
        self.in_flight = options.in_flight
        # A second look-up finds what the first write made (see `newest`), so it is changed and not made again.
        self.idempotent = options.mode != "create"
        self.can_find = options.key is not None
        self._client = open_client(
            credentials, None, profile=profile, timeout=options.timeout, connections=options.in_flight
        )
        # Of a write, a success that is none is judged by its words, not as a request that is wrong for every record.
        of_records = [row for row in profile.rows if row.path != "success"]
        judge = RecordJudge(Results(), of_records, self._client.mask, self.idempotent)
        judgement = Judgement(credentials.conn_id, self._client.mask, profile.rows, DESTINATION, self._client.tally)
        records = PipedriveRecords(
            options.object, self._client, judgement, judge, archives=options.deletes == "archive"
        )
        self._writes = LookupWrites(options, records)
        self._key = options.key
        self._locks = [threading.Lock() for _ in range(_LOCKS)]

    def write(self, items: Sequence[WriteItem]) -> list[Verdict]:
        """Write one batch: one verdict per item, in order.

        :raises OutcomeUnknown: records were sent, must not be sent again, and no verdict came back
        :raises FluxError: nothing was stored, or everything may be sent again
        """
        verdicts = write_each(items, self._write_one, idempotent=self.idempotent, can_find=self.can_find)
        raise_if_all_alike(verdicts)
        return verdicts

    def find(self, items: Sequence[WriteItem]) -> list[str | None]:
        """The id of each item that is there."""
        return self._writes.find(items)

    def _write_one(self, item: WriteItem) -> Verdict:
        """Two source records with one key may be in two batches: the second looks up when the first is made."""
        value = MISSING if self._key is None else get(item.data, self._key[0])
        if self._key is None or value is MISSING:
            return self._writes.write(item)
        with self._locks[hash(plain(self._key[0], value)) % _LOCKS]:
            return self._writes.write(item)

    def calls(self) -> Tally:
        """The calls made so far."""
        return self._client.tally

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

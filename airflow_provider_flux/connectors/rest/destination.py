"""Writes records to a REST API, in batches or one by one."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_flux.connectors.api.connection import open_client
from airflow_provider_flux.connectors.api.one_by_one import raise_if_all_alike, write_each
from airflow_provider_flux.connectors.api.profile import ANY_API, ApiProfile
from airflow_provider_flux.connectors.contract import Destination, Verdict, WriteItem, Written
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.lookup import LookupWrites
from airflow_provider_flux.connectors.rest.api import Api
from airflow_provider_flux.connectors.rest.batch_writes import BatchWrites
from airflow_provider_flux.connectors.rest.destination_options import RestDestinationOptions
from airflow_provider_flux.connectors.rest.error_rows import compiled
from airflow_provider_flux.connectors.rest.finding import Finder
from airflow_provider_flux.connectors.rest.looked_up import DeclaredRecords
from airflow_provider_flux.connectors.rest.results import RecordJudge
from airflow_provider_flux.connectors.rest.single_writes import SingleWrites
from airflow_provider_flux.connectors.rest.write_blocks import Archive, Results
from airflow_provider_flux.errors import BatchRejected, RecordError
from airflow_provider_flux.transport import graphql
from airflow_provider_flux.transport.classify import DESTINATION
from airflow_provider_flux.transport.failures import Judgement
from airflow_provider_flux.transport.tally import Tally


class RestDestination(Destination):
    """One resource of one API.

    :param profile: what is known of the vendor's API
    """

    def __init__(
        self, options: RestDestinationOptions, credentials: Credentials, profile: ApiProfile = ANY_API
    ) -> None:
        self.batch_size = options.batch_size
        self.in_flight = options.in_flight
        self.idempotent = options.effective_idempotent
        self.can_find = bool(options.find)
        self.one_by_one = options.batch is None
        own = compiled(options.errors)
        self._client = open_client(
            credentials,
            options.auth,
            profile=profile,
            timeout=options.timeout,
            connections=options.in_flight,
            rows=own,
        )
        rows = (*own, *profile.rows)
        results = options.results if isinstance(options.results, Results) else Results()
        body = options.batch.item if options.batch is not None else options.body
        judge = RecordJudge(results, rows, self._client.mask, self.idempotent, graphql.is_request(body))
        judgement = Judgement(credentials.conn_id, self._client.mask, rows, DESTINATION, self._client.tally)
        api = Api(options, self._client, judgement, judge, rows)
        self._batch = BatchWrites(api, options.batch) if options.batch is not None else None
        self._single = SingleWrites(
            api, options.effective_method, options.path, options.body, repeatable=self.idempotent
        )
        self._finder = Finder(api, options.find[0], options.one_key) if options.find else None
        self._deletes = _deletes(api)
        self._looked_up = LookupWrites(options, DeclaredRecords(api, self._deletes)) if options.looks_up else None
        self._keeps = options.mode == "create_if_missing"

    def write(self, items: Sequence[WriteItem]) -> list[Verdict]:
        """Write one batch: one verdict per item, in order.

        :raises BatchRejected: the whole batch was refused for what is in it
        :raises OutcomeUnknown: sent, must not be repeated, and no verdict came back
        :raises FluxError: nothing was stored, or everything may be sent again
        """
        if self._looked_up is not None:
            found = write_each(items, self._looked_up.write, idempotent=True, can_find=True)
            raise_if_all_alike(found)
            return found
        verdicts: list[Verdict | None] = [None] * len(items)
        # Deletes go first: they may be repeated, and what comes after them may not.
        rest: list[int] = []
        for index, item in enumerate(items):
            if item.deleted and self._deletes is not None:
                verdicts[index] = self._deletes.write(item)
            else:
                rest.append(index)
        remaining = [items[index] for index in rest]
        written = self._at_once(self._batch, remaining) if self._batch is not None else self._one_by_one(remaining)
        for index, verdict in zip(rest, written, strict=True):
            verdicts[index] = verdict
        settled = [self._left(verdict) for verdict in verdicts if verdict is not None]
        raise_if_all_alike(settled)
        return settled

    def find(self, items: Sequence[WriteItem]) -> list[str | None]:
        """The destination's key of each item that is there."""
        if self._finder is None:
            raise NotImplementedError
        return [self._finder.find(item) for item in items]

    def calls(self) -> Tally:
        """The calls made so far."""
        return self._client.tally

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _left(self, verdict: Verdict) -> Verdict:
        """What was there already is left as it is by `mode: create_if_missing`; the API refuses to make it again."""
        duplicate = isinstance(verdict, RecordError) and verdict.code == "DUPLICATE_RECORD"
        return Written(kept=True) if self._keeps and duplicate else verdict

    def _at_once(self, batch: BatchWrites, items: list[WriteItem]) -> list[Verdict]:
        try:
            return batch.write(items)
        except BatchRejected as rejected:
            if not self._keeps or len(items) > 1:
                raise
            return [rejected.error]

    def _one_by_one(self, items: list[WriteItem]) -> list[Verdict]:
        return write_each(items, self._single.write, idempotent=self.idempotent, can_find=self.can_find)


def _deletes(api: Api) -> SingleWrites | None:
    """Sends deletes by requests of their own, where the flow declares such."""
    removal = api.options.removal
    if removal is None or removal.path is None:
        return None
    body = removal.body if isinstance(removal, Archive) else None
    return SingleWrites(api, removal.method, removal.path, body, repeatable=True)

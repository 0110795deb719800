"""sObject collections: up to 200 records in one request, each with a result of its own, in the order of the request.

Source: REST API Developer Guide, "Using sObject Collections": `allOrNone: false`, HTTP 200 whatever became of the
records; an answer of another status is about the whole request.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from airflow_provider_flux.connectors.contract import Verdict, WriteItem
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.rest.bodies import encode, encode_item
from airflow_provider_flux.connectors.rest.placeholders import Unfit
from airflow_provider_flux.connectors.salesforce.connection import path
from airflow_provider_flux.connectors.salesforce.results import Results, is_locked
from airflow_provider_flux.errors import OutcomeUnknown
from airflow_provider_flux.transport.client import HttpClient
from airflow_provider_flux.transport.messages import Request

log = logging.getLogger(__name__)

LOCK_BUDGET = 20.0
"""Seconds within which records that somebody else has locked are sent again; less where the connection's
`retry_budget` is less."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 4.0


class Collections:
    """Sends records of one object.

    :param lock_budget: seconds, see `LOCK_BUDGET`
    """

    def __init__(
        self, client: HttpClient, results: Results, credentials: Credentials, name: str, lock_budget: float
    ) -> None:
        self._client = client
        self._results = results
        self._path = path(credentials, "composite/sobjects")
        self._type = name
        self._lock_budget = lock_budget

    def create(self, items: Sequence[WriteItem]) -> list[Verdict]:
        """New records.

        :raises BatchRejected: nothing was stored, for what is in it
        :raises OutcomeUnknown: sent, and no verdict came
        :raises FluxError: nothing was stored
        """
        return self._persistently(items, lambda item: item.data, lambda body: self._post("POST", self._path, body))

    def update(self, items: Sequence[WriteItem], ids: Sequence[str]) -> list[Verdict]:
        """Change the records with these Ids; as `create`, but it may be sent twice."""
        by_item = {id(item): key for item, key in zip(items, ids, strict=True)}
        return self._persistently(
            items,
            lambda item: {"id": by_item[id(item)], **_without_id(item.data)},
            lambda body: self._post("PATCH", self._path, body, repeatable=True),
        )

    def upsert(self, items: Sequence[WriteItem], external_id: str) -> list[Verdict]:
        """Make or change records by an external id, of which none may be there twice; as `update`."""
        resource = f"{self._path}/{self._type}/{external_id}"
        return self._persistently(
            items, lambda item: item.data, lambda body: self._post("PATCH", resource, body, repeatable=True)
        )

    def remove(self, items: Sequence[WriteItem], ids: Sequence[str]) -> list[Verdict]:
        """Put the records with these Ids into the recycle bin; as `update`."""
        by_item = {id(item): key for item, key in zip(items, ids, strict=True)}

        def request(body: list[WriteItem]) -> Request:
            listed = ",".join(by_item[id(item)] for item in body)
            return Request("DELETE", self._path, {"ids": listed, "allOrNone": "false"}, repeatable=True, wants="json")

        return self._settled(items, lambda left: self._results.of(self._client.send(request(left)), left))

    def _persistently(
        self,
        items: Sequence[WriteItem],
        data: Callable[[WriteItem], dict[str, Any]],
        request: Callable[[list[msgspec.Raw]], Request],
    ) -> list[Verdict]:
        """The verdicts; what JSON cannot hold is one without a request."""
        unfit: dict[int, Verdict] = {}
        encoded: dict[int, msgspec.Raw] = {}
        for item in items:
            try:
                encoded[id(item)] = encode_item({"attributes": {"type": self._type}, **data(item)})
            except Unfit as error:
                unfit[id(item)] = error.error
        fit = [item for item in items if id(item) not in unfit]

        def send(left: list[WriteItem]) -> list[Verdict]:
            return self._results.of(self._client.send(request([encoded[id(item)] for item in left])), left)

        settled = iter(self._settled(fit, send) if fit else [])
        return [unfit[id(item)] if id(item) in unfit else next(settled) for item in items]

    def _settled(
        self, items: Sequence[WriteItem], send: Callable[[list[WriteItem]], list[Verdict]]
    ) -> list[Verdict]:
        """Send, and send those again that were locked, as long as the budget lasts. A locked record was not stored."""
        verdicts = send(list(items))
        deadline, pause = time.monotonic() + self._lock_budget, _FIRST_PAUSE
        while True:
            locked = [place for place, verdict in enumerate(verdicts) if is_locked(verdict)]
            if not locked or time.monotonic() + pause > deadline:
                return verdicts
            log.warning("%d of %d records were locked, waiting %.1f s", len(locked), len(items), pause)
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            again = [items[place] for place in locked]
            try:
                found = send(again)
            except OutcomeUnknown as unknown:
                # The others have their verdicts, and these may be stored by now.
                found = [self._results.in_doubt(unknown)] * len(again)
            for place, verdict in zip(locked, found, strict=True):
                verdicts[place] = verdict

    def _post(self, method: str, resource: str, records: list[msgspec.Raw], *, repeatable: bool = False) -> Request:
        body = encode({"allOrNone": False, "records": records})
        headers = {"Content-Type": "application/json"}
        return Request(method, resource, {}, headers, body, repeatable=repeatable, wants="json")


def _without_id(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name != "Id"}

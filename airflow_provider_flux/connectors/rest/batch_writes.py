"""Many records in one request."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import msgspec

from airflow_provider_flux.connectors.contract import Verdict, WriteItem, Written
from airflow_provider_flux.connectors.rest.api import Api
from airflow_provider_flux.connectors.rest.bodies import encode, encode_item
from airflow_provider_flux.connectors.rest.placeholders import Unfit, compile_template
from airflow_provider_flux.connectors.rest.results import NoVerdicts
from airflow_provider_flux.connectors.rest.write_blocks import Batch, Results
from airflow_provider_flux.errors import CATALOGUE, BatchRejected, Disposition, FluxError
from airflow_provider_flux.transport.answers import NotJson
from airflow_provider_flux.transport.classify import loosely, recognise
from airflow_provider_flux.transport.messages import Request, Response
from airflow_provider_flux.transport.paths import place

# Statuses by which a whole batch is refused for what is in it; the write stage then halves it.
_FOR_ITS_CONTENT = frozenset({400, 409, 412, 413, 422})


class BatchWrites:
    """Sends the records of a batch in one request, and reads one verdict per record from its answer."""

    def __init__(self, api: Api, batch: Batch) -> None:
        self._api = api
        self._batch = batch
        key = api.options.one_key
        removal = api.options.removal
        deleted = None if removal is None else removal.item
        self._item = compile_template(batch.item, key)
        self._deleted = None if deleted is None else compile_template(deleted, key)

    def write(self, items: Sequence[WriteItem]) -> list[Verdict]:
        """Send a batch.

        :raises BatchRejected: it was refused for what is in it
        :raises OutcomeUnknown: it was sent, must not be repeated, and no verdict came
        :raises FluxError: nothing was stored, or it may be sent again
        """
        unfit: dict[int, Verdict] = {}
        encoded: list[msgspec.Raw] = []
        sent: list[WriteItem] = []
        for index, item in enumerate(items):
            render = self._deleted if item.deleted and self._deleted is not None else self._item
            try:
                encoded.append(encode_item(render(item)))
                sent.append(item)
            except Unfit as error:
                unfit[index] = error.error
        verdicts = iter(self._send(encoded, sent) if sent else [])
        return [unfit[index] if index in unfit else next(verdicts) for index in range(len(items))]

    def _send(self, encoded: list[msgspec.Raw], items: list[WriteItem]) -> list[Verdict]:
        options = self._api.options
        body: Any = encoded
        if self._batch.records is not None:
            body = copy.deepcopy(self._batch.body)
            place(body, self._batch.records, encoded)
        headers = {"Content-Type": "application/json", **options.headers}
        response = self._api.client.send(
            Request(
                options.effective_method,
                options.path,
                options.params,
                headers,
                encode(body),
                repeatable=options.effective_idempotent,
                wants="json" if self._api.looks_inside else "data",
            )
        )
        if not 200 <= response.status < 300:
            raise self._refused(response, items)
        return self._verdicts(response, items)

    def _verdicts(self, response: Response, items: list[WriteItem]) -> list[Verdict]:
        self._api.check_no_page(response)
        if not self._api.looks_inside:
            return [Written()] * len(items)
        try:
            answer = response.decoded.value
        except NotJson as error:
            raise self._api.unreadable(response, f"the answer is not JSON: {error}") from None
        if recognise(self._api.rows, response.status, answer, failed=False) is not None:
            raise self._refused(response, items)
        if not isinstance(self._api.options.results, Results):
            return [Written()] * len(items)
        try:
            return self._api.judge.batch(answer, items)
        except NoVerdicts as error:
            raise self._api.unreadable(response, str(error)) from None

    def _refused(self, response: Response, items: list[WriteItem]) -> FluxError:
        value = loosely(response.body, response.content_type)
        known = self._api.judge.known(response.status, value)
        if known is None and response.status not in _FOR_ITS_CONTENT:
            return self._api.judgement.failed(response)
        if known is not None and CATALOGUE[known.code].disposition in (Disposition.STOP, Disposition.RETRY):
            return self._api.judgement.failed(response)
        # Only of a batch of one is it known which record's value stands in the field at fault.
        item = items[0] if len(items) == 1 else WriteItem({})
        error = self._api.judge.refused(value, response.status, item, response.endpoint)
        return BatchRejected(self._api.judgement.about_record(response, error))

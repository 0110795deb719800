"""Calls about many records, and which verdict of the answer is whose.

The errors of a 207 have no index. Every input is therefore sent with an `objectWriteTraceId`, which HubSpot repeats in
results and in the context of errors; an error that lacks it is matched by the ids in its context.
Source: developers.hubspot.com/docs/api-reference/error-handling (multi-status errors)
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_flux.connectors.contract import Verdict, WriteItem, Written
from airflow_provider_flux.connectors.hubspot.api import Api
from airflow_provider_flux.connectors.hubspot.faults import context_values, refusal
from airflow_provider_flux.connectors.hubspot.profile import PROFILE
from airflow_provider_flux.connectors.rest.bodies import encode, encode_item
from airflow_provider_flux.connectors.rest.placeholders import Unfit
from airflow_provider_flux.errors import CATALOGUE, BatchRejected, Disposition, FluxError, OutcomeUnknown, RecordError
from airflow_provider_flux.transport.classify import as_text, loosely, recognise
from airflow_provider_flux.transport.messages import Response

# Statuses by which a whole batch is refused for what is in it; the write stage then halves it.
_FOR_ITS_CONTENT = frozenset({400, 409, 413, 422})
_MANY = WriteItem({})  # it is not known which record it is


@dataclass(frozen=True)
class Input:
    """One record of a call.

    :param body: what is sent, without the trace
    :param trace: by which the answer tells whose verdict is whose
    """

    item: WriteItem
    body: dict[str, Any]
    trace: str = field(default_factory=lambda: uuid.uuid4().hex)


class Batches:
    """Sends batches of one object.

    :param api: of the object
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def send(
        self, path: str, items: Sequence[WriteItem], bodies: Sequence[Callable[[], dict[str, Any]]], *, repeatable: bool
    ) -> list[Verdict]:
        """One verdict per record.

        :param path: of the batch endpoint, below the object's
        :param bodies: make the inputs of the records; one raises Unfit where its record cannot be sent
        :param repeatable: whether HubSpot may be sent the same batch twice
        :raises BatchRejected: the whole batch was refused for what is in it; for one that may be repeated also where
            the answer does not tell which records are at fault
        :raises OutcomeUnknown: it may not be repeated, and no verdict came
        :raises FluxError: nothing was stored, or it may be sent again
        """
        verdicts: list[Verdict | None] = [None] * len(items)
        inputs: dict[int, Input] = {}
        encoded = []
        for place, (item, body) in enumerate(zip(items, bodies, strict=True)):
            try:
                one = Input(item, body())
                encoded.append(encode_item({**one.body, "objectWriteTraceId": one.trace}))
                inputs[place] = one
            except Unfit as unfit:
                verdicts[place] = unfit.error
        if inputs:
            response = self._api.post(path, encode({"inputs": encoded}), repeatable=repeatable)
            found = self._verdicts(response, list(inputs.values()), repeatable)
            for place, verdict in zip(inputs, found, strict=True):
                verdicts[place] = verdict
        return [verdict for verdict in verdicts if verdict is not None]

    def _verdicts(self, response: Response, inputs: list[Input], repeatable: bool) -> list[Verdict]:
        if not 200 <= response.status < 300:
            raise self._refused(response, [one.item for one in inputs])
        try:
            decoded, results = self._api.results(response)
        except FluxError as unreadable:
            if repeatable:
                raise
            # Something was executed, and nobody knows what.
            raise OutcomeUnknown("OUTCOME_UNKNOWN", unreadable.message, answer=unreadable.answer) from None
        listed = decoded.value.get("errors")
        known = _stored(results, inputs)
        unmatched = []
        for error in listed if isinstance(listed, list) else ():
            places = [place for place in _named(error, inputs) if place not in known]
            for place in places:
                known[place] = refusal(error, inputs[place].item, self._api.client.mask, response.status)
            if not places:
                unmatched.append(error)
        return self._complete(response, inputs, known, unmatched, repeatable)

    def _complete(
        self, response: Response, inputs: list[Input], known: dict[int, Verdict], unmatched: list[Any], repeatable: bool
    ) -> list[Verdict]:
        """Judge the records of which the answer says nothing: they never count as written."""
        open_places = [place for place in range(len(inputs)) if place not in known]
        if unmatched and len(open_places) == 1:
            place = open_places[0]
            known[place] = refusal(unmatched[0], inputs[place].item, self._api.client.mask, response.status)
        elif unmatched and open_places and repeatable:
            # Sent again in halves, until each error stands beside one record only.
            raise BatchRejected(refusal(unmatched[0], _MANY, self._api.client.mask, response.status))
        reason = "HubSpot's answer has no verdict on this record"
        if unmatched:
            reason += f"; its errors do not say whose they are: {as_text(unmatched)}"
        elif inputs and "id" in inputs[0].body:
            reason += " (one that was merged into another answers under the other's id)"
        silent = RecordError(
            "UNREADABLE_ANSWER" if repeatable else "OUTCOME_UNKNOWN",
            self._api.client.mask(reason)[:1000],
            answer=self._api.client.mask(as_text(response.decoded.value))[:4000],
            status=response.status,
        )
        return [known.get(place, silent) for place in range(len(inputs))]

    def _refused(self, response: Response, items: list[WriteItem]) -> FluxError:
        value = loosely(response.body, response.content_type)
        whole = recognise(PROFILE.rows, response.status, value, failed=True)
        if response.status not in _FOR_ITS_CONTENT or whole is not None:
            return self._api.failed(response)
        # Only of a batch of one is it known which record's value stands in the field at fault.
        item = items[0] if len(items) == 1 else _MANY
        error = refusal(value, item, self._api.client.mask, response.status, response.endpoint)
        if CATALOGUE[error.code].disposition in (Disposition.STOP, Disposition.RETRY):
            return self._api.failed(response)
        return BatchRejected(self._api.judgement.about_record(response, error))


def _stored(results: list[Any], inputs: list[Input]) -> dict[int, Verdict]:
    """By place: the records that the answer holds."""
    by_trace = {one.trace: place for place, one in enumerate(inputs)}
    by_name = {str(one.body["id"]).casefold(): place for place, one in enumerate(inputs) if "id" in one.body}
    known: dict[int, Verdict] = {}
    for result in results:
        if not isinstance(result, dict) or not isinstance(result.get("id"), str):
            continue
        place = by_trace.get(str(result.get("objectWriteTraceId")))
        if place is None:
            place = by_name.get(_name(result, inputs[0].body.get("idProperty")))
        if place is not None:
            known[place] = Written(result["id"])
    return known


def _name(result: dict[str, Any], id_property: str | None) -> str:
    """What a record of the answer is called in the inputs: the value of their `idProperty`, or its own id."""
    if id_property is None:
        return str(result["id"]).casefold()
    properties = result.get("properties")
    return str(properties.get(id_property, "") if isinstance(properties, dict) else "").casefold()


def _named(error: Any, inputs: list[Input]) -> list[int]:
    """The places of the records that an error is about; several where it says so of several ids."""
    said = {value.casefold() for value in context_values(error)}
    traced = [place for place, one in enumerate(inputs) if one.trace in said]
    return traced or [
        place for place, one in enumerate(inputs) if "id" in one.body and str(one.body["id"]).casefold() in said
    ]

"""Writes records to HubSpot, up to 100 in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from airflow_provider_flux.connectors.contract import Destination, Verdict, WriteItem, Written
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.hubspot.api import Api
from airflow_provider_flux.connectors.hubspot.batches import Batches
from airflow_provider_flux.connectors.hubspot.finding import Finder
from airflow_provider_flux.connectors.hubspot.options import HubspotDestinationOptions
from airflow_provider_flux.connectors.hubspot.values import properties, text
from airflow_provider_flux.connectors.lookup import Lookup, next_step
from airflow_provider_flux.connectors.rest.placeholders import Unfit
from airflow_provider_flux.errors import FluxError, OutcomeUnknown, RecordError
from airflow_provider_flux.transport.classify import DESTINATION
from airflow_provider_flux.transport.paths import MISSING, get
from airflow_provider_flux.transport.tally import Tally


class HubspotDestination(Destination):
    """One object of one account.

    | mode              | calls for a batch                                                             |
    | ----------------- | ----------------------------------------------------------------------------- |
    | create            | batch/create                                                                  |
    | upsert            | batch/update for records that were delivered before, batch/upsert for others  |
    | update            | batch/read for those that were not delivered before, then batch/update        |
    | create_if_missing | batch/read, then batch/create                                                 |

    `fallback_keys` look records up before an upsert. `deletes: archive` is batch/archive.
    """

    def __init__(self, options: HubspotDestinationOptions, credentials: Credentials) -> None:
        self.batch_size = options.batch_size
        self.in_flight = options.in_flight
        self.idempotent = options.mode != "create"
        self.can_find = options.key is not None
        self._mode = options.mode
        self._key = options.key[0] if options.key is not None else None
        self._native = options.mode == "upsert" and not options.fallback_keys
        self._api = Api.open(
            credentials, options.object, outage=DESTINATION, timeout=options.timeout, connections=options.in_flight
        )
        self._batches = Batches(self._api)
        self._finder = Finder(self._api, self._key)
        self._lookup = Lookup(options, self._finder.search)

    def write(self, items: Sequence[WriteItem]) -> list[Verdict]:
        """Write one batch: one verdict per item, in order.

        :raises BatchRejected: a call was refused as a whole for what is in it
        :raises OutcomeUnknown: new records were sent, and no verdict came
        :raises FluxError: nothing was stored, or everything may be sent again
        """
        verdicts: dict[int, Verdict] = {}
        gone = [place for place, item in enumerate(items) if item.deleted]
        self._archive(items, gone, verdicts)
        there = [place for place, item in enumerate(items) if not item.deleted]
        if self._mode == "create":
            self._create(items, there, verdicts, looked_up=False)
        else:
            for places in self._rounds(items, there):
                self._round(items, places, verdicts)
        return [verdicts[place] for place in range(len(items))]

    def find(self, items: Sequence[WriteItem]) -> list[str | None]:
        """HubSpot's id of each record that is there."""
        return self._lookup.find(items)

    def calls(self) -> Tally:
        """The calls made so far."""
        return self._api.client.tally

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def _rounds(self, items: Sequence[WriteItem], places: list[int]) -> list[list[int]]:
        """The records in parts in which none occurs twice: HubSpot refuses a call that names a record twice."""
        rounds: list[list[int]] = []
        seen: dict[str, int] = {}
        for place in places:
            value = self._key_value(items[place])
            names = [str(name) for name in (items[place].destination_key, value) if name is not None]
            number = max((seen.get(name.casefold(), 0) for name in names), default=0)
            seen.update((name.casefold(), number + 1) for name in names)
            if number == len(rounds):
                rounds.append([])
            rounds[number].append(place)
        return rounds

    def _round(self, items: Sequence[WriteItem], places: list[int], verdicts: dict[int, Verdict]) -> None:
        """Write records that are all different: first those that were delivered before, by HubSpot's own id."""
        linked = _linked(items, places)
        if self._mode == "create_if_missing":
            there = self._finder.existing(list(linked.values())) if linked else set()
            verdicts.update((place, Written(one, kept=True)) for place, one in linked.items() if one in there)
        elif linked:
            self._change(items, linked, verdicts)
            # What was delivered once may have been deleted there since, and may be there under another id.
            for place in [place for place in linked if _is_missing(verdicts[place])]:
                del verdicts[place]
        rest = [place for place in places if place not in verdicts]
        if self._native:
            self._upsert(items, rest, verdicts)
        elif rest:
            self._by_lookup(items, rest, verdicts)

    def _by_lookup(self, items: Sequence[WriteItem], places: list[int], verdicts: dict[int, Verdict]) -> None:
        """Look records up, then change those that are there and make the others."""
        create: list[int] = []
        change: dict[int, str] = {}
        found = self._lookup.places([items[place] for place in places], links=False)
        for place, where in zip(places, found, strict=True):
            step = next_step(self._mode, items[place], where, self._lookup.missing)
            if step == "create":
                # Without its key a record whose answer is lost would not be found again, and be made twice.
                error = self._without_key(items[place])
                if error is None:
                    create.append(place)
                else:
                    verdicts[place] = error
            elif step == "change":
                assert where.id is not None
                change[place] = where.id
            else:
                assert not isinstance(step, str)
                verdicts[place] = step
        self._change(items, change, verdicts)
        self._create(items, create, verdicts, looked_up=True)

    def _upsert(self, items: Sequence[WriteItem], places: list[int], verdicts: dict[int, Verdict]) -> None:
        def body(place: int) -> dict[str, Any]:
            data = items[place].data
            assert self._key is not None
            if error := self._without_key(items[place]):
                raise Unfit(error)
            value = text(self._key, self._key_value(items[place]))
            return {"id": value, "idProperty": self._key, "properties": properties(data)}

        self._send("/batch/upsert", items, places, body, verdicts)

    def _change(self, items: Sequence[WriteItem], ids: dict[int, str], verdicts: dict[int, Verdict]) -> None:
        def body(place: int) -> dict[str, Any]:
            return {"id": ids[place], "properties": properties(items[place].data)}

        self._send("/batch/update", items, list(ids), body, verdicts)

    def _create(
        self, items: Sequence[WriteItem], places: list[int], verdicts: dict[int, Verdict], *, looked_up: bool
    ) -> None:
        """Make records.

        :param looked_up: they were looked up a moment ago; so nothing is in doubt when the answer is lost, for the
            retry finds what was stored
        """

        def body(place: int) -> dict[str, Any]:
            return {"properties": properties(items[place].data), "associations": []}

        try:
            self._send("/batch/create", items, places, body, verdicts, repeatable=False)
        except OutcomeUnknown as unknown:
            if not looked_up:
                raise
            code = "CONNECTION_TIMEOUT" if unknown.code == "OUTCOME_UNKNOWN" else unknown.code
            raise FluxError(code, unknown.message, answer=unknown.answer, retry_after=unknown.retry_after) from None

    def _archive(self, items: Sequence[WriteItem], places: list[int], verdicts: dict[int, Verdict]) -> None:
        """Move records into HubSpot's recycle bin. Those that are not there are done with."""
        ids = _linked(items, places)
        rest = [place for place in places if place not in ids]
        found = self._lookup.places([items[place] for place in rest], links=False)
        for place, where in zip(rest, found, strict=True):
            if where.error is not None:
                verdicts[place] = where.error
            elif where.id is None:
                verdicts[place] = Written()
            else:
                ids[place] = where.id
        if ids:
            inputs = [{"id": one} for one in dict.fromkeys(ids.values())]
            response = self._api.post("/batch/archive", {"inputs": inputs})
            if not 200 <= response.status < 300:
                raise self._api.failed(response)
            verdicts.update((place, Written(one)) for place, one in ids.items())

    def _without_key(self, item: WriteItem) -> RecordError | None:
        """The error of a record whose key is empty."""
        if self._key_value(item) is not None:
            return None
        return RecordError(
            "REQUIRED_FIELD_MISSING", f"'{self._key}' is empty, and HubSpot finds records by it", field=self._key
        )

    def _key_value(self, item: WriteItem) -> Any:
        """The record's value of the key; None where it has none."""
        value = MISSING if self._key is None else get(item.data, self._key)
        return None if value is MISSING or value == "" else value

    def _send(
        self,
        path: str,
        items: Sequence[WriteItem],
        places: list[int],
        body: Callable[[int], dict[str, Any]],
        verdicts: dict[int, Verdict],
        *,
        repeatable: bool = True,
    ) -> None:
        if places:
            bodies = [partial(body, place) for place in places]
            found = self._batches.send(path, [items[place] for place in places], bodies, repeatable=repeatable)
            verdicts.update(zip(places, found, strict=True))


def _linked(items: Sequence[WriteItem], places: list[int]) -> dict[int, str]:
    """The ids of the records that were delivered before, from their link rows."""
    # A link that names no id holds the values of the key as a JSON list.
    keys = {place: items[place].destination_key for place in places}
    return {place: key for place, key in keys.items() if key is not None and not key.startswith("[")}


def _is_missing(verdict: Verdict) -> bool:
    return isinstance(verdict, RecordError) and verdict.code == "RECORD_NOT_FOUND"

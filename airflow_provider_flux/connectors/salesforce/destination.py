"""Writes one object of an org: upserts by an external id, everything else by look-up and Salesforce's own Id.

No record stands twice in one call, because Salesforce then refuses both: what has the same key is sent one call after
the other, in its order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from airflow_provider_flux.connectors.api.profile import ApiProfile
from airflow_provider_flux.connectors.contract import Destination, Verdict, WriteItem, Written
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.lookup import Lookup, Place, next_step
from airflow_provider_flux.connectors.rest.results import RecordJudge
from airflow_provider_flux.connectors.salesforce import soql
from airflow_provider_flux.connectors.salesforce.connection import open_salesforce
from airflow_provider_flux.connectors.salesforce.options import SalesforceDestinationOptions
from airflow_provider_flux.connectors.salesforce.query import Query
from airflow_provider_flux.connectors.salesforce.results import RESULTS, Results
from airflow_provider_flux.connectors.salesforce.sobjects import LOCK_BUDGET, Collections
from airflow_provider_flux.errors import FluxError, OutcomeUnknown, RecordError
from airflow_provider_flux.transport.classify import DESTINATION
from airflow_provider_flux.transport.failures import Judgement
from airflow_provider_flux.transport.paths import MISSING, get
from airflow_provider_flux.transport.tally import Tally


class SalesforceDestination(Destination):
    """One object of one org."""

    def __init__(self, options: SalesforceDestinationOptions, credentials: Credentials, profile: ApiProfile) -> None:
        self.batch_size = options.batch_size
        self.in_flight = options.in_flight
        self.idempotent = options.mode != "create"
        self.can_find = options.key is not None
        self._options = options
        self._client = open_salesforce(credentials, profile, timeout=options.timeout, connections=options.in_flight)
        judgement = Judgement(credentials.conn_id, self._client.mask, profile.rows, DESTINATION, self._client.tally)
        judge = RecordJudge(RESULTS, profile.rows, self._client.mask, self.idempotent)
        self._query = Query(self._client, judgement, credentials)
        self._lookup = Lookup(options, self._search)
        self._records = Collections(
            self._client, Results(judge, judgement), credentials, options.object, _lock_budget(credentials)
        )

    def write(self, items: Sequence[WriteItem]) -> list[Verdict]:
        """Write one batch: one verdict per item, in order.

        :raises BatchRejected: the whole batch was refused for what is in it, and nothing of it was stored
        :raises OutcomeUnknown: new records were sent, and no verdict came back
        :raises FluxError: nothing was stored, or everything may be sent again
        """
        verdicts: dict[int, Verdict] = {}
        for places in self._rounds(items):
            batch = [items[place] for place in places]
            try:
                found = self._round(batch)
            except FluxError as error:
                if self.idempotent or not verdicts or (self.can_find and isinstance(error, OutcomeUnknown)):
                    raise
                # What was stored before must not be sent again, so the error stays with these.
                found = [RecordError(error.code, error.message, answer=error.answer)] * len(batch)
            verdicts.update(zip(places, found, strict=True))
        return [verdicts[place] for place in range(len(items))]

    def find(self, items: Sequence[WriteItem]) -> list[str | None]:
        """The Id of each item that is there, by its key.

        :raises FluxError: the org cannot be asked, or has several records that it could be
        """
        return Lookup(self._options, self._ask).find(items)

    def calls(self) -> Tally:
        """The calls made so far."""
        return self._client.tally

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _rounds(self, items: Sequence[WriteItem]) -> list[list[int]]:
        """The positions of the items: in each round every key stands once."""
        rounds: list[list[int]] = []
        times: dict[tuple[str, ...], int] = {}
        for place, item in enumerate(items):
            for name in self._names(item):
                times[name] = times.get(name, 0) + 1
            number = max((times[name] for name in self._names(item)), default=1)
            times.update(dict.fromkeys(self._names(item), number))
            rounds += [[] for _ in range(number - len(rounds))]
            rounds[number - 1].append(place)
        return rounds

    def _names(self, item: WriteItem) -> list[tuple[str, ...]]:
        """By what a record may be found: the Id of its link, and its keys, as Salesforce compares them."""
        link = _link(item)
        names: list[tuple[str, ...]] = [] if link is None else [("Id", soql.same("Id", link))]
        for fields in (self._options.key or (), *self._options.fallback_keys):
            values = [get(item.data, field) for field in fields]
            if fields and not any(value is MISSING or value is None or value == "" for value in values):
                names.append((*fields, *map(soql.same, fields, values)))
        return names

    def _round(self, items: list[WriteItem]) -> list[Verdict]:
        """Items of which none is the same record as another."""
        deletes = [item for item in items if item.deleted]
        rest = [item for item in items if not item.deleted]
        external_id = self._options.external_id
        if self._options.mode == "create":
            write: Callable[[list[WriteItem]], list[Verdict]] = self._records.create
        elif self._options.mode == "upsert" and external_id is not None and not self._options.fallback_keys:
            write = self._upsert
        else:
            write = self._looked_up
        # Deletes go first: they may be repeated, and new records may not.
        gone = iter(self._looked_up(deletes) if deletes else [])
        written = iter(write(rest) if rest else [])
        return [next(gone) if item.deleted else next(written) for item in items]

    def _upsert(self, items: list[WriteItem]) -> list[Verdict]:
        """By the Id under which a record was delivered before, else by its external id."""
        external_id = self._options.external_id
        assert external_id is not None
        linked = [item for item in items if _link(item) is not None]
        verdicts: dict[int, Verdict] = {}
        if linked:
            found = self._records.update(linked, [_link(item) or "" for item in linked])
            verdicts = {id(item): verdict for item, verdict in zip(linked, found, strict=True)}
        # A link may lead to a record that was deleted since.
        left = [item for item in items if id(item) not in verdicts or _is_missing(verdicts[id(item)])]
        if left:
            verdicts.update(zip(map(id, left), self._records.upsert(left, external_id), strict=True))
        # Another writer made the record while this call looked for it: it is there now.
        raced = [item for item in left if _is_duplicate(verdicts[id(item)], external_id)]
        if raced:
            verdicts.update(zip(map(id, raced), self._records.upsert(raced, external_id), strict=True))
        return [verdicts[id(item)] for item in items]

    def _looked_up(self, items: list[WriteItem], *, links: bool = True) -> list[Verdict]:
        """Look up, then create, change, remove or leave alone."""
        # Whether a record that was delivered once is there still, only its key tells.
        links = links and self._options.mode != "create_if_missing"
        places = self._lookup.places(items, links=links)
        verdicts: dict[int, Verdict] = {}
        todo: dict[str, list[tuple[WriteItem, Place]]] = {"remove": [], "change": [], "create": []}
        for item, place in zip(items, places, strict=True):
            step = next_step(self._options.mode, item, place, self._lookup.missing)
            if isinstance(step, str):
                todo[step].append((item, place))
            else:
                verdicts[id(item)] = step
        for what, pairs in todo.items():
            if pairs:
                found = self._do(what, [item for item, _ in pairs], [place.id or "" for _, place in pairs])
                verdicts.update({id(item): verdict for (item, _), verdict in zip(pairs, found, strict=True)})
        stale = [
            item for item, place in zip(items, places, strict=True)
            if place.by == "link" and _is_missing(verdicts[id(item)])
        ]  # fmt: skip
        if stale:
            verdicts.update(zip(map(id, stale), self._looked_up(stale, links=False), strict=True))
        return [_done(item, verdicts[id(item)]) for item in items]

    def _do(self, step: str, items: list[WriteItem], ids: list[str]) -> list[Verdict]:
        if step == "change":
            return self._change(items, ids)
        if step == "remove":
            return self._records.remove(items, ids)
        try:
            return self._records.create(items)
        except OutcomeUnknown as unknown:
            # The retry looks up before it sends again, and then finds what was stored.
            raise FluxError("CONNECTION_TIMEOUT", unknown.message, answer=unknown.answer) from None

    def _change(self, items: list[WriteItem], ids: list[str]) -> list[Verdict]:
        """Two of the items may turn out to be one record, found by another key each: they go one after the other."""
        verdicts: dict[int, Verdict] = {}
        left = list(zip(items, ids, strict=True))
        while left:
            first = {soql.same("Id", key): (item, key) for item, key in reversed(left)}
            now = list(first.values())
            found = self._records.update([item for item, _ in now], [key for _, key in now])
            verdicts.update({id(item): verdict for (item, _), verdict in zip(now, found, strict=True)})
            left = [(item, key) for item, key in left if id(item) not in verdicts]
        return [verdicts[id(item)] for item in items]

    def _search(self, fields: tuple[str, ...], wanted: Sequence[tuple[Any, ...]]) -> list[Sequence[str]]:
        """As `_ask`; whether there is a record with an Id, the write itself tells."""
        return [[str(values[0])] for values in wanted] if fields == ("Id",) else self._ask(fields, wanted)

    def _ask(self, fields: tuple[str, ...], wanted: Sequence[tuple[Any, ...]]) -> list[Sequence[str]]:
        """The Ids of the records with each of these values (`lookup.Search`)."""
        found: dict[tuple[str, ...], list[str]] = {}
        for portion in soql.portions([values for values in wanted if soql.askable(fields, values)]):
            query = soql.select(("Id", *fields), self._options.object, [soql.any_of(fields, portion)])
            for page in self._query.pages(query):
                for record in page.records:
                    values = tuple(soql.same(field, record.get(field)) for field in fields)
                    found.setdefault(values, []).append(str(record.get("Id")))
        return [found.get(tuple(map(soql.same, fields, values)), []) for values in wanted]


def _link(item: WriteItem) -> str | None:
    key = item.destination_key
    # A link that names no Id holds the values of the key as a JSON list.
    return None if not key or key.startswith("[") else key


def _is_missing(verdict: Verdict) -> bool:
    return isinstance(verdict, RecordError) and verdict.code == "RECORD_NOT_FOUND"


def _is_duplicate(verdict: Verdict, field: str) -> bool:
    return isinstance(verdict, RecordError) and verdict.code == "DUPLICATE_RECORD" and verdict.field == field


def _done(item: WriteItem, verdict: Verdict) -> Verdict:
    """What is gone by another hand is gone."""
    return Written(item.destination_key) if item.deleted and _is_missing(verdict) else verdict


def _lock_budget(credentials: Credentials) -> float:
    """Seconds; `retry_budget` of the connection was checked when its client was opened."""
    if credentials.one_try:
        return 0.0
    return min(LOCK_BUDGET, float(credentials.extra.get("retry_budget") or LOCK_BUDGET))

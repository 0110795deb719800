"""How records are found and written in a system that has no upsert of its own, alike for every connector.

A record is looked for in this order: by the destination's own id from the link row (what an earlier run delivered), by
`key`, then by each of `fallback_keys`. The first that finds something decides; several records with the same values are
a DUPLICATE_RECORD that names their ids, and nothing is written. A key of which a field is empty is not asked for.

What a system can do with one record is a subclass of `Records`; `LookupWrites` does the rest, mode by mode. A system
that writes many records in one call uses `Lookup` (many look-ups at once) and `next_step` (what to do with each).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from airflow_provider_flux.connectors.contract import Verdict, WriteItem, Written
from airflow_provider_flux.connectors.options import DestinationOptions, Mode
from airflow_provider_flux.errors import FluxError, NoVerdict, OutcomeUnknown, RecordError, preview
from airflow_provider_flux.transport.paths import MISSING, get

Search = Callable[[tuple[str, ...], Sequence[tuple[Any, ...]]], Sequence[Sequence[str]]]
"""`search(fields, wanted)`: for each tuple of values (one for each of the fields, none of them empty) the ids of all
records that hold exactly these; empty where there is none. `wanted` holds no tuple twice. Raises FluxError."""

Step = Literal["create", "change", "remove"]


@dataclass(frozen=True)
class Place:
    """Where a record is in the destination.

    :param id: the destination's own id; None: it is not there
    :param by: how it was found: `link` (by the id under which it was delivered; whether it is there still, nobody has
        asked), or the fields of the key, as `email`
    :param error: why nobody can tell which record it is; then nothing may be written
    """

    id: str | None = None
    by: str = ""
    error: RecordError | None = None


NOWHERE = Place()


class Lookup:
    """Looks records up, as the flow's `key` and `fallback_keys` say.

    :param search: asks the system
    """

    def __init__(self, options: DestinationOptions, search: Search) -> None:
        self._mode = options.mode
        self._keys = _keys_of(options)
        self._search = search

    def places(self, items: Sequence[WriteItem], *, links: bool = True) -> list[Place]:
        """Where each record is, with one search per key for all that are still looked for.

        :param links: whether the id of the link row counts; without, only what the system finds now
        :raises FluxError: as the search
        """
        found: list[Place | None] = [_by_link(item) if links else None for item in items]
        for fields in self._keys:
            places: dict[tuple[Any, ...], list[int]] = {}
            for place, item in enumerate(items):
                values = None if found[place] is not None else _values(item, fields)
                if values is not None:
                    places.setdefault(values, []).append(place)
            if not places:
                continue
            answers = self._search(fields, list(places))
            for (values, positions), ids in zip(places.items(), answers, strict=True):
                for position in positions if ids else ():
                    found[position] = _place(fields, values, ids)
        return [place or self._nowhere(item) for item, place in zip(items, found, strict=True)]

    def place(self, item: WriteItem, *, links: bool = True) -> Place:
        """Where one record is; as `places`."""
        return self.places([item], links=links)[0]

    def asks(self, item: WriteItem) -> bool:
        """Whether a search can find the record: one of its keys has all its values."""
        return _tells(self._keys, item)

    def find(self, items: Sequence[WriteItem]) -> list[str | None]:
        """The id of each item that is there now (see `Destination.find`).

        :raises FluxError: the system cannot be asked, or has several records that it could be
        """
        places = self.places(items, links=False)
        for place in places:
            if place.error is not None:
                raise FluxError(place.error.code, place.error.message)
        return [place.id for place in places]

    def _nowhere(self, item: WriteItem) -> Place:
        """The place of a record that was not found.

        One whose keys are all empty is not made: nothing would find it again, and a repeated write would make another.
        """
        if item.deleted or self._mode not in ("upsert", "create_if_missing") or self.asks(item):
            return NOWHERE
        named = ", ".join(self._keys[0]) if self._keys else None
        message = f"nothing tells whether the record is there: its key is empty ({named})"
        return Place(error=RecordError("REQUIRED_FIELD_MISSING", message, field=named))

    def missing(self, item: WriteItem) -> RecordError:
        """The error of a record that is to be changed and is not there."""
        asked = [(fields, values) for fields in self._keys if (values := _values(item, fields)) is not None]
        if not asked:
            fields = self._keys[0] if self._keys else ()
            named = ", ".join(fields)
            message = f"nothing tells which record it is: {named or 'the key'} is empty"
            return RecordError("RECORD_NOT_FOUND", message, field=named or None)
        tried = "; nor ".join(_said(fields, values) for fields, values in asked)
        value = ", ".join(preview(value) for value in asked[0][1])
        message = f"the destination has no record with {tried}"
        return RecordError("RECORD_NOT_FOUND", message, field=", ".join(asked[0][0]), value=value)


def can_be_found(options: DestinationOptions, item: WriteItem) -> bool:
    """Whether a look-up can tell of a record: one of its keys has all its values."""
    return _tells(_keys_of(options), item)


def next_step(mode: Mode, item: WriteItem, place: Place, missing: Callable[[WriteItem], RecordError]) -> Step | Verdict:
    """What is to be done with a record of which is known where it is; a verdict where nothing is.

    :param missing: the error of a record that is not there (`Lookup.missing`)
    """
    if item.deleted:
        if place.error is not None:
            return place.error
        return Written() if place.id is None else "remove"
    if mode == "create":
        return "create"
    if place.error is not None:
        return place.error
    if place.id is None:
        return missing(item) if mode == "update" else "create"
    return Written(place.id, kept=True) if mode == "create_if_missing" else "change"


class Records(ABC):
    """What a system can do with single records. Each method may be called from several threads at once."""

    @abstractmethod
    def search(self, fields: tuple[str, ...], values: tuple[Any, ...]) -> Sequence[str]:
        """The ids of all records that hold exactly these values; two are enough to tell that there are several.

        :raises FluxError: the system cannot be asked
        """

    @abstractmethod
    def exists(self, key: str) -> bool:
        """Whether a record with this id is there (one that is archived is not).

        :raises FluxError: the system cannot be asked
        """

    @abstractmethod
    def create(self, data: dict[str, Any]) -> Verdict:
        """Make a record: `Written(its id)`, or why it was refused.

        :raises OutcomeUnknown: sent, and no verdict came back
        :raises FluxError: nothing was stored, and that is not about this record alone
        """

    @abstractmethod
    def change(self, key: str, data: dict[str, Any]) -> Verdict:
        """Change the given fields of a record: `Written(key)`; RECORD_NOT_FOUND where it is not there.

        :raises FluxError: as `create`; a change may be sent twice
        """

    @abstractmethod
    def remove(self, key: str) -> Verdict:
        """Delete the record, or archive it, as the flow says: `Written(key)`; RECORD_NOT_FOUND where it is not there.

        :raises FluxError: as `change`
        """


class LookupWrites:
    """Writes records one by one: looks up, then creates, changes, removes or leaves alone."""

    def __init__(self, options: DestinationOptions, records: Records) -> None:
        self._mode = options.mode
        self._records = records
        self._lookup = Lookup(options, self._search)

    def write(self, item: WriteItem) -> Verdict:
        """Write one record.

        :raises OutcomeUnknown: a new record was sent, and no verdict came back
        :raises FluxError: nothing was stored, and that is not about this record alone
        """
        if self._mode == "create" and not item.deleted:
            return self._records.create(item.data)
        place = self._lookup.place(item)
        if place.by == "link":
            # What was delivered once may have been deleted there since, and may be there under another id.
            place, verdict = self._linked(item, place)
            if verdict is not None:
                return verdict
        return self._do(item, place)

    def find(self, items: Sequence[WriteItem]) -> list[str | None]:
        """The id of each item that is there now (see `Destination.find`).

        :raises FluxError: the system cannot be asked, or has several records that it could be
        """
        return self._lookup.find(items)

    def _linked(self, item: WriteItem, place: Place) -> tuple[Place, Verdict | None]:
        assert place.id is not None
        if self._mode == "create_if_missing" and not item.deleted:
            if self._records.exists(place.id):
                return place, None
        else:
            verdict = self._do(item, place)
            if not _is_missing(verdict):
                return place, verdict
            if item.deleted:
                return place, Written(place.id)
        return self._lookup.place(item, links=False), None

    def _do(self, item: WriteItem, place: Place) -> Verdict:
        step = next_step(self._mode, item, place, self._lookup.missing)
        if step == "create":
            return self._create(item)
        if step == "change":
            assert place.id is not None
            return self._records.change(place.id, item.data)
        if step == "remove":
            assert place.id is not None
            verdict = self._records.remove(place.id)
            # Gone by another hand is gone. Of a link that is stale the caller wants to know.
            return Written(place.id) if _is_missing(verdict) and place.by != "link" else verdict
        return step

    def _create(self, item: WriteItem) -> Verdict:
        """Make a record that a search has just not found; so nothing is in doubt when the answer is lost."""
        try:
            return self._records.create(item.data)
        except OutcomeUnknown as unknown:
            if self._mode == "create":
                raise
            if isinstance(unknown, NoVerdict):
                # It did answer: the others of the batch need not wait until it answers this one otherwise.
                return RecordError("UNREADABLE_ANSWER", unknown.message, answer=unknown.answer)
            # The retry looks up before it sends again, and then finds what was stored.
            raise FluxError(
                "CONNECTION_TIMEOUT" if unknown.code == "OUTCOME_UNKNOWN" else unknown.code,
                unknown.message,
                answer=unknown.answer,
                retry_after=unknown.retry_after,
            ) from None

    def _search(self, fields: tuple[str, ...], wanted: Sequence[tuple[Any, ...]]) -> list[Sequence[str]]:
        return [self._records.search(fields, values) for values in wanted]


def _by_link(item: WriteItem) -> Place | None:
    key = item.destination_key
    # A link that names no id holds the values of the key as a JSON list.
    return None if key is None or key.startswith("[") else Place(key, "link")


def _keys_of(options: DestinationOptions) -> list[tuple[str, ...]]:
    return [fields for fields in (options.key, *options.fallback_keys) if fields]


def _tells(keys: Sequence[tuple[str, ...]], item: WriteItem) -> bool:
    return any(_values(item, fields) is not None for fields in keys)


def _values(item: WriteItem, fields: tuple[str, ...]) -> tuple[Any, ...] | None:
    """The record's values of a key; None where one of them is empty, or is no single value."""
    values = tuple(get(item.data, field) for field in fields)
    if any(value is MISSING or value is None or value == "" or isinstance(value, (dict, list)) for value in values):
        return None
    return values


def _place(fields: tuple[str, ...], values: tuple[Any, ...], ids: Sequence[str]) -> Place:
    if len(set(ids)) == 1:
        return Place(ids[0], ", ".join(fields))
    message = f"the destination has several records with {_said(fields, values)}: {', '.join(dict.fromkeys(ids))}"
    return Place(
        by=", ".join(fields),
        error=RecordError(
            "DUPLICATE_RECORD", message, field=", ".join(fields), value=", ".join(preview(value) for value in values)
        ),
    )


def _said(fields: tuple[str, ...], values: Sequence[Any]) -> str:
    return " and ".join(f"{field} = {preview(value)}" for field, value in zip(fields, values, strict=True))


def _is_missing(verdict: Verdict) -> bool:
    return isinstance(verdict, RecordError) and verdict.code == "RECORD_NOT_FOUND"

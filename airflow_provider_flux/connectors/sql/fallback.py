"""Rows that a fallback key finds: they are changed under the key that they have, and get the record's own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.engine import Connection

from airflow_provider_flux.connectors.contract import Verdict, WriteItem, Written
from airflow_provider_flux.connectors.lookup import Lookup, Place
from airflow_provider_flux.connectors.sql.kinds.base import Refused
from airflow_provider_flux.connectors.sql.options import SqlDestinationOptions
from airflow_provider_flux.connectors.sql.plan import Planner
from airflow_provider_flux.connectors.sql.statements import StatementWriter


@dataclass
class Found:
    """What the look-up found out about a batch.

    :param items: what is to be planned, one for each item
    :param verdicts: what is settled already, by item
    :param old_keys: by item: the key of the row, where that is another than the record's
    """

    items: list[WriteItem]
    verdicts: dict[int, Verdict] = field(default_factory=dict)
    old_keys: dict[int, tuple[Any, ...]] = field(default_factory=dict)


class Fallback:
    """Looks the records of a batch up: by `key`, then by each of `fallback_keys`."""

    def __init__(self, options: SqlDestinationOptions, planner: Planner, statements: StatementWriter) -> None:
        self._options = options
        self._key = options.key or ()
        self._planner = planner
        self._statements = statements

    def look(self, connection: Connection, items: Sequence[WriteItem]) -> Found:
        """Ask the table."""
        rows: dict[str, tuple[Any, ...]] = {}

        def search(fields: tuple[str, ...], wanted: Sequence[tuple[Any, ...]]) -> list[Sequence[str]]:
            return [self._named(keys, rows) for keys in self._search(connection, fields, wanted)]

        found = Found(list(items))
        places = Lookup(self._options, search).places(items, links=False)
        for index, (item, place) in enumerate(zip(items, places, strict=True)):
            if place.error is not None:
                found.verdicts[index] = place.error
            elif place.id is not None and place.by != ", ".join(self._key):
                self._moved(found, index, item, place, rows[place.id])
        return found

    def _moved(self, found: Found, index: int, item: WriteItem, place: Place, key: tuple[Any, ...]) -> None:
        """Note what is to be done with a row that stands under another key."""
        own = dict(zip(self._key, key, strict=True))
        if item.deleted:
            found.items[index] = replace(item, data=own)
        elif self._options.mode == "create_if_missing":
            found.verdicts[index] = Written(kept=True)
        else:
            given = {name: value for name, value in item.data.items() if name not in own or value is not None}
            found.items[index] = replace(item, data=own | given)
            found.old_keys[index] = self._planner.sent_key(key)

    def _search(
        self, connection: Connection, fields: tuple[str, ...], wanted: Sequence[tuple[Any, ...]]
    ) -> list[list[tuple[Any, ...]]]:
        """For each tuple of values the keys of the rows that hold them."""
        sent: dict[int, tuple[Any, ...]] = {}
        for position, values in enumerate(wanted):
            try:
                sent[position] = self._planner.sent(fields, values)
            except Refused:
                continue  # what the table cannot hold is not in it; the plan then says what is wrong with the record
        keys: list[list[tuple[Any, ...]]] = [[] for _ in wanted]
        if fields == self._key:
            places = list(sent)
            for position in self._statements.there(connection, list(sent.values()), self._planner.sent_key):
                keys[places[position]] = [wanted[places[position]]]
            return keys
        for position, values in sent.items():
            keys[position] = self._statements.keys_with(connection, fields, values)
        return keys

    @staticmethod
    def _named(keys: list[tuple[Any, ...]], rows: dict[str, tuple[Any, ...]]) -> list[str]:
        names = [json.dumps(key, default=str, ensure_ascii=False) for key in keys]
        rows.update(zip(names, keys, strict=True))
        return names

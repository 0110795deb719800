"""Asks HubSpot which records are there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from airflow_provider_flux.connectors.hubspot.api import Api
from airflow_provider_flux.connectors.hubspot.objects import BATCH
from airflow_provider_flux.connectors.hubspot.options import ID_FIELDS
from airflow_provider_flux.connectors.hubspot.schema import unique_properties
from airflow_provider_flux.connectors.hubspot.values import text

_GROUPS = 5
"""Records that one search looks for (HubSpot takes five groups of filters)."""
_FOUND = 200
_OTHER_NAMES = {"email": ("hs_additional_emails",)}
"""Where other values stand by which HubSpot finds the record, too, separated by `;`."""


class Finder:
    """Finds records by their ids, by a property with unique values, or by others.

    * By id and by a unique property: a batch read, 100 records in one call, always up to date.
    * By any other property, or several: a search, 5 records in one call, which may miss what was written moments ago.

    :param key: the flow's key, which is unique (HubSpot refuses an upsert by any other)
    """

    def __init__(self, api: Api, key: str | None) -> None:
        self._api = api
        self._key = key

    def existing(self, ids: Sequence[str]) -> set[str]:
        """Those of the ids that are there; archived records are not."""
        return set(self._read(None, ids).values())

    def search(self, fields: tuple[str, ...], wanted: Sequence[tuple[Any, ...]]) -> list[Sequence[str]]:
        """The ids of the records that hold each tuple of values (see `lookup.Search`).

        :raises FluxError: what HubSpot answers
        """
        values = [tuple(text(name, one) for name, one in zip(fields, each, strict=True)) for each in wanted]
        if len(fields) == 1 and (fields[0] in ID_FIELDS or fields[0] == self._key or fields[0] in self._unique):
            by = None if fields[0] in ID_FIELDS else fields[0]
            found = self._read(by, [each[0] for each in values])
            return [[found[each[0].casefold()]] if each[0].casefold() in found else [] for each in values]
        several: list[Sequence[str]] = []
        for first in range(0, len(values), _GROUPS):
            several += self._searched(fields, values[first : first + _GROUPS])
        return several

    @cached_property
    def _unique(self) -> frozenset[str]:
        """The properties whose values are unique."""
        return unique_properties(self._api)

    def _read(self, by: str | None, names: Sequence[str]) -> dict[str, str]:
        """The ids of the records with these values of a property (None: of the id itself), by value in small letters.

        Those that are not there are errors of a 207, and are left out.
        """
        found: dict[str, str] = {}
        for first in range(0, len(names), BATCH):
            body: dict[str, Any] = {
                "inputs": [{"id": name} for name in names[first : first + BATCH]],
                "properties": [] if by is None else [by, *_OTHER_NAMES.get(by, ())],
                "propertiesWithHistory": [],
            }
            if by is not None:
                body["idProperty"] = by
            for record in self._api.records(self._api.post("/batch/read", body)):
                found.update((name, record["id"]) for name in _names(record, by))
        return found

    def _searched(self, fields: tuple[str, ...], values: Sequence[tuple[str, ...]]) -> list[Sequence[str]]:
        groups = [
            {
                "filters": [
                    {"propertyName": name, "operator": "EQ", "value": value}
                    for name, value in zip(fields, each, strict=True)
                ]
            }
            for each in values
        ]
        body = {"filterGroups": groups, "sorts": [], "properties": list(fields), "limit": _FOUND, "after": "0"}
        response = self._api.post("/search", body)
        records = self._api.records(response)
        if len(values) == 1:
            return [[record["id"] for record in records]]
        total = response.decoded.value.get("total")
        if isinstance(total, int) and total > len(records):
            # So many records have the values of one that those of the others may not be among the results.
            return [ids for each in values for ids in self._searched(fields, [each])]
        held = [(_held(record, fields), record["id"]) for record in records]
        return [[one for found, one in held if found == tuple(map(str.casefold, each))] for each in values]


def _names(record: dict[str, Any], by: str | None) -> list[str]:
    """The values by which a batch read finds a record, in small letters: the e-mail of a contact may be another one
    than its first."""
    if by is None:
        return [record["id"]]
    properties = record["properties"]
    names = [properties.get(by)]
    for other in _OTHER_NAMES.get(by, ()):
        names += str(properties.get(other) or "").split(";")
    return [str(name).strip().casefold() for name in names if name]


def _held(record: dict[str, Any], fields: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(record["properties"].get(name) or "").casefold() for name in fields)

"""Writes to an API without an upsert: `find` asks for the record, then it is created, changed or left as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_provider_flux.connectors.contract import Verdict, WriteItem, Written
from airflow_provider_flux.connectors.lookup import Records
from airflow_provider_flux.connectors.rest.api import Api
from airflow_provider_flux.connectors.rest.finding import Finder
from airflow_provider_flux.connectors.rest.single_writes import SingleWrites
from airflow_provider_flux.transport.paths import place


class DeclaredRecords(Records):
    """The single records of a resource, as `find`, `change` and `delete` or `archive` declare them.

    :param removal: sends a delete; None where the flow ignores them
    """

    def __init__(self, api: Api, removal: SingleWrites | None) -> None:
        options = api.options
        keys = (options.key or (), *options.fallback_keys)
        self._finders = {
            fields: Finder(api, find, fields[0] if len(fields) == 1 else None)
            for fields, find in zip(keys, options.find, strict=True)
        }
        # Not repeatable: after an answer that was lost the next look-up says whether it was stored.
        self._create = SingleWrites(api, options.effective_method, options.path, options.body, repeatable=False)
        change = options.change
        self._change = (
            None if change is None else SingleWrites(api, change.method, change.path, change.body, repeatable=True)
        )
        self._removal = removal

    def search(self, fields: tuple[str, ...], values: tuple[Any, ...]) -> Sequence[str]:
        data: dict[str, Any] = {}
        for field, value in zip(fields, values, strict=True):
            place(data, field, value)
        return self._finders[fields].ids(WriteItem(data))

    def exists(self, key: str) -> bool:
        """False: the flow says how to ask for a key, not for an id; the search by key then decides."""
        return False

    def create(self, data: dict[str, Any]) -> Verdict:
        return self._create.write(WriteItem(data))

    def change(self, key: str, data: dict[str, Any]) -> Verdict:
        assert self._change is not None
        verdict = self._change.write(WriteItem(data, destination_key=key))
        return Written(verdict.key or key) if isinstance(verdict, Written) else verdict

    def remove(self, key: str) -> Verdict:
        assert self._removal is not None
        verdict = self._removal.write(WriteItem({}, deleted=True, destination_key=key))
        return Written(key) if isinstance(verdict, Written) else verdict

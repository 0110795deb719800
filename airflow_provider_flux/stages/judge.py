"""Turns what a source yields into records that the other stages understand: key, version, tombstone, defects."""

from __future__ import annotations

from operator import methodcaller
from typing import Any

from airflow_provider_flux.connectors.contract import Page, Window
from airflow_provider_flux.connectors.cursor import canonical
from airflow_provider_flux.connectors.options import SourceOptions
from airflow_provider_flux.errors import RecordError, preview
from airflow_provider_flux.mapping.paths import MISSING, getter
from airflow_provider_flux.stages.records import ReadRecord, key_of


class Judge:
    """Reads key, version, cursor and tombstone of each record, as the flow's source declares them."""

    def __init__(self, source: SourceOptions) -> None:
        self._keys = [_value_getter(path) for path in source.key]
        self._key_path = ", ".join(source.key)
        self._cursor = source.cursor
        self._cursor_value = _value_getter(source.cursor.field) if source.cursor else None
        self._version_path = source.version or (source.cursor.field if source.cursor else None)
        self._own_version = _value_getter(source.version) if source.version else None
        self._deleted = source.deleted
        self._deleted_value = _value_getter(source.deleted.field) if source.deleted else None
        self._kind = source.cursor.type if source.cursor else "timestamp"

    def records(self, page: Page, window: Window) -> tuple[list[ReadRecord], str]:
        """The records of a page that lie inside the window, and the greatest canonical cursor value among them.

        The cursor is empty, which sorts before all others, where no record has one.
        """
        records: list[ReadRecord] = []
        greatest = ""
        for index, data in enumerate(page.records):
            record, cursor = self._judge(data, page.defects.get(index))
            if cursor is not None:
                if not _inside(cursor, window):
                    continue
                if cursor > greatest:
                    greatest = cursor
            records.append(record)
        return records, greatest

    def _judge(self, data: dict[str, Any], defect: RecordError | None) -> tuple[ReadRecord, str | None]:
        key = cursor = version = None
        try:
            key = key_of(self._keys, data)
        except ValueError as error:
            defect = defect or RecordError("INVALID_FORMAT", str(error), source_path=self._key_path)
        try:
            if self._cursor_value is not None:
                cursor = version = canonical(self._cursor_value(data), self._kind)
            if self._own_version is not None:
                version = self._version_text(self._own_version(data))
        except ValueError as error:
            value = self._own_version(data) if self._own_version else self._cursor_value(data)  # type: ignore[misc]
            defect = defect or RecordError(
                "INVALID_FORMAT", str(error), source_path=self._version_path, value=preview(value)
            )
        deleted = self._deleted_value is not None and self._is_deleted(self._deleted_value(data))
        return ReadRecord(data, key, version, deleted, defect), cursor

    def _version_text(self, value: Any) -> str | None:
        # A version that is not the cursor says its own type: counters are numbers, the rest are instants or texts.
        if isinstance(value, int) and not isinstance(value, bool):
            return canonical(value, "integer")
        try:
            return canonical(value, "timestamp")
        except ValueError:
            return canonical(value, "text")

    def _is_deleted(self, value: Any) -> bool:
        assert self._deleted is not None
        return bool(value == self._deleted.equals and type(value) is type(self._deleted.equals))


def judge_one(source: SourceOptions, data: dict[str, Any]) -> ReadRecord:
    """One record, as a read would take it."""
    [record], _ = Judge(source).records(Page([data]), Window())
    return record


def _inside(cursor: str, window: Window) -> bool:
    return (window.start is None or cursor >= window.start) and (window.end is None or cursor < window.end)


def _value_getter(path: str) -> Any:
    """Reads the value at a path, None where there is none."""
    if path.isidentifier():
        return methodcaller("get", path)  # a name at the top of the record: by far the most common, and the quickest
    get = getter(path)

    def value(record: dict[str, Any]) -> Any:
        found = get(record)
        return None if found is MISSING else found

    return value

"""The list of records in an answer."""

from __future__ import annotations

from typing import Any

from airflow_provider_flux.connectors.contract import Page
from airflow_provider_flux.errors import RecordError, preview
from airflow_provider_flux.transport.answers import Decoded, mend
from airflow_provider_flux.transport.paths import MISSING, get, reached


class NoRecords(ValueError):
    """The answer holds no list where the flow says that one is. The message says what is there instead."""


def find_records(answer: Any, path: str | None, *, optional: bool, option: str = "records") -> list[Any]:
    """The list at a path of an answer.

    :param optional: a missing list, or null, stands for an empty one
    :param option: where the flow names the path, for messages
    :raises NoRecords: when there is none
    """
    found = answer if path is None else get(answer, path)
    if isinstance(found, list):
        return found
    if optional and (found is MISSING or found is None):
        return []
    if path is None:
        raise NoRecords(f"the answer is not a list but {_described(answer)}; name the list in `{option}`")
    if found is not MISSING:
        raise NoRecords(f"`{option}: {path}` is not a list but {_described(found)}")
    parent, there = reached(answer, path)
    where = f"'{parent}' is" if parent else "the answer is"
    raise NoRecords(f"`{option}: {path}` is not in the answer: {where} {_described(there)}")


def page_of(decoded: Decoded, records: list[Any]) -> Page:
    """The records as a page; what is broken is mended and noted as a defect of its record."""
    if decoded.clean and all(type(record) is dict for record in records):
        return Page(records)
    page = Page([])
    for index, record in enumerate(records):
        mended, flaw = (record, None) if decoded.clean else mend(record)
        if not isinstance(mended, dict):
            flaw = RecordError(
                "INVALID_FORMAT", f"the record is {_described(mended)}, not an object", value=preview(mended)
            )
            mended = {"value": mended}
        if flaw is not None:
            page.defects[index] = flaw
        page.records.append(mended)
    return page


def _described(value: Any) -> str:
    if isinstance(value, dict):
        names = ", ".join(preview(name, 40) for name in list(value)[:20])
        return f"an object with the keys {names}" if names else "an empty object"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "null"
    kinds = {bool: "true or false", str: "a text", int: "a number", float: "a number"}
    return kinds.get(type(value), type(value).__name__)

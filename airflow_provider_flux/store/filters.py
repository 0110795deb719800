"""Which errors: the one filter of everything that reads, counts, claims or decides about stored errors."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import bindparam, false
from sqlalchemy.sql import ColumnElement

from airflow_provider_flux.store.part import LARGEST_ID
from airflow_provider_flux.store.rows import Run
from airflow_provider_flux.store.tables import errors
from airflow_provider_flux.store.text import clean, stored_key


@dataclass(frozen=True)
class ErrorFilter:
    """Every part that is given must hold; without any, every error matches.

    :param run: of this run
    :param flow: id of the flow
    :param state: one of `store.error_rows`, or several of which one must hold
    :param code: of the catalogue
    :param category: of the catalogue
    :param field: path of the target field
    :param connector: name of the connector at fault
    :param mapping: its name
    :param since: instant as the store keeps it (`store.text.instant_text`), inclusive
    :param until: the same, exclusive
    :param key: source key, as people know it
    :param ids: numbers of errors
    """

    run: Run | None = None
    flow: str | None = None
    state: str | Collection[str] | None = None
    code: str | None = None
    category: str | None = None
    field: str | None = None
    connector: str | None = None
    mapping: str | None = None
    since: str | None = None
    until: str | None = None
    key: str | None = None
    ids: Collection[int] | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """What must hold, all of it, for a row of `flux_errors`."""
        found: list[ColumnElement[bool]] = []
        if self.run is not None:
            found.append(errors.c.run == self.run.id)
        if isinstance(self.state, str):
            found.append(errors.c.state == clean(self.state))
        elif self.state is not None:
            found.append(errors.c.state.in_([clean(one) for one in self.state]))
        for name in ("flow", "code", "category", "field", "connector", "mapping"):
            value = getattr(self, name)
            if value is not None:
                found.append(errors.c[name] == clean(value))
        if self.since is not None:
            found.append(errors.c.occurred_at >= self.since)
        if self.until is not None:
            found.append(errors.c.occurred_at < self.until)
        if self.key is not None:
            found.append(errors.c.source_key == stored_key(self.key))
        if self.ids is not None:
            found.append(numbered(self.ids))
        return found


EVERYTHING = ErrorFilter()


def numbered(ids: Collection[int]) -> ColumnElement[bool]:
    """That an error is one of these, however many there are."""
    possible = sorted({number for number in ids if 0 < number <= LARGEST_ID})
    if not possible:
        return false()
    # Written into the statement: a person may select more errors than a statement can have parameters.
    return errors.c.id.in_(bindparam("ids", value=possible, expanding=True, literal_execute=True))

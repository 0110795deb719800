"""Which errors: the one filter of everything that reads, counts, claims or decides about stored errors."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, false, func, select
from sqlalchemy.sql import ColumnElement, FromClause

from airflow_provider_flux.store.causes import any_index
from airflow_provider_flux.store.error_rows import STATES
from airflow_provider_flux.store.part import LARGEST_ID
from airflow_provider_flux.store.rows import Run
from airflow_provider_flux.store.tables import causes, errors
from airflow_provider_flux.store.text import clean, stored_key


@dataclass(frozen=True)
class ErrorFilter:
    """Every part that is given must hold; without any, every error matches.

    :param run: of this run
    :param flow: id of the flow
    :param state: one of `store.error_rows`, or several of which one must hold
    :param code: of the catalogue
    :param category: of the catalogue
    :param field: path of the target field, or of the source where there is none; `lines[*].sku` is that of every line
    :param connector: name of the connector at fault
    :param mapping: its name
    :param since: instant as the store keeps it (`store.text.instant_text`), inclusive
    :param until: the same, exclusive
    :param fingerprint: of its cause (`store.causes`)
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
    fingerprint: str | None = None
    key: str | None = None
    ids: Collection[int] | None = None

    def conditions(self, table: FromClause = errors) -> list[ColumnElement[bool]]:
        """What must hold, all of it, for a row of `flux_errors`.

        :param table: what stands for `flux_errors` in the statement
        """
        columns = table.c
        indexed = [*self._of_cause(columns), *self._of_key(columns)]
        # Every index of these begins with the state, so that there always is one to begin with.
        states = STATES if indexed and self.state is None else self.state
        found = self._of_row(columns)
        if states is not None:
            one_of = [clean(states)] if isinstance(states, str) else [clean(state) for state in states]
            found.append((columns.state if self.ids is None else unindexed(columns.state)).in_(one_of))
        return found + indexed

    def _of_row(self, columns: Any) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.run is not None:
            found.append(columns.run == self.run.id)
        if self.ids is not None:
            found.append(numbered(self.ids, columns))
        if self.since is not None:
            found.append(columns.occurred_at >= self.since)
        if self.until is not None:
            found.append(columns.occurred_at < self.until)
        if self.field is not None and any_index(self.field) != self.field:
            found.append(func.coalesce(columns.field, columns.source_path) == clean(self.field))
        return found

    def _of_key(self, columns: Any) -> list[ColumnElement[bool]]:
        if self.key is None:
            return []
        # Every flow by its name: the index of keys begins with it.
        return [columns.source_key == stored_key(self.key), columns.flow.in_(select(causes.c.flow))]

    def _of_cause(self, columns: Any) -> list[ColumnElement[bool]]:
        """Causes are few: picked first, they lead to their errors by an index, whatever is asked for."""
        names = ("flow", "code", "category", "connector", "mapping", "fingerprint")
        wanted = {name: getattr(self, name) for name in names}
        found = [causes.c[name] == clean(value) for name, value in wanted.items() if value is not None]
        if self.field is not None:
            found.append(func.coalesce(causes.c.field, causes.c.source_path) == clean(any_index(self.field)))
        return [columns.fingerprint.in_(select(causes.c.fingerprint).where(*found))] if found else []


EVERYTHING = ErrorFilter()


def unindexed(column: ColumnElement[str]) -> ColumnElement[str]:
    """The column for a condition beside a list of numbers: SQLite, which keeps no statistics, would rather go through
    an index of everything in some state."""
    return func.coalesce(column, "")


def numbered(ids: Collection[int], columns: Any = errors.c) -> ColumnElement[bool]:
    """That an error is one of these, however many there are."""
    possible = sorted({number for number in ids if 0 < number <= LARGEST_ID})
    if not possible:
        return false()
    # Written into the statement: a person may select more errors than a statement can have parameters.
    these: ColumnElement[bool] = columns.id.in_(
        bindparam("ids", value=possible, unique=True, expanding=True, literal_execute=True)
    )
    return these

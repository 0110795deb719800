"""From the items of a batch to the statements that write them.

Values are checked here, so that a wrong one costs its record and no statement. A statement never meets one row twice
(PostgreSQL refuses that): when two records of a batch have the same destination key, the later one goes into a later
statement of the same transaction. Both are written, in their order, and the row ends as the last one.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from airflow_provider_flux.connectors.contract import WriteItem
from airflow_provider_flux.connectors.options import Mode
from airflow_provider_flux.connectors.sql.columns import Rule
from airflow_provider_flux.connectors.sql.kinds.base import Wire
from airflow_provider_flux.connectors.sql.tables import Table, near
from airflow_provider_flux.errors import FluxError, RecordError


@dataclass
class Step:
    """Rows for one statement.

    :param columns: the columns of `rows`; those of the key for a delete
    :param indices: the item of the batch that each row comes from
    :param old_keys: the keys under which the rows are found, where these are not their own
    """

    delete: bool
    columns: tuple[str, ...]
    indices: list[int]
    rows: list[tuple[Any, ...]]
    old_keys: list[tuple[Any, ...]] | None = None

    def part(self, positions: Sequence[int]) -> Step:
        """The step with only these of its rows."""
        indices, rows = [self.indices[p] for p in positions], [self.rows[p] for p in positions]
        old_keys = None if self.old_keys is None else [self.old_keys[p] for p in positions]
        return Step(self.delete, self.columns, indices, rows, old_keys)

    def apart(self, old_keys: Mapping[int, tuple[Any, ...]]) -> list[Step]:
        """The rows that stand under another key, by item, and the others, each in a step of their own."""
        moved = [] if self.delete else [p for p, index in enumerate(self.indices) if index in old_keys]
        if not moved:
            return [self]
        rest = self.part([p for p, index in enumerate(self.indices) if index not in old_keys])
        found = self.part(moved)
        found.old_keys = [old_keys[index] for index in found.indices]
        return [found, *([rest] if rest.rows else [])]


@dataclass
class Plan:
    """The statements of a batch in their order, and the records that are wrong, by item."""

    steps: list[Step] = field(default_factory=list)
    errors: dict[int, RecordError] = field(default_factory=dict)


class Planner:
    """Plans batches for one table. Safe to share between threads."""

    def __init__(
        self,
        table: Table,
        mode: Mode,
        key: tuple[str, ...],
        wire: Wire,
        dialect: str,
        fallback_keys: Sequence[tuple[str, ...]] = (),
    ) -> None:
        self._table = table
        self._mode = mode
        self._key = key
        self._rules = {name: Rule(column, wire, dialect) for name, column in table.columns.items()}
        self._known: set[tuple[str, ...]] = set()
        self._check_columns(key, "the flow's `key` names")
        self._check_columns(tuple(name for fields in fallback_keys for name in fields), "`fallback_keys` name")

    def plan(self, items: Sequence[WriteItem], settled: Collection[int] = ()) -> Plan:
        """The statements for a batch.

        :param settled: the items for which there is nothing to do
        :raises FluxError: FIELD_NOT_FOUND when the table has no such column
        """
        plan = Plan()
        deletes: list[int] = []
        groups: dict[tuple[str, ...], list[int]] = {}
        for index, item in enumerate(items):
            if index in settled:
                continue
            if item.deleted:
                deletes.append(index)
            else:
                # Records that leave out a column must not overwrite it, so they need a statement of their own.
                groups.setdefault(tuple(item.data), []).append(index)
        steps = [self._deletes(items, deletes, plan)] if deletes else []
        steps += [self._writes(items, columns, indices, plan) for columns, indices in groups.items()]
        plan.steps = list(self._rounds(steps)) if self._key else [step for step in steps if step.rows]
        return plan

    def key_of(self, item: WriteItem) -> list[Any] | None:
        """The values of the destination's key of a record, as far as every part is known."""
        values = [item.data.get(name) for name in self._key]
        if None in values and item.destination_key is not None:
            values = json.loads(item.destination_key)
        return None if not values or None in values else values

    def sent_key(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """The key in the form in which it is sent, the same for every spelling of its values.

        :raises Refused: when a value cannot be a key of this table
        """
        return self.sent(self._key, values)

    def sent(self, fields: Sequence[str], values: Sequence[Any]) -> tuple[Any, ...]:
        """The values of some columns in the form in which they are sent.

        :raises Refused: when a column does not take its value
        """
        return tuple(self._rules[name].one(value) for name, value in zip(fields, values, strict=True))

    def _deletes(self, items: Sequence[WriteItem], indices: list[int], plan: Plan) -> Step:
        keyed, keys = [], []
        for index in indices:
            values = self.key_of(items[index])
            if values is None:
                plan.errors[index] = RecordError(
                    "REQUIRED_FIELD_MISSING",
                    "the record was deleted in the source, and its key in the destination is not known",
                    field=", ".join(self._key),
                )
            else:
                keyed.append(index)
                keys.append(tuple(values))
        return self._clean(True, self._key, keyed, keys, plan)

    def _writes(self, items: Sequence[WriteItem], columns: tuple[str, ...], indices: list[int], plan: Plan) -> Step:
        if columns not in self._known:
            self._check_columns(columns, "the mapping writes")
            self._known.add(columns)
        missing = self._missing(columns)
        if missing is not None or not columns:
            error = missing or RecordError("REQUIRED_FIELD_MISSING", "the mapped record is empty")
            plan.errors.update(dict.fromkeys(indices, error))
            return Step(False, columns, [], [])
        take = itemgetter(*columns) if len(columns) > 1 else lambda data: (data[columns[0]],)
        return self._clean(False, columns, indices, [take(items[index].data) for index in indices], plan)

    def _missing(self, columns: tuple[str, ...]) -> RecordError | None:
        for name, rule in self._rules.items():
            needed = name in self._key if self._mode == "update" else rule.required or name in self._key
            if needed and name not in columns:
                return rule.missing()
        return None

    def _clean(self, delete: bool, columns: tuple[str, ...], indices: list[int], rows: list[Any], plan: Plan) -> Step:
        wrong: dict[int, RecordError] = {}
        cleaned = []
        for name, values in zip(columns, map(list, zip(*rows, strict=True)), strict=False):
            sent, errors = self._rules[name].clean(values, nullable=name not in self._key)
            cleaned.append(sent)
            for position, error in errors.items():
                wrong.setdefault(position, error)
        step = Step(delete, columns, indices, list(zip(*cleaned, strict=True)))
        if not wrong:
            return step
        plan.errors.update({indices[position]: error for position, error in wrong.items()})
        return step.part([position for position in range(len(indices)) if position not in wrong])

    def _rounds(self, steps: list[Step]) -> Iterator[Step]:
        """Split the steps so that no statement, and no later one of its round, meets a key a second time."""
        keyed = [self._keys(step) for step in steps]
        if len({key for keys in keyed for key in keys}) == sum(map(len, keyed)):
            yield from (step for step in steps if step.rows)
            return
        places = sorted(
            (step.indices[position], number, position, keyed[number][position])
            for number, step in enumerate(steps)
            for position in range(len(step.rows))
        )
        met: dict[tuple[Any, ...], int] = {}
        rounds: dict[tuple[int, int], list[int]] = {}
        for _, number, position, key in places:
            turn = met[key] = met.get(key, -1) + 1
            rounds.setdefault((turn, number), []).append(position)
        for turn, number in sorted(rounds):
            yield steps[number].part(rounds[turn, number])

    def _keys(self, step: Step) -> list[tuple[Any, ...]]:
        positions = [step.columns.index(name) for name in self._key if name in step.columns]
        return [tuple(row[position] for position in positions) for row in step.rows]

    def _check_columns(self, columns: tuple[str, ...], who: str) -> None:
        for name in columns:
            if name not in self._rules:
                raise FluxError(
                    "FIELD_NOT_FOUND",
                    f"{who} '{name}', but table '{self._table.label}' has no such column{near(name, self._rules)}",
                    next_step=f"Correct the name in the flow or its mapping, or add it to '{self._table.label}'.",
                )

"""The shapes of what flows read: one that later runs are compared with, and those of the last runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from airflow_provider_flux.store.part import StorePart, take_turns
from airflow_provider_flux.store.tables import shapes
from airflow_provider_flux.store.text import clean, now_text

_KEPT = 20
"""Shapes of a flow's last runs."""
_PURGED_AT_ONCE = 200


@dataclass(frozen=True)
class ShapeRow:
    """What was observed of a flow's source.

    :param source: digest of the connection and the object
    :param records: how many were looked at
    :param shape: as `mapping.shape.encode` writes it
    :param drift: JSON list of sentences: what the run saw that was otherwise before
    """

    id: int
    flow: str
    source: str
    run_id: str
    baseline: int
    records: int
    shape: str
    drift: str | None
    observed_at: str
    purged_at: str | None


class Shapes(StorePart):
    """Observed shapes; every method raises FluxError STORE_UNAVAILABLE."""

    def baseline(self, flow: str, source: str) -> ShapeRow | None:
        """What later runs of the flow are compared with; None before its first run over this source."""
        return self._first(shapes.c.flow == flow, shapes.c.source == source, shapes.c.baseline == 1)

    def last_shapes(self, source: str, limit: int) -> list[ShapeRow]:
        """The newest shapes that any flow observed of a source, the newest first."""
        statement = select(shapes).where(shapes.c.source == source, shapes.c.baseline == 0)
        newest = statement.order_by(shapes.c.observed_at.desc(), shapes.c.id.desc()).limit(limit)
        with self._database.reading() as connection:
            return [ShapeRow(**row._mapping) for row in connection.execute(newest)]

    def shape_of_run(self, flow: str, run_id: str) -> ShapeRow | None:
        """What a run observed; None where it read nothing, or long ago."""
        return self._first(shapes.c.flow == flow, shapes.c.run_id == clean(run_id), shapes.c.baseline == 0)

    def keep_shape(
        self,
        flow: str,
        source: str,
        run_id: str,
        *,
        records: int,
        shape: str,
        drift: Sequence[str],
        baseline: str | None,
    ) -> None:
        """Keep what a run observed, in place of what an earlier attempt of it did.

        :param drift: what it saw that was otherwise before, in sentences
        :param baseline: what the flow is compared with from now on; None to leave that as it is
        """
        mine = (shapes.c.flow == flow, shapes.c.baseline == 0)
        values = {"flow": flow, "source": source, "run_id": clean(run_id), "observed_at": now_text()}
        said = clean(json.dumps(list(drift), ensure_ascii=False)) if drift else None
        observed = {"records": records, "shape": clean(shape), "drift": said}
        with self._database.writing() as connection:
            take_turns(connection, f"shapes {flow}")
            connection.execute(delete(shapes).where(*mine, shapes.c.run_id == clean(run_id)))
            connection.execute(insert(shapes).values(**values, baseline=0, **observed))
            newest = select(shapes.c.id).where(*mine).order_by(shapes.c.id.desc())
            old = [row[0] for row in connection.execute(newest)][_KEPT:]
            if old:
                connection.execute(delete(shapes).where(shapes.c.id.in_(old)))
            if baseline is not None:
                connection.execute(delete(shapes).where(shapes.c.flow == flow, shapes.c.baseline == 1))
                connection.execute(insert(shapes).values(**values, baseline=1, records=records, shape=clean(baseline)))

    def set_baseline(self, row: ShapeRow, flow: str) -> None:
        """Compare a flow with this shape from now on."""
        values = {"flow": flow, "source": row.source, "run_id": row.run_id, "records": row.records, "shape": row.shape}
        with self._database.writing() as connection:
            take_turns(connection, f"shapes {flow}")
            connection.execute(delete(shapes).where(shapes.c.flow == flow, shapes.c.baseline == 1))
            connection.execute(insert(shapes).values(**values, baseline=1, observed_at=row.observed_at))

    def purge_shapes(self, before: str) -> int:
        """Take the examples, which are data of customers, out of some shapes from before then.

        :param before: an instant of the store
        :return: how many were; 0 when none is left
        """
        stale = select(shapes.c.id, shapes.c.shape).where(shapes.c.observed_at < before, shapes.c.purged_at.is_(None))
        with self._database.writing() as connection:
            rows = list(connection.execute(stale.limit(_PURGED_AT_ONCE)))
            for number, shape in rows:
                changed = update(shapes).where(shapes.c.id == number)
                connection.execute(changed.values(shape=_without_examples(shape), purged_at=now_text()))
        return len(rows)

    def _first(self, *conditions: object) -> ShapeRow | None:
        statement = select(shapes).where(*conditions).order_by(shapes.c.id.desc()).limit(1)  # type: ignore[arg-type]
        with self._database.reading() as connection:
            row = connection.execute(statement).first()
        return None if row is None else ShapeRow(**row._mapping)


def _without_examples(shape: str) -> str:
    found = json.loads(shape)
    for field in found["fields"].values():
        field["example"] = None
    return json.dumps(found, ensure_ascii=False)

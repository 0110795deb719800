"""Observes what a flow reads, and finds what changed in its source since its mapping was promoted."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from airflow_provider_flux.connectors.declare import Description
from airflow_provider_flux.connectors.options import SourceOptions
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.flow.compare import Fields
from airflow_provider_flux.flow.models import Flow
from airflow_provider_flux.mapping.drift import FEWEST, Drift, drifts, in_order, with_rules
from airflow_provider_flux.mapping.engine import Mapping
from airflow_provider_flux.mapping.shape import Shape, decode, encode, sampled
from airflow_provider_flux.stages.records import ReadRecord
from airflow_provider_flux.stages.versions import resolve
from airflow_provider_flux.store import Store
from airflow_provider_flux.store.rows import Run
from airflow_provider_flux.store.shapes import ShapeRow

log = logging.getLogger(__name__)

OF_A_BATCH = 25
"""Records of a staged file that are looked at."""
_GROWS_TO = 200
"""The first runs of a flow are its baseline, until it has so many records."""
_LAST = 10
"""Shapes of last runs that are laid together, until they have enough records."""
_SAME_OBJECT = ("object", "table", "query", "path", "records", "body")


@dataclass(frozen=True)
class Drifted:
    """What changed in the source of a flow.

    :param since: instant of what it is compared with; None where nothing was observed yet
    :param observed: instant of the newest observation
    """

    flow: str
    connection: str
    mapping: str
    since: str | None
    observed: str | None
    changes: tuple[Drift, ...]


class Observer:
    """Looks at a few records of every batch that a run reads."""

    def __init__(self) -> None:
        self._shape = Shape()

    def __call__(self, batch: Sequence[ReadRecord]) -> None:
        """Look at a batch. Tombstones and records with a defect have a shape of their own, and are left out."""
        for record in sampled(batch, OF_A_BATCH):
            if record.defect is None and not record.deleted:
                self._shape.observe(record.data)

    def keep(self, store: Store, flow: Flow, run_id: str) -> None:
        """Keep what was observed, and say what changed. What fails here fails no run."""
        if not self._shape.records:
            return
        try:
            for drift in _keep(store, flow, run_id, self._shape):
                log.warning("the source has changed: %s", drift)
        except FluxError as error:
            log.warning("what this run read could not be compared with earlier runs: %s", error)


def drift_of(store: Store, include: Path, flow: Flow, described: Description | None = None) -> Drifted:
    """What changed in the source of a flow, as whichever flow read it last has seen it.

    :param described: what the system says of the object now: a field that it does not name any more is gone, whether a
        run has seen that or not
    :raises ConfigError: the mapping of the flow is not valid
    """
    options = flow.file.source
    mapping = resolve(store, include, flow)
    source = source_id(options)
    baseline, newest = store.baseline(flow.id, source), store.last_shapes(source, _LAST)
    changes: list[Drift] = []
    if baseline is not None and newest:
        changes = _selected(options, drifts(decode(baseline.shape), _together(newest), mapping))
    if described is not None:
        seen = {change.path for change in changes}
        unseen = [change for change in _undescribed(described, mapping) if change.path not in seen]
        changes = in_order([*changes, *unseen])
    return Drifted(
        flow.id,
        options.connection,
        mapping.label,
        None if baseline is None else baseline.observed_at,
        newest[0].observed_at if newest else None,
        tuple(changes),
    )


def drift_of_run(store: Store, run: Run) -> list[str]:
    """What a run saw of its source that was otherwise before, in sentences; nothing where that is not kept any more."""
    row = store.shape_of_run(run.flow, run.run_id)
    return [] if row is None or row.drift is None else list(json.loads(row.drift))


def rebase(store: Store, flow: Flow) -> None:
    """A version was promoted on what the source is like now: later runs are compared with that."""
    newest = store.last_shapes(source_id(flow.file.source), 1)
    if newest and newest[0].records >= FEWEST:
        store.set_baseline(newest[0], flow.id)


def source_id(options: SourceOptions) -> str:
    """What flows have in common that read the same object over the same connection."""
    named = {name: getattr(options, name, None) for name in _SAME_OBJECT}
    return hashlib.sha256(repr((options.connection, sorted(named.items()))).encode()).hexdigest()


def _undescribed(described: Description, mapping: Mapping) -> list[Drift]:
    """Fields that the mapping reads and the system does not have."""
    fields = Fields(described)
    gone = sorted(path for path in mapping.source_paths if fields.missing(path))
    return [with_rules(Drift("removed", path), mapping) for path in gone]


def _keep(store: Store, flow: Flow, run_id: str, shape: Shape) -> list[Drift]:
    source = source_id(flow.file.source)
    row = store.baseline(flow.id, source)
    before = Shape() if row is None else decode(row.shape)
    changes = drifts(before, shape)
    grown = None
    judged = min(before.records, shape.records) >= FEWEST  # what is too little to judge may be of a new shape
    if before.records < FEWEST or (judged and not changes and before.records < _GROWS_TO):
        before.add(shape)
        grown = encode(before)
    seen = _selected(flow.file.source, changes)
    store.keep_shape(
        flow.id,
        source,
        run_id,
        records=shape.records,
        shape=encode(shape),
        drift=[str(drift) for drift in seen],
        baseline=grown,
    )
    return seen


def _together(newest: list[ShapeRow]) -> Shape:
    """The newest shape, with those before it until there are enough records to judge by."""
    shape = Shape()
    for row in newest:
        shape.add(decode(row.shape))
        if shape.records >= FEWEST:
            break
    return shape


def _selected(options: SourceOptions, changes: list[Drift]) -> list[Drift]:
    """Without new fields that the flow does not read: another flow that shares the source does."""
    selected = options.selected_fields()
    if selected is None:
        return changes
    return [drift for drift in changes if drift.kind != "added" or drift.path.split(".")[0].split("[")[0] in selected]

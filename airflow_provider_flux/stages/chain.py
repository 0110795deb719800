"""The stages of a run that count: each may have been done several times, once per clear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from airflow_provider_flux.errors import Stage
from airflow_provider_flux.store import Store
from airflow_provider_flux.store.rows import Counts, Run, StageRow


@dataclass(frozen=True)
class Chain:
    """The newest read, the transform that consumed it, the write that consumed that."""

    read: StageRow | None
    transform: StageRow | None
    write: StageRow | None


def chain_of(rows: Sequence[StageRow], epoch: int | None = None) -> Chain:
    """The stages that count, of all that a run has done.

    :param epoch: nothing of a later clear; everything unless given
    """
    read, transform, write = (newest(rows, stage, epoch) for stage in (Stage.READ, Stage.TRANSFORM, Stage.WRITE))
    if read is None or transform is None or transform.input_epoch != read.epoch:
        transform = None
    if transform is None or write is None or write.input_epoch != transform.epoch:
        write = None
    return Chain(read, transform, write)


def newest(rows: Sequence[StageRow], stage: str, epoch: int | None = None) -> StageRow | None:
    """The row of a stage's last epoch, None where it did not begin."""
    done = [row for row in rows if row.stage == stage and (epoch is None or row.epoch <= epoch)]
    return max(done, key=lambda row: row.epoch, default=None)


def outcomes(store: Store, run: Run, chain: Chain) -> Counts:
    """What became of the records of these stages, as the store counts it."""
    transform, write = chain.transform, chain.write
    return store.count(run, transform.epoch if transform else None, write.epoch if write else None)

"""The writes that a sealed transform is cut into."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from airflow_provider_flux.stages.records import MappedRecord
from airflow_provider_flux.staging import BatchEntry, Manifest, StageFiles, slices


@dataclass(frozen=True)
class Batch:
    """One write: a slice of a staged file.

    :param number: its place in the order of the run
    :param sha256: of its JSON lines
    :param entry: the staged file it was cut from
    """

    number: int
    sha256: str
    entry: BatchEntry
    records: list[MappedRecord]


def batches(files: StageFiles, manifest: Manifest) -> Iterator[Batch]:
    """Cut a sealed transform into writes, always alike: the size of a slice stands in the manifest."""
    decoder = msgspec.json.Decoder(MappedRecord)
    number = 0
    for entry in manifest.batches:
        for lines in slices(files.read(entry), manifest.slice_size):
            yield Batch(number, hashlib.sha256(lines).hexdigest(), entry, decoder.decode_lines(lines))
            number += 1

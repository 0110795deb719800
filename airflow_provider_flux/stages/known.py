"""Failures that a scheduled run knows already, and does not repeat."""

from __future__ import annotations

import msgspec

from airflow_provider_flux.stages.context import RunContext
from airflow_provider_flux.stages.records import ReadRecord
from airflow_provider_flux.store.text import payload_hash


class KnownErrors:
    """Failures that a scheduled run does not repeat: the same record under the same version of the mapping.

    A record is the same when it has the same key and version; without a version, the same key and content; without a
    key, the same content.
    """

    def __init__(self, ctx: RunContext, mapping_version: int) -> None:
        self._ctx = ctx
        self._mapping_version = mapping_version
        self.active = ctx.trigger == "scheduled" and ctx.epoch == 0 and ctx.store.has_known_errors(ctx.flow.id)
        self._versions: set[tuple[str, str]] = set()
        self._contents: set[tuple[str | None, str | None]] = set()
        self._keys: set[str | None] = set()

    def look_up(self, records: list[ReadRecord]) -> None:
        """Ask the store about a batch."""
        if not self.active:
            return
        flow, store = self._ctx.flow.id, self._ctx.store
        keys = [record.key for record in records if record.key is not None]
        known = store.known_errors(flow, keys, self._mapping_version)
        self._versions = {(key, version) for key, version, _ in known if version is not None}
        self._contents = {(key, content) for key, version, content in known if version is None}
        hashes = {content_of(record) for record in records if record.key is None}
        if hashes:
            self._contents |= {(None, known) for known in store.known_contents(flow, hashes, self._mapping_version)}
        # Only for these is a hash worth its time.
        self._keys = {key for key, _ in self._contents}

    def skips(self, record: ReadRecord) -> bool:
        """Whether the record failed before as it is."""
        if record.key is not None and record.version is not None:
            return (record.key, record.version) in self._versions
        return record.key in self._keys and (record.key, content_of(record)) in self._contents


def content_of(record: ReadRecord) -> str:
    """The hash of a record's content, as the store has it of the payload of an error."""
    return payload_hash(msgspec.json.encode(record.data).decode())

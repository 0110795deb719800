"""Failures that a scheduled run knows already, and does not repeat."""

from __future__ import annotations

from airflow_provider_flux.stages.context import RunContext
from airflow_provider_flux.stages.records import ReadRecord


class KnownErrors:
    """Failures that a scheduled run does not repeat: same version of the record, same version of the mapping."""

    def __init__(self, ctx: RunContext, mapping_version: int) -> None:
        self._ctx = ctx
        self._mapping_version = mapping_version
        self.active = ctx.trigger == "scheduled" and ctx.epoch == 0 and ctx.store.has_open_errors(ctx.flow.id)
        self._known: set[tuple[str, str | None]] = set()

    def look_up(self, records: list[ReadRecord]) -> None:
        """Ask the store about the keys of a batch."""
        if self.active:
            keys = [record.key for record in records if record.key is not None]
            self._known = self._ctx.store.known_errors(self._ctx.flow.id, keys, self._mapping_version)

    def skips(self, record: ReadRecord) -> bool:
        """Whether the record failed before as it is. One without a version may have been mended: nobody can tell."""
        return record.version is not None and (record.key, record.version) in self._known

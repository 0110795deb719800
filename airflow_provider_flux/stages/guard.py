"""What of a batch may be sent: nothing older overwrites, and what was delivered already is not delivered twice."""

from __future__ import annotations

from dataclasses import dataclass, field

from airflow_provider_flux.connectors.contract import WriteItem
from airflow_provider_flux.errors import RecordError
from airflow_provider_flux.stages.context import RunContext
from airflow_provider_flux.stages.records import MappedRecord
from airflow_provider_flux.store.rows import Link

NO_CHANGE = "no change"
"""A newer version that maps to what is there already: not sent, but its link says so."""

NEVER_DELIVERED = "never delivered"
"""The delete of a record that is not there: not sent, but its link keeps an older version from coming after it."""

_UNSURE = RecordError(
    "PAYLOAD_MAY_BE_OLD",
    "this key was delivered after the payload had been read, and without a version nobody can tell which is newer",
)


@dataclass
class Guarded:
    """A batch, split into what to send and what not."""

    send: list[MappedRecord] = field(default_factory=list)
    links: dict[str, Link] = field(default_factory=dict)
    skipped: list[tuple[MappedRecord, str]] = field(default_factory=list)  # with the reason
    refused: list[tuple[MappedRecord, RecordError]] = field(default_factory=list)

    def items(self) -> list[WriteItem]:
        """What is sent, as a destination takes it."""
        return [WriteItem(record.data, record.deleted, self._known_key(record)) for record in self.send]

    def _known_key(self, record: MappedRecord) -> str | None:
        link = self.links.get(record.key)
        return None if link is None else link.destination_key


class Guard:
    """Compares each record with the link row of its key.

    :param idempotent: whether the destination may be sent the same record twice
    """

    def __init__(self, ctx: RunContext, idempotent: bool) -> None:
        self._ctx = ctx
        self._idempotent = idempotent
        self._skip_unchanged = ctx.flow.file.destination.skip_unchanged
        # A clear, a backfill, a replay or a run over ids asks for the write to be done again; a tick that reads its
        # lookback does not.
        asked = ctx.trigger == "backfill" or ctx.replay is not None or bool(ctx.ids)
        self._again = idempotent and (ctx.epoch > 0 or asked)
        # A payload that was stored may be older than what was delivered since; one that was just read is not.
        order = ctx.replay
        self._may_be_old = order is not None and order.payload == "stored" and not order.force
        self._check_held = not idempotent and ctx.store.has_known_errors(ctx.flow.id)

    def split(self, records: list[MappedRecord]) -> Guarded:
        """Decide for each record of a batch."""
        keys = [record.key for record in records]
        guarded = Guarded(links=self._ctx.store.links(self._ctx.flow.id, keys))
        held = self._ctx.store.held_keys(self._ctx.flow.id, keys, self._ctx.run_id) if self._check_held else set()
        old = self._maybe_old(records)
        for record in records:
            link = guarded.links.get(record.key)
            if record.version is None and record.key in old:
                guarded.refused.append((record, _UNSURE))
                continue
            reason = self._reason(record, link)
            if reason is None and (record.key, record.version) in held:
                reason = "known error"
            if reason is None:
                guarded.send.append(record)
            else:
                guarded.skipped.append((record, reason))
        return guarded

    def _maybe_old(self, records: list[MappedRecord]) -> set[str]:
        """Keys without a version that were delivered after the payload had been read."""
        keys = [record.key for record in records if record.version is None] if self._may_be_old else []
        return self._ctx.store.delivered_since(self._ctx.flow.id, self._ctx.run_id, keys)

    def _reason(self, record: MappedRecord, link: Link | None) -> str | None:
        if link is None:
            return NEVER_DELIVERED if record.deleted and not record.data else None
        if link.version is not None and record.version is not None and record.version != link.version:
            if record.version < link.version:
                return "newer delivered"
            unchanged = link.hash == record.hash and link.deleted == record.deleted
            return NO_CHANGE if unchanged and self._skip_unchanged else None
        same = link.hash == record.hash and link.deleted == record.deleted
        if record.version is not None and not self._idempotent and record.deleted == link.deleted:
            return "already delivered"  # whatever the mapping made of it: this version is there
        return "already delivered" if same and not self._again else None

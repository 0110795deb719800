"""What the store knows about records before they are tried again: failures, decisions, deliveries since."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import and_, bindparam, func, or_, select

from airflow_provider_flux.store.error_rows import APPROVED, DISCARDED, HELD, OPEN, RESOLVED, RETRYING, UNSETTLED
from airflow_provider_flux.store.links import chunks
from airflow_provider_flux.store.part import StorePart
from airflow_provider_flux.store.tables import decisions, errors, links, runs
from airflow_provider_flux.store.text import clean, stored_key

_CHUNK = 500
_KNOWN_STATES = (*UNSETTLED, DISCARDED)

# Errors of a stored payload, not of the record as the source has it now.
_OF_THE_PAYLOAD = ("PAYLOAD_MAY_BE_OLD", "SOURCE_RECORD_GONE")

_KNOWN = select(errors.c.source_key, errors.c.source_version, errors.c.source_hash).where(
    errors.c.flow == bindparam("flow"),
    errors.c.state.in_((*_KNOWN_STATES, RESOLVED)),
    # What arrived as a person had corrected it is known too: the source still has what failed.
    or_(errors.c.state != RESOLVED, errors.c.corrected.is_not(None)),
    errors.c.code.not_in(_OF_THE_PAYLOAD),
    # What a person holds or gave up stays so, whatever the mapping makes of it.
    or_(errors.c.state.not_in((OPEN, RETRYING)), errors.c.mapping_version == bindparam("mapping_version")),
)
_KNOWN_KEYS = _KNOWN.where(errors.c.source_key.in_(bindparam("keys", expanding=True)))
_KNOWN_CONTENTS = _KNOWN.where(
    errors.c.source_key.is_(None), errors.c.source_hash.in_(bindparam("hashes", expanding=True))
)

_HELD = select(errors.c.source_key, errors.c.source_version).where(
    errors.c.flow == bindparam("flow"),
    errors.c.source_key.in_(bindparam("keys", expanding=True)),
    errors.c.state.in_((HELD, APPROVED, DISCARDED)),
    # What this replay has is approved: it is what the replay is there for.
    ~and_(func.coalesce(errors.c.replay, "") == bindparam("replay"), errors.c.state == APPROVED),
)

_first = errors.alias("first")
_DELIVERED_SINCE = (
    select(errors.c.source_key)
    .join(_first, _first.c.id == func.coalesce(errors.c.origin, errors.c.id))
    .join(runs, runs.c.id == _first.c.run)
    .join(links, and_(links.c.flow == errors.c.flow, links.c.source_key == errors.c.source_key))
    .where(
        errors.c.flow == bindparam("flow"),
        errors.c.replay == bindparam("replay"),
        errors.c.source_key.in_(bindparam("keys", expanding=True)),
        links.c.run_id != bindparam("replay"),
        links.c.delivered_at > runs.c.started_at,
    )
)


class Known(StorePart):
    """Looks records up by key or content; every method raises FluxError STORE_UNAVAILABLE."""

    def has_open_errors(self, flow: str) -> bool:
        """Whether any record of the flow waits in the inbox."""
        return self._any(flow, UNSETTLED)

    def has_known_errors(self, flow: str) -> bool:
        """Whether `known_errors` or `known_contents` may know anything of the flow."""
        if self._any(flow, _KNOWN_STATES):
            return True
        corrected = select(decisions.c.id).join(errors, errors.c.id == decisions.c.error)
        with self._database.reading() as connection:
            of_flow = corrected.where(decisions.c.action == "edit", errors.c.flow == flow).limit(1)
            return connection.execute(of_flow).first() is not None

    def known_errors(
        self, flow: str, keys: Sequence[str], mapping_version: int
    ) -> set[tuple[str, str | None, str | None]]:
        """(source key, source version, hash of the payload) of those of the keys that fail as they are.

        They failed with this version of the mapping, or a person holds, approved or discarded them.
        """
        asked = {stored_key(key): key for key in keys}
        values: dict[str, Any] = {"flow": flow, "mapping_version": mapping_version}
        known: set[tuple[str, str | None, str | None]] = set()
        with self._database.reading() as connection:
            for chunk in chunks(list(asked), _CHUNK):
                for key, version, content in connection.execute(_KNOWN_KEYS, {**values, "keys": chunk}):
                    known.add((asked[key], version, content))
        return known

    def known_contents(self, flow: str, hashes: Collection[str], mapping_version: int) -> set[str]:
        """Those of the hashes of payloads that belong to a record without a key that fails as it is."""
        values: dict[str, Any] = {"flow": flow, "mapping_version": mapping_version}
        with self._database.reading() as connection:
            return {
                row[2]
                for chunk in chunks(list(hashes), _CHUNK)
                for row in connection.execute(_KNOWN_CONTENTS, {**values, "hashes": chunk})
            }

    def held_keys(self, flow: str, keys: Sequence[str], replay: str) -> set[tuple[str, str | None]]:
        """(source key, source version) of those of the keys that no machine may send.

        :param replay: run_id of the run that asks; what was approved for it may go
        """
        asked = {stored_key(key): key for key in keys}
        held: set[tuple[str, str | None]] = set()
        with self._database.reading() as connection:
            for chunk in chunks(list(asked), _CHUNK):
                values = {"flow": flow, "keys": chunk, "replay": clean(replay)}
                held |= {(asked[key], version) for key, version in connection.execute(_HELD, values)}
        return held

    def delivered_since(self, flow: str, replay: str, keys: Sequence[str]) -> set[str]:
        """Those of the keys that were delivered, by another run, after the payload that a replay has was read.

        :param replay: run_id of the replay
        """
        asked = {stored_key(key): key for key in keys}
        since: set[str] = set()
        if not asked:
            return since
        with self._database.reading() as connection:
            for chunk in chunks(list(asked), _CHUNK):
                values = {"flow": flow, "keys": chunk, "replay": clean(replay)}
                since |= {asked[key] for (key,) in connection.execute(_DELIVERED_SINCE, values)}
        return since

    def _any(self, flow: str, states: Sequence[str]) -> bool:
        statement = select(errors.c.id).where(errors.c.flow == flow, errors.c.state.in_(states)).limit(1)
        with self._database.reading() as connection:
            return connection.execute(statement).first() is not None

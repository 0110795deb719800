"""Which version of a mapping runs, what it said when it was promoted, and who decided it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, select, update

from airflow_provider_flux.store.part import StorePart, take_turns
from airflow_provider_flux.store.tables import mapping_changes, mappings
from airflow_provider_flux.store.text import clean, clean_or_none, now_text

DRAFT, ACTIVE, RETIRED = "draft", "active", "retired"
"""What a version of a mapping can be. A version without a row is a draft."""

_LONGEST_NAME = 250


@dataclass(frozen=True)
class MappingRow:
    """A version of a mapping that somebody promoted or retired.

    :param text: the file as it was when it was promoted first; None for a version that never was
    :param digest: SHA-256 of that text
    """

    name: str
    version: int
    state: str
    digest: str | None
    text: str | None
    changed_at: str


@dataclass(frozen=True)
class MappingChange:
    """A decision about a version.

    :param action: promote or retire
    :param replaced: promote: the version that was active until then
    """

    id: int
    name: str
    version: int
    action: str
    replaced: int | None
    decided_by: str
    decided_at: str
    reason: str | None


class Mappings(StorePart):
    """The versions of mappings; every method raises FluxError STORE_UNAVAILABLE."""

    def mapping_rows(self, name: str | None = None) -> list[MappingRow]:
        """Every version that somebody decided about, by name and version.

        :param name: only of this mapping
        """
        statement = select(mappings).order_by(mappings.c.name, mappings.c.version)
        if name is not None:
            statement = statement.where(mappings.c.name == name)
        with self._database.reading() as connection:
            return [MappingRow(**row._mapping) for row in connection.execute(statement)]

    def mapping_changes(self, name: str) -> list[MappingChange]:
        """What was decided about a mapping, oldest first."""
        statement = select(mapping_changes).where(mapping_changes.c.name == name).order_by(mapping_changes.c.id)
        with self._database.reading() as connection:
            return [MappingChange(**row._mapping) for row in connection.execute(statement)]

    def promote_mapping(
        self, name: str, version: int, *, digest: str, text: str, replaces: int | None, by: str, reason: str | None
    ) -> bool:
        """Make a version the active one. The one before becomes a draft again; it may be promoted back.

        :param replaces: the version that has a row as the active one now, None for none
        :return: False where somebody else promoted another version meanwhile; nothing was changed then
        """
        this = (mappings.c.name == name, mappings.c.version == version)
        with self._database.writing() as connection:
            take_turns(connection, f"mapping {name}")
            active = (mappings.c.name == name, mappings.c.state == ACTIVE)
            if connection.execute(select(mappings.c.version).where(*active)).scalar() != replaces:
                return False
            now = now_text()
            connection.execute(update(mappings).where(*active).values(state=DRAFT, changed_at=now))
            values = {"state": ACTIVE, "digest": digest, "text": text, "changed_at": now}
            if connection.execute(update(mappings).where(*this).values(values)).rowcount == 0:
                connection.execute(insert(mappings).values(name=name, version=version, **values))
            connection.execute(insert(mapping_changes), _change(name, version, "promote", replaces, by, reason))
            return True

    def retire_mapping(self, name: str, version: int, *, by: str, reason: str | None) -> bool:
        """Take a version out of use.

        :return: False where it is the active one, or retired already; nothing was changed then
        """
        values = {"state": RETIRED, "changed_at": now_text()}
        this = (mappings.c.name == name, mappings.c.version == version)
        with self._database.writing() as connection:
            take_turns(connection, f"mapping {name}")
            state = connection.execute(select(mappings.c.state).where(*this)).scalar()
            if state in (ACTIVE, RETIRED):
                return False
            if state is None:
                connection.execute(insert(mappings).values(name=name, version=version, **values))
            else:
                connection.execute(update(mappings).where(*this).values(values))
            connection.execute(insert(mapping_changes), _change(name, version, "retire", None, by, reason))
            return True


def _change(
    name: str, version: int, action: str, replaced: int | None, by: str, reason: str | None
) -> dict[str, str | int | None]:
    return {
        "name": name,
        "version": version,
        "action": action,
        "replaced": replaced,
        "decided_by": clean(by)[:_LONGEST_NAME],
        "decided_at": now_text(),
        "reason": clean_or_none(reason),
    }

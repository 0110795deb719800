"""A person decides which version of a mapping runs: promote one, retire one that no flow needs any more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from airflow_provider_flux.errors import ConfigError, FluxError
from airflow_provider_flux.flow import folder
from airflow_provider_flux.flow.loader import load_flow
from airflow_provider_flux.flow.mapping_file import mapping_of_text
from airflow_provider_flux.flow.uses import Use, problems_with, uses_of
from airflow_provider_flux.stages.shapes import rebase
from airflow_provider_flux.stages.versions import Version, Versions, digest, text_of, versions
from airflow_provider_flux.store import Store
from airflow_provider_flux.store.mappings import ACTIVE

_MOST_NAMED = 10


@dataclass(frozen=True)
class Promoted:
    """:param replaced: the version that was active before; None where it is the same, now by decision
    :param followers: the flows that run with it from their next run on
    :param pinned: the flows that stay with another version
    """

    name: str
    version: int
    replaced: int | None
    followers: tuple[str, ...]
    pinned: tuple[str, ...]


@dataclass(frozen=True)
class Retired:
    """A version that no flow may use any more."""

    name: str
    version: int


def promote(store: Store, include: Path, name: str, version: int, *, by: str, reason: str | None) -> Promoted:
    """Make a version the active one: what its file says now is what runs from then on.

    :raises FluxError: CONFIG_INVALID where it cannot be; nothing was changed then
    :raises ConfigError: the text of the version is not valid, or does not fit a flow that follows the mapping
    """
    known = versions(store, include, name)
    chosen = _promotable(known, version)
    text, place = _text(chosen, include)
    mapping_of_text(text, place, name, version)
    uses = uses_of(include, name)
    followers = [use for use in uses if use.pin is None]
    problems = problems_with(include, name, version, _flows(followers))
    if problems:
        raise ConfigError(problems)
    rows = [one.number for one in known.all.values() if one.row is not None and one.row.state == ACTIVE]
    replaces = rows[0] if rows else None
    done = store.promote_mapping(
        name, version, digest=digest(text), text=text, replaces=replaces, by=by, reason=reason
    )
    if not done:
        raise _refused(
            f"somebody else promoted another version of `{name}` at the same time", f"Look again: mapping show {name}."
        )
    for use in followers:
        _rebase(store, include, use.flow)
    before = known.active if known.active != version else None
    return Promoted(name, version, before, _flows(followers), _flows(use for use in uses if use.pin is not None))


def retire(store: Store, include: Path, name: str, version: int, *, by: str, reason: str | None) -> Retired:
    """Take a version out of use for good. Runs that began with it finish with it.

    :raises FluxError: CONFIG_INVALID where flows still need it, or there is none; nothing was changed then
    """
    known = versions(store, include, name)
    chosen = _expect(known, version)
    if chosen.retired:
        raise _refused(f"{name}@{version} is retired already", f"Nothing is to be done; see mapping show {name}.")
    if known.active == version:
        raise _refused(f"{name}@{version} is the active version", "Promote another version first.")
    pinned = _flows(use for use in uses_of(include, name) if use.pin == version)
    if pinned:
        raise _refused(
            f"{name}@{version} is pinned by {_named(pinned)}",
            f"Write `mapping: {name}` (or another version) into these flows, then retire it.",
        )
    if not store.retire_mapping(name, version, by=by, reason=reason):
        raise _refused(f"{name}@{version} was promoted or retired by somebody else at the same time", "Look again.")
    return Retired(name, version)


def _promotable(known: Versions, version: int) -> Version:
    """:raises FluxError: CONFIG_INVALID, with what keeps this version from being promoted"""
    chosen = _expect(known, version)
    label = f"{known.name}@{version}"
    following = f"v{max(known.all) + 1}.yaml"
    if chosen.row is not None and chosen.row.state == ACTIVE:
        raise _refused(f"{label} is active already, since {chosen.row.changed_at}", "Nothing is to be done.")
    if chosen.retired:
        raise _refused(f"{label} is retired", f"Copy it to the next version, {following}, and promote that.")
    missing = [number for number in range(min(known.all), version) if number not in known.all]
    if missing:
        raise _refused(
            f"{label} skips version {missing[0]}: {_named(f'{known.name}@{number}' for number in missing)} never was",
            f"Rename the file to v{missing[0]}.yaml.",
        )
    if (how := chosen.departed()) is not None and chosen.path is not None:
        raise _refused(
            f"{label} was promoted before with another text: {how}",
            f"Write the change as the next version, {following}, and give v{version}.yaml its text back.",
        )
    return chosen


def _expect(known: Versions, version: int) -> Version:
    """:raises FluxError: CONFIG_INVALID when there is no such mapping or version"""
    if version in known.all:
        return known.all[version]
    if not known.all:
        raise _refused(f"there is no mapping `{known.name}`", "See airflow-flux mapping list.")
    there = _named(f"{known.name}@{number}" for number in known.all)
    what = f"there is no {known.name}@{version}; there are {there}"
    raise _refused(what, "See airflow-flux mapping list.")


def _text(chosen: Version, include: Path) -> tuple[str, str]:
    """What would run, and where it stands."""
    if chosen.path is not None:
        return text_of(chosen.path), folder.shown(include, chosen.path)
    assert chosen.kept is not None  # a version without a file has a row, and one without a text is retired
    return chosen.kept, "as it was promoted before"


def _rebase(store: Store, include: Path, flow: str) -> None:
    try:
        rebase(store, load_flow(include, flow))
    except ConfigError:
        return  # a flow that is not valid compares nothing


def _flows(uses: Iterable[Use]) -> tuple[str, ...]:
    return tuple(use.flow for use in uses)


def _named(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _MOST_NAMED} more" if len(listed) > _MOST_NAMED else ""
    return ", ".join(listed[:_MOST_NAMED]) + more


def _refused(message: str, next_step: str) -> FluxError:
    return FluxError("CONFIG_INVALID", f"{message}. Nothing was changed", next_step=next_step)

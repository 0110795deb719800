"""`mapping`: versions of mappings, what runs, and the decision to run another one."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import dataclass
from difflib import unified_diff
from typing import TYPE_CHECKING

from airflow_provider_flux import settings
from airflow_provider_flux.cli.output import Output
from airflow_provider_flux.cli.place import the_store
from airflow_provider_flux.cli.retry import Starter, refusals, tell_queued
from airflow_provider_flux.cli.selection import person
from airflow_provider_flux.cli.values import UsageError, counted, did_you_mean, moment

if TYPE_CHECKING:
    from airflow_provider_flux.flow.uses import Use
    from airflow_provider_flux.inbox.retry import Queued
    from airflow_provider_flux.stages.versions import Version, Versions
    from airflow_provider_flux.store import Store

_NAMED = 20


@dataclass(frozen=True)
class VersionFacts:
    """A version as it is listed.

    :param since: when it came into this state; None while nobody decided anything
    :param flows: those that run with it
    :param remark: how its file differs from what was promoted
    """

    mapping: str
    version: int
    state: str
    since: str | None
    flows: list[str]
    remark: str | None


def list_mappings(arguments: Namespace, out: Output) -> int:
    """Print one line per version of every mapping."""
    from airflow_provider_flux.flow.folder import mapping_names
    from airflow_provider_flux.flow.uses import all_uses

    include = settings.load().include
    uses = all_uses(include)
    with the_store() as store:
        names = sorted({*mapping_names(include), *(row.name for row in store.mapping_rows())})
        found = [facts for name in names for facts in _facts(_versions(store, name), uses.get(name, []))]
    if out.json:
        out.data(found)
        return 0
    if not found:
        out.line(f"No mappings yet: {include / 'mappings'} holds none.")
        return 0
    out.table(
        ("mapping", "#version", "state", "since", "flows", "remark"),
        [(one.mapping, one.version, one.state, moment(one.since), ", ".join(one.flows), one.remark) for one in found],
    )
    return 0


def show_mapping(arguments: Namespace, out: Output) -> int:
    """Print the versions of one mapping, and who decided what."""
    from airflow_provider_flux.flow.uses import uses_of

    with the_store() as store:
        known = expect_mapping(store, arguments.name)
        facts = _facts(known, uses_of(settings.load().include, known.name))
        changes = store.mapping_changes(known.name)
    if out.json:
        out.data({"mapping": known.name, "versions": facts, "changes": changes})
        return 0
    for one in facts:
        remark = f" ({one.remark}: it runs as it was promoted)" if one.remark and one.state != "retired" else ""
        flows = f"; runs in {', '.join(one.flows)}" if one.flows else ""
        out.line(f"{one.mapping}@{one.version}  {one.state}{flows}{remark}")
    for change in changes:
        instead = f" instead of version {change.replaced}" if change.replaced is not None else ""
        why = f": {change.reason}" if change.reason else ""
        decision = f"{change.decided_by} {change.action}d version {change.version}{instead}{why}"
        out.line(f"  {moment(change.decided_at)}  {decision}")
    if not changes:
        out.line(f"Nobody promoted a version yet; version {known.active} runs because it is the oldest.")
    return 0


def diff(arguments: Namespace, out: Output) -> int:
    """Print how two versions differ; 0 also when they do."""
    with the_store() as store:
        known = expect_mapping(store, arguments.name)
    old = arguments.old if arguments.old is not None else known.active
    new = arguments.new if arguments.new is not None else max(known.all)
    before, after = _text(known, old).splitlines(), _text(known, new).splitlines()
    labels = (f"{known.name}@{old}", f"{known.name}@{new}")
    lines = list(unified_diff(before, after, *labels, lineterm=""))
    if out.json:
        out.data({"mapping": known.name, "old": old, "new": new, "diff": lines})
        return 0
    for line in lines:
        out.line(line)
    if not lines:
        out.line(f"{labels[0]} and {labels[1]} say the same.")
    return 0


def promote(arguments: Namespace, out: Output) -> int:
    """Make a version the active one, and send again what it clears if asked."""
    from airflow_provider_flux.stages.promotion import promote as promote_now

    include = settings.load().include
    with the_store() as store:
        expect_mapping(store, arguments.name)
        done = promote_now(
            store, include, arguments.name, arguments.version, by=person(arguments.by), reason=arguments.reason
        )
        cleared = _cleared(store, done.name, done.version)
        queued = _send_again(store, cleared, arguments, out) if arguments.retry and cleared else []
    if out.json:
        out.data({**vars(done), "clears": cleared, "replays": queued})
        return 0
    before = f", instead of version {done.replaced}" if done.replaced is not None else ""
    out.line(f"{done.name}@{done.version} is active{before}.")
    if done.followers:
        out.line(f"These flows run with it from their next run on: {', '.join(done.followers)}")
        out.line("A run under way ends with the version it began with.")
    else:
        out.line("No flow follows this mapping.")
    if done.pinned:
        out.line(f"These flows pin a version, and stay with it: {', '.join(done.pinned)}")
    if queued:
        tell_queued(queued, out)
    elif cleared:
        which = " ".join(map(str, cleared)) if len(cleared) <= _NAMED else f"--mapping {done.name}"
        out.line(f"{counted(len(cleared), 'record')} that failed before can be mapped now. To send them again:")
        out.line(f"  airflow-flux errors retry {which}")
    return 0


def retire(arguments: Namespace, out: Output) -> int:
    """Take a version out of use for good."""
    from airflow_provider_flux.stages.promotion import retire as retire_now

    include = settings.load().include
    with the_store() as store:
        expect_mapping(store, arguments.name)
        done = retire_now(
            store, include, arguments.name, arguments.version, by=person(arguments.by), reason=arguments.reason
        )
    if out.json:
        out.data(done)
    else:
        out.line(f"{done.name}@{done.version} is retired: no flow can run with it any more.")
    return 0


def _versions(store: Store, name: str) -> Versions:
    from airflow_provider_flux.stages.versions import versions

    return versions(store, settings.load().include, name)


def expect_mapping(store: Store, name: str) -> Versions:
    """:raises UsageError: when there is no such mapping"""
    from airflow_provider_flux.flow.folder import mapping_names

    known = _versions(store, name)
    if not known.all:
        names = mapping_names(settings.load().include)
        hint = did_you_mean(name, names) or (f"; there are {', '.join(names)}" if names else "")
        raise UsageError(f"there is no mapping '{name}'{hint}")
    return known


def _facts(known: Versions, uses: list[Use]) -> list[VersionFacts]:
    found = []
    for version in known.all.values():
        flows = [use.flow for use in uses if (use.pin or known.active) == version.number]
        since = None if version.row is None else version.row.changed_at
        found.append(
            VersionFacts(
                known.name, version.number, known.state(version.number), since, flows, version.departed()
            )
        )
    return found


def _text(known: Versions, number: int | None) -> str:
    """:raises UsageError: when there is no such version, or its text is gone"""
    from airflow_provider_flux.stages.versions import text_of

    version: Version | None = None if number is None else known.all.get(number)
    if version is None:
        there = ", ".join(map(str, known.all))
        raise UsageError(f"mapping '{known.name}' has no version {number}; there are {there}")
    if version.path is not None:
        return text_of(version.path)
    if version.kept is None:
        raise UsageError(f"{known.name}@{number} was retired, and its file is gone")
    return version.kept


def _cleared(store: Store, name: str, version: int) -> list[int]:
    """Numbers of the open errors whose records can be mapped now."""
    from airflow_provider_flux.stages.trial import failed_records
    from airflow_provider_flux.store.error_rows import OPEN

    return failed_records(store, settings.load().include, name, version, (OPEN,)).cleared


def _send_again(store: Store, cleared: list[int], arguments: Namespace, out: Output) -> list[Queued]:
    """Start a replay of these errors in Airflow, one run per flow."""
    from airflow_provider_flux.inbox.retry import queue
    from airflow_provider_flux.store.filters import ErrorFilter

    chosen = ErrorFilter(ids=tuple(cleared))
    with refusals():
        return queue(
            store,
            settings.load().include,
            chosen,
            by=person(arguments.by),
            start=Starter(out, local=False).start,
        )

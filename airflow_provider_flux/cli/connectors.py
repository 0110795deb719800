"""`connectors list` and `connectors show`: the health of every connection that a flow uses."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_provider_flux import settings
from airflow_provider_flux.cli.output import Output
from airflow_provider_flux.cli.place import the_store
from airflow_provider_flux.cli.values import UsageError, did_you_mean, moment
from airflow_provider_flux.connectors.credentials import from_environment

if TYPE_CHECKING:
    from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
    from airflow_provider_flux.store import Store
    from airflow_provider_flux.store.health import CallRow, ConnectionRow

_HOURS = 23
"""Whole hours before the present one that count as the last 24."""


@dataclass
class Use:
    """A connection as the flow files use it.

    :param flows: ids of the flows, sorted
    :param options: of one of them, of its source if it reads over the connection
    """

    connector: str
    flows: list[str] = field(default_factory=list)
    options: SourceOptions | DestinationOptions | None = None


@dataclass
class Recent:
    """The bad calls of one kind in the last 24 hours."""

    kind: str
    count: int
    last_at: str
    message: str | None


@dataclass
class Facts:
    """Everything known of a connection.

    :param calls: all calls of the last 24 hours, good and bad
    :param recent: the bad ones by kind
    """

    connection: str
    connector: str
    state: str
    good_at: str | None
    bad_at: str | None
    bad_kind: str | None
    bad_message: str | None
    disabled_at: str | None
    disabled_by: str | None
    disabled_reason: str | None
    bad_code: str | None
    flows: list[str]
    calls: int
    recent: list[Recent]
    advice: list[str] = field(default_factory=list)


def list_connections(arguments: Namespace, out: Output) -> int:
    """Print one line per connection, also of those that were never called."""
    uses = used_connections(out)
    with the_store() as store:
        rows = known_connections(store, uses)
        calls = store.calls(_since())
    found = [_facts(row, uses, calls) for row in rows]
    if out.json:
        out.data(found)
        return 0
    if not found:
        out.line("No connections yet: no flow file names one, and none was called.")
        return 0
    table = [
        (
            one.connection,
            one.connector,
            one.state,
            moment(one.good_at),
            moment(one.bad_at),
            ", ".join(f"{recent.kind} {recent.count}" for recent in one.recent),
            ", ".join(one.flows),
        )
        for one in found
    ]
    out.table(("connection", "connector", "state", "last good", "last bad", "errors in 24 h", "flows"), table)
    if any(one.state == "degraded" for one in found):
        out.note("What to do about one: airflow-flux connectors show CONNECTION")
    return 0


def show_connection(arguments: Namespace, out: Output) -> int:
    """Print everything about one connection."""
    from airflow_provider_flux.stages.advice import RESUMES, advice

    uses = used_connections(out)
    with the_store() as store:
        row = expect_connection(store, uses, arguments.connection)
        calls = store.calls(_since(), row.connection)
    facts = _facts(row, uses, calls)
    if row.state == "degraded":
        facts.advice = [*advice(row.connection, row.bad_kind), RESUMES]
    if out.json:
        out.data(facts)
    else:
        _print(facts, out)
    return 0


def _print(facts: Facts, out: Output) -> None:
    out.line(f"{facts.connection} ({facts.connector}) is {facts.state}")
    if facts.disabled_at is not None:
        out.line(f"  disabled  {moment(facts.disabled_at)} by {facts.disabled_by}: {facts.disabled_reason}")
        out.line(f"            `airflow-flux connectors enable {facts.connection}` switches it on again.")
    out.line(f"  last good {moment(facts.good_at) or 'never'}")
    if facts.bad_at is not None:
        out.line(f"  last bad  {moment(facts.bad_at)} ({facts.bad_kind}): {facts.bad_message}")
    out.line(f"  flows     {', '.join(facts.flows) or 'none'}")
    out.line(f"  calls     {facts.calls} in the last 24 hours")
    for recent in facts.recent:
        out.line(f"  {recent.count:>5} x {recent.kind}, last {moment(recent.last_at)}: {recent.message}")
    for place, line in enumerate(facts.advice):
        out.line(f"  {'' if place else 'next':<9} {line}")


def used_connections(out: Output) -> dict[str, Use]:
    """The connections that valid flow files use; says on standard error when some are not valid."""
    from airflow_provider_flux.flow.loader import load_flows

    flows, problems = load_flows(settings.load().include)
    if problems:
        out.note(f"{len(problems)} problems in flow files: flows that are not valid are left out (airflow-flux check)")
    uses: dict[str, Use] = {}
    for flow in flows:
        for options in (flow.file.source, flow.file.destination):
            use = uses.setdefault(options.connection, Use(options.connector, options=options))
            if flow.id not in use.flows:
                use.flows.append(flow.id)
            if options is flow.file.source:
                use.options = options
    return uses


def known_connections(store: Store, uses: dict[str, Use]) -> list[ConnectionRow]:
    """Every connection that a flow uses or that was ever called, by name."""
    from airflow_provider_flux.store.health import ConnectionRow

    rows = {row.connection: row for row in store.connections()}
    rows |= {name: ConnectionRow(name, use.connector) for name, use in uses.items() if name not in rows}
    return [rows[name] for name in sorted(rows)]


def expect_connection(store: Store, uses: dict[str, Use], name: str) -> ConnectionRow:
    """:raises UsageError: when no flow uses a connection of that name and none was ever called"""
    rows = {row.connection: row for row in known_connections(store, uses)}
    if name not in rows:
        hint = did_you_mean(name, rows) or (f"; there are {', '.join(rows)}" if rows else "")
        raise UsageError(f"no flow uses a connection '{name}'{hint}")
    return rows[name]


def find_use(store: Store, uses: dict[str, Use], name: str) -> tuple[str, Use]:
    """A connection, also one that only its environment variable knows because no flow uses it yet.

    :raises UsageError: as `expect_connection`
    :raises FluxError: CONNECTION_INVALID when the variable is not a connection
    """
    from airflow_provider_flux.stages.uses import connector_of_type

    try:
        row = expect_connection(store, uses, name)
        return row.connection, uses.get(row.connection, Use(row.connector))
    except UsageError:
        found = from_environment(name)
        connector = None if found is None else connector_of_type(found.conn_type)
        if connector is None:
            raise
        return name, Use(connector)


def _facts(row: ConnectionRow, uses: dict[str, Use], calls: list[CallRow]) -> Facts:
    use = uses.get(row.connection)
    facts = Facts(
        **asdict(row), state=row.state, flows=sorted(use.flows) if use else [], calls=0, recent=[]
    )
    recent: dict[str, Recent] = {}
    for call in calls:  # the newest hour first
        if call.connection != row.connection:
            continue
        facts.calls += call.count
        if call.kind == "ok":
            continue
        known = recent.setdefault(call.kind, Recent(call.kind, 0, call.last_at, call.last_message))
        known.count += call.count
    facts.recent = sorted(recent.values(), key=lambda one: -one.count)
    return facts


def _since() -> str:
    from airflow_provider_flux.stages.health import hour_before

    return hour_before(datetime.now(UTC), _HOURS)

"""`connectors describe`: what a connector declares, and what a system says of its own fields."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from dataclasses import dataclass, field

from airflow_provider_flux import settings
from airflow_provider_flux.cli import facts_view
from airflow_provider_flux.cli.output import Output
from airflow_provider_flux.cli.place import find_credentials, the_store
from airflow_provider_flux.cli.values import UsageError, did_you_mean
from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.declare import Description
from airflow_provider_flux.connectors.facts import Facts, facts_of, object_of
from airflow_provider_flux.connectors.object_options import ObjectDestinationOptions, ObjectSourceOptions
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions


@dataclass
class _Uses:
    """A connection, and how the flows read and write over it."""

    connection: str
    connector: str
    sides: list[SourceOptions | DestinationOptions] = field(default_factory=list)


@dataclass(frozen=True)
class Answer:
    """What a system says of itself.

    :param describes_itself: False where it cannot be asked; then there are no objects
    """

    connection: str
    connector: str
    describes_itself: bool
    objects: tuple[Description, ...]


def describe(arguments: Namespace, out: Output) -> int:
    """Print what is known of a connector or of a connection's system."""
    name, asked = arguments.name, arguments.object
    connector = _connector(name)
    uses = _uses(out) if arguments.online or connector is None else {}
    if arguments.online and connector is not None and name not in uses:
        return _ask(_only_connection(uses, name, connector), asked, out)
    if name in uses and (arguments.online or connector is None):
        return _ask(uses[name], asked, out)
    if connector is None:
        known = [*registry.names(), *uses]
        hint = did_you_mean(name, known) or f"; there are {', '.join(known)}"
        raise UsageError(f"there is no connector '{name}', and no flow uses a connection of that name{hint}")
    return _declared(facts_of(registry.get(connector)), asked, out)


def _connector(name: str) -> str | None:
    """The built-in connector of that name, or the one that a connector file of that name is for."""
    from airflow_provider_flux.flow.library import Library

    if name in registry.names():
        return name
    library = Library(settings.load().include)
    return library.connector_file(name).connector if name in library.connector_files.paths else None


def _uses(out: Output) -> dict[str, _Uses]:
    """Every connection of a valid flow with the sides that use it."""
    from airflow_provider_flux.flow.loader import load_flows

    flows, problems = load_flows(settings.load().include)
    if problems:
        out.note(f"{len(problems)} problems in flow files: flows that are not valid are left out (airflow-flux check)")
    uses: dict[str, _Uses] = {}
    for flow in flows:
        for side in (flow.file.source, flow.file.destination):
            uses.setdefault(side.connection, _Uses(side.connection, side.connector)).sides.append(side)
    return uses


def _only_connection(uses: dict[str, _Uses], name: str, connector: str) -> _Uses:
    """:raises UsageError: when it is not clear which connection is meant"""
    found = [use for use in uses.values() if use.connector == connector]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(f"no flow uses a connection of connector '{name}', so there is no system to ask")
    names = ", ".join(use.connection for use in found)
    raise UsageError(f"several connections are of connector '{name}'; name one of them: {names}")


def _declared(facts: Facts, asked: str | None, out: Output) -> int:
    """The declarations of a connector, or of one of its objects."""
    if asked is None:
        if out.json:
            out.data(facts)
        else:
            facts_view.print_connector(facts, out)
        return 0
    one = object_of(registry.get(facts.connector), asked)
    if one is None:
        names = [declared.name for declared in facts.objects]
        there = f"; there are {', '.join(names)}" if names else "; its objects are those that flows and the system name"
        raise UsageError(f"{facts.connector} declares no object '{asked}'{did_you_mean(asked, names) or there}")
    if out.json:
        out.data(one)
    else:
        facts_view.print_object(facts.connector, one, out)
    return 0


def _ask(use: _Uses, asked: str | None, out: Output) -> int:
    """What the system says now.

    :raises FluxError: as `stages.describe.describe`
    """
    from airflow_provider_flux.stages.describe import describe as ask

    conn_type = registry.get(use.connector).conn_type
    found: list[Description] = []
    with the_store() as store, out.progress("objects") as report:
        for name, options in _objects(use, asked):
            answer = ask(
                store, use.connection, use.connector, lambda: find_credentials(use.connection, conn_type), options, name
            )
            if answer is None:
                break
            found.append(answer)
            report("describe", len(found))
    answer_of_all = Answer(use.connection, use.connector, bool(found), tuple(_once(found)))
    if out.json:
        out.data(answer_of_all)
    elif not found:
        out.line(
            f"{use.connection} ({use.connector}): such a system does not describe itself. Its fields stand in its own "
            "reference; `airflow-flux test FLOW` shows those of a few records."
        )
    else:
        for one in answer_of_all.objects:
            facts_view.print_fields(f"{use.connection}: {one.object}", one, out)
    return 0


def _objects(
    use: _Uses, asked: str | None
) -> Iterable[tuple[str | None, SourceOptions | DestinationOptions | None]]:
    """What to ask for: the object that was named, as a flow uses it if one does, or those of all flows."""
    if asked is None:
        return [(None, side) for side in use.sides]
    for side in use.sides:
        if _object_name(side) == asked:
            return [(asked, side)]
    return [(asked, None)]


def _object_name(side: SourceOptions | DestinationOptions) -> str | None:
    if isinstance(side, (ObjectSourceOptions, ObjectDestinationOptions)):
        return side.object
    return getattr(side, "table", None)


def _once(found: list[Description]) -> list[Description]:
    """An object that several flows use is shown once."""
    return list(dict.fromkeys(found))

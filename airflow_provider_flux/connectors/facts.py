"""What is known of a connector before any call: its declarations, collected for the listing and for the docs."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_flux.connectors.contract import Connector
from airflow_provider_flux.connectors.declare import ObjectType
from airflow_provider_flux.connectors.object_options import ObjectDestinationOptions, ObjectSourceOptions
from airflow_provider_flux.transport.classify import Row
from airflow_provider_flux.transport.pace import Limit


@dataclass(frozen=True)
class KnownAnswer:
    """An answer that the connector recognises.

    :param code: of the catalogue
    :param status: HTTP statuses that it may have; empty for every status from 400 on
    :param where: path in the answer; empty for its whole text
    :param pattern: what must be found there; empty: it is enough that something is there
    """

    code: str
    status: tuple[int, ...]
    where: str
    pattern: str


@dataclass(frozen=True)
class Facts:
    """Everything that a connector declares.

    :param connection_type: of the Airflow connection
    :param sign_in: the ways in which it can sign in; empty where the flow or the connection says
    :param answers: the error bodies that it recognises, beside what every system's words and statuses say
    :param objects: those that every account has
    :param others: what holds for all other objects; None where there are none
    :param describes_itself: whether the system can be asked for its fields
    """

    connector: str
    connection_type: str
    reads: bool
    writes: bool
    sign_in: tuple[str, ...]
    limits: tuple[Limit, ...]
    answers: tuple[KnownAnswer, ...]
    objects: tuple[ObjectType, ...]
    others: ObjectType | None
    describes_itself: bool


def facts_of(connector: type[Connector]) -> Facts:
    """What the connector declares."""
    profile = connector.profile
    sign_in = profile.sign_in if profile is not None else None
    return Facts(
        connector.name,
        connector.conn_type,
        connector.source_options is not None,
        connector.destination_options is not None,
        () if sign_in is None else sign_in.kinds,
        () if profile is None else profile.limits,
        () if profile is None else tuple(_answer(row) for row in profile.rows),
        connector.objects,
        connector.any_object,
        describes_itself(connector),
    )


def describes_itself(connector: type[Connector]) -> bool:
    """Whether the connector's system can be asked for its fields."""
    return connector.describe.__func__ is not Connector.describe.__func__  # type: ignore[attr-defined]  # class methods


def object_of(connector: type[Connector], name: str) -> ObjectType | None:
    """What is declared of an object, one of the customer's own included; None where there is none of that name."""
    for options in (connector.source_options, connector.destination_options):
        if options is not None and issubclass(options, (ObjectSourceOptions, ObjectDestinationOptions)):
            declared = options.object_type(name)
            if declared is not None:
                return declared
    return next((declared for declared in connector.objects if declared.name == name), None)


def limit_text(limit: Limit) -> str:
    """`100 calls in 10 s, per app and account`."""
    return f"{limit.calls:,} calls in {limit.seconds:g} s" + (f", {limit.what}" if limit.what else "")


def _answer(row: Row) -> KnownAnswer:
    pattern = "" if row.pattern is None else row.pattern.pattern
    return KnownAnswer(row.code, tuple(sorted(row.status or ())), row.path or "", pattern)

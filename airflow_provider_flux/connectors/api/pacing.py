"""How fast the calls over a connection go, from what the vendor's profile and the connection say."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_flux.connectors.api.profile import ApiProfile
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.transport.advice import Adviser
from airflow_provider_flux.transport.buckets import graphql_advice
from airflow_provider_flux.transport.classify import Row
from airflow_provider_flux.transport.holds import Holds
from airflow_provider_flux.transport.limiter import Limiter
from airflow_provider_flux.transport.limits import read_limits, spread
from airflow_provider_flux.transport.pace import ByPath, Limit, Pace, Together
from airflow_provider_flux.transport.points import Points
from airflow_provider_flux.transport.quota import adviser_of, advisers, daily_advice


def open_pace(credentials: Credentials, profile: ApiProfile, *, patience: float, silence: float) -> Pace:
    """The pace of one client: what the answers say, then the declared limits.

    An automatic retry (`one_try`) waits for its turn as any other call does: that a limit is used up says nothing about
    the record, and must not cost it one of its tries. What it does not do is to wait where the system says so: its next
    try comes by the record's own clock.

    :param patience: seconds that a call may wait
    :param silence: seconds after which a call without an answer is given up
    :raises FluxError: CONNECTION_INVALID for a `limit` that is none
    """
    connection = credentials.conn_id
    heard = Holds(connection, patience=0.0 if credentials.one_try else patience)
    limits = spread(limits_of(credentials, profile))
    paces: list[Pace] = [heard, Points(connection, patience=patience)]
    if limits:
        # Last, because a call that it let through is made at once.
        book = None if credentials.shared is None else credentials.shared.pace
        by_path: dict[str, list[Limit]] = {}
        for limit in limits:
            by_path.setdefault(limit.path, []).append(limit)
        paces.append(
            ByPath(
                {
                    path: Limiter(connection, some, book, patience=patience, silence=silence)
                    for path, some in by_path.items()
                }
            )
        )
    return Together(*paces)


def limits_of(credentials: Credentials, profile: ApiProfile) -> tuple[Limit, ...]:
    """The limits of a connection: its own where it names some, else those of the vendor.

    What the vendor allows of single paths holds beside its own, too, but for `none`.

    :raises FluxError: CONNECTION_INVALID for a `limit` that is none
    """
    own = credentials.extra.get("limit")
    if own is None or own == "":
        return profile.limits
    try:
        chosen = read_limits(own)
        return (*chosen, *(limit for limit in profile.limits if limit.path)) if chosen else ()
    except ValueError as error:
        raise credentials.invalid("extra.limit", str(error)) from None


def open_adviser(profile: ApiProfile, rows: Sequence[Row]) -> Adviser:
    """What is known of a system's answers beyond their status: by its profile, by rows, by GraphQL's own words.

    :param rows: of the flow; those of the profile are asked after them
    """
    return advisers(profile.adviser, adviser_of((*rows, *profile.rows)), daily_advice, graphql_advice)

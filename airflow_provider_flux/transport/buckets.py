"""Cost buckets of GraphQL servers: each query costs points, and a bucket of points fills up again at a steady rate.

An answer tells all of it, as Shopify and Jobber send it (the same library and the same words):

    "extensions": {"cost": {"requestedQueryCost": 70, "actualQueryCost": null,
        "throttleStatus": {"maximumAvailable": 1000, "currentlyAvailable": 66, "restoreRate": 50}}}

Sources: https://shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits and
https://developer.getjobber.com/docs/using_jobbers_api/api_rate_limits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from airflow_provider_flux.transport import graphql
from airflow_provider_flux.transport.advice import Advice
from airflow_provider_flux.transport.answers import NotJson
from airflow_provider_flux.transport.messages import Response
from airflow_provider_flux.transport.paths import MISSING, get

_THROTTLES: Final = frozenset(
    code for code, meaning in graphql.CODES.items() if meaning.request == "RATE_LIMIT_EXCEEDED"
)
_TOO_COSTLY: Final = "MAX_COST_EXCEEDED"


@dataclass(frozen=True)
class Bucket:
    """The points of one account, as its last answer told them.

    :param maximum: points of a full bucket
    :param available: points that were left
    :param rate: points that come back in a second
    """

    maximum: float
    available: float
    rate: float

    def wait(self, cost: float) -> float:
        """Seconds until a query of that cost may be made, counted from the answer on; 0 when it may be made at once."""
        # More than a full bucket never comes together; the server says so itself (MAX_COST_EXCEEDED).
        missing = min(cost, self.maximum) - self.available
        return missing / self.rate if missing > 0 and self.rate > 0 else 0.0


@dataclass(frozen=True)
class Cost:
    """What a query costs.

    :param requested: points that must be there before it is executed
    :param actual: points that it took in the end; None where it was not executed
    """

    requested: float
    actual: float | None
    bucket: Bucket | None


@dataclass(frozen=True)
class Excess:
    """A query that costs more than the server ever allows at once: a smaller page costs less.

    :param cost: what it would cost, None where the server does not say
    :param allowed: the most that one query may cost, None likewise
    """

    cost: float | None
    allowed: float | None


def cost_of(value: Any) -> Cost | None:
    """What an answer says of its cost; None where it says nothing of it.

    :param value: the JSON of the answer
    """
    told = _at(value, "extensions.cost")
    requested = _number(_at(told, "requestedQueryCost"))
    if requested is None:
        return None
    return Cost(requested, _number(_at(told, "actualQueryCost")), _bucket(_at(told, "throttleStatus")))


def is_throttled(value: Any) -> bool:
    """Whether a GraphQL answer says that the query was not executed, because too many points are used.

    Newer answers say so by `extensions.code`; older ones of Shopify by nothing but the message `Throttled`.

    :param value: the JSON of the answer
    """
    answer = graphql.judge(value)
    # With data something was executed: that is not for the transport to repeat.
    if answer is None or answer.data is not None:
        return False
    return any(error.code in _THROTTLES or error.message.strip(" .").lower() == "throttled" for error in answer.errors)


def excess_of(value: Any) -> Excess | None:
    """What a refused query costs, if it was refused for what it costs (`MAX_COST_EXCEEDED`); no wait helps then.

    :param value: the JSON of the answer
    """
    answer = graphql.judge(value)
    if answer is None or not any(error.code == _TOO_COSTLY for error in answer.errors):
        return None
    for error in value["errors"]:
        told = _at(error, "extensions")
        if _at(told, "code") == _TOO_COSTLY:
            return Excess(_number(_at(told, "cost")), _number(_at(told, "maxCost")))
    return Excess(None, None)


def graphql_advice(response: Response) -> Advice | None:
    """An adviser: a throttled query may be made again, once the bucket holds what it costs."""
    if b'"errors"' not in response.body:
        return None
    try:
        value = response.decoded.value
    except NotJson:
        return None
    if not is_throttled(value):
        return None
    cost = cost_of(value)
    if cost is not None and cost.bucket is not None and cost.requested > cost.bucket.maximum:
        # "A query with a cost above this value will never resolve" (Jobber, who calls it a throttle none the less).
        return None
    wait = cost.bucket.wait(cost.requested) if cost is not None and cost.bucket is not None else 0.0
    # A bucket that holds enough was emptied by somebody else in between: then the usual pauses apply.
    return Advice(again=True, wait=wait or None)


def points_left(response: Response) -> str | None:
    """What is left in the bucket, in words; None where the answer tells no bucket."""
    if b'"throttleStatus"' not in response.body:
        return None
    try:
        cost = cost_of(response.decoded.value)
    except NotJson:
        return None
    if cost is None or cost.bucket is None:
        return None
    return f"{cost.bucket.available:g} of {cost.bucket.maximum:g} points"


def _bucket(status: Any) -> Bucket | None:
    told = [_number(_at(status, name)) for name in ("maximumAvailable", "currentlyAvailable", "restoreRate")]
    numbers = [number for number in told if number is not None]
    return Bucket(*numbers) if len(numbers) == len(told) else None


def _at(value: Any, path: str) -> Any:
    found = get(value, path)
    return None if found is MISSING else found


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None

"""The answer to a request that cannot be met; nothing was changed."""

from __future__ import annotations

from collections.abc import Iterable

_MOST = 10


class Refused(Exception):
    """The request does not fit what is in the inbox. The message says why, and what to do instead."""


def refuse_all(reasons: Iterable[str | None]) -> None:
    """:raises Refused: when there is a reason; it names the first ones"""
    found = [reason.rstrip(".") for reason in reasons if reason is not None]
    if found:
        more = [f"and {len(found) - _MOST} more like these"] if len(found) > _MOST else []
        raise Refused("; ".join([*found[:_MOST], *more]) + ". Nothing was changed.")

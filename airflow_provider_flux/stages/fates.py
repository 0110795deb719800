"""Where the records of a batch ended, as the store keeps it.

Apart from `records`, so that a test sync, which stores nothing, does not load the store's libraries.
"""

from __future__ import annotations

from collections.abc import Iterable

from airflow_provider_flux.store.rows import Outcome

ALREADY_THERE = "already there"
"""Why a record counts as skipped that `mode: create_if_missing` left as it is."""


def ranges(fates: Iterable[tuple[int, str, str]]) -> list[Outcome]:
    """Join the fates (ordinal, bucket, reason) of a batch, ascending by ordinal, into ranges."""
    outcomes: list[Outcome] = []
    bucket = reason = ""
    first = last = -2
    for ordinal, new_bucket, new_reason in fates:
        if ordinal == last + 1 and new_bucket == bucket and new_reason == reason:
            last = ordinal
            continue
        if last >= 0:
            outcomes.append(Outcome(bucket, reason, first, last))
        bucket, reason, first, last = new_bucket, new_reason, ordinal, ordinal
    if last >= 0:
        outcomes.append(Outcome(bucket, reason, first, last))
    return outcomes

"""Which errors a person means, in words and in numbers."""

from __future__ import annotations

from collections.abc import Callable, Collection

from airflow_provider_flux.inbox.refusal import Refused, refuse_all
from airflow_provider_flux.stages.claimable import not_there
from airflow_provider_flux.store import Store
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import ErrorRow

_LONGEST = 900  # what a replay says about itself travels in the conf of its DAG run, which allows a thousand characters


def check_each(store: Store, ids: Collection[int], why_not: Callable[[ErrorRow], str | None]) -> None:
    """Every one of these errors must be there and fit.

    :param why_not: says why an error does not fit
    :raises Refused: naming those that do not, and those that are not there
    """
    reasons = {row.id: why_not(row) for row in store.iter_errors(ErrorFilter(ids=ids))}
    refuse_all(reasons[number] if number in reasons else not_there(number) for number in sorted(set(ids)))


def nothing_fits(store: Store, filter: ErrorFilter, wanted: str) -> Refused:
    """Why a filter leads to nothing.

    :param wanted: what could have been done with the errors, for example `be retried`
    """
    states = {group.values["state"]: group.count for group in store.error_groups(["state"], filter)}
    if not states:
        return Refused(f"no error matches: {describe(filter)}. Nothing was changed.")
    found = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    queued = store.count_claimed(filter)
    in_replays = f" ({queued} of them queued in a replay already)" if queued else ""
    return Refused(
        f"{sum(states.values())} errors match, and none of them can {wanted} now: {found}{in_replays}. "
        "Nothing was changed. What is held needs `airflow-flux errors approve`; what is resolved, superseded or "
        "discarded is over."
    )


def describe(filter: ErrorFilter) -> str:
    """The filter in words."""
    parts = []
    if filter.ids is not None:
        numbers = ", ".join(str(number) for number in sorted(filter.ids))
        parts.append(f"{'errors' if len(filter.ids) > 1 else 'error'} {numbers}")
    if filter.run is not None:
        parts.append(f"run {filter.run.run_id}")
    for name in ("flow", "code", "category", "field", "connector", "mapping", "key", "since", "until"):
        value = getattr(filter, name)
        if value is not None:
            parts.append(f"{name} {value}")
    text = ", ".join(parts) or "every error"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_flux.store import Store
from airflow_provider_flux.store.outcomes import count_ranges
from airflow_provider_flux.store.rows import Counts, Outcome, Run
from tests.unit.store.data import SHA, failed, written

RANGES = st.builds(
    lambda bucket, reason, first, length: Outcome(bucket, reason, first, first + length),
    st.sampled_from(["written", "failed", "held"]),
    st.sampled_from(["x", "y"]),
    st.integers(0, 40),
    st.integers(0, 10),
)


def test_the_chain_of_transform_and_write_is_counted_together(store: Store, run: Run) -> None:
    store.record_transform(run, 0, 0, [failed(2), Outcome("skipped", "filtered", 3, 4)], [], 1)
    store.record_transform(run, 0, 1, [Outcome("skipped", "filtered", 9, 9)], [], 1)
    store.ack(run, 0, 0, SHA, [written(0, 1), written(5, 8)], [], [], 1)
    assert store.count(run, 0, 0) == Counts(
        {"written": 6, "failed": 1, "skipped": 3},
        {("written", "created"): 6, ("failed", "INVALID_EMAIL"): 1, ("skipped", "filtered"): 3},
    )


def test_only_the_epochs_of_the_chain_count(store: Store, run: Run) -> None:
    store.record_transform(run, 0, 0, [failed(0)], [], 1)
    store.record_transform(run, 1, 0, [failed(1)], [], 1)
    store.ack(run, 1, 0, SHA, [written(2, 3)], [], [], 1)
    store.ack(run, 2, 0, SHA, [written(2, 2)], [], [], 1)
    other = store.start_run("contacts", "run-2", "manual", "contacts")
    store.record_transform(other, 1, 0, [failed(7)], [], 1)
    assert store.count(run, 1, 1).buckets == {"failed": 1, "written": 2}
    assert store.count(run, 1, None).buckets == {"failed": 1}
    assert store.count(run, None, 2).buckets == {"written": 1}
    assert store.count(run, None, None) == Counts()
    assert store.count(run, 5, 5) == Counts()


def test_a_record_in_two_buckets_is_counted_once_and_reported(store: Store, run: Run) -> None:
    store.record_transform(run, 0, 0, [failed(3)], [], 1)
    store.ack(run, 0, 0, SHA, [written(0, 9)], [], [], 1)
    counts = store.count(run, 0, 0)
    assert counts.buckets == {"written": 10}
    assert counts.overlaps == ((3, 3),)


def test_more_outcomes_than_fit_a_page_are_counted(store: Store, run: Run) -> None:
    store.record_transform(run, 0, 0, [failed(ordinal) for ordinal in range(0, 5000, 2)], [], 1)
    store.ack(run, 0, 0, SHA, [written(ordinal, ordinal) for ordinal in range(1, 5000, 2)], [], [], 1)
    counts = store.count(run, 0, 0)
    assert counts.buckets == {"failed": 2500, "written": 2500}
    assert counts.overlaps == ()


@given(st.lists(RANGES, max_size=30))
def test_ranges_count_as_single_ordinals_do(ranges: list[Outcome]) -> None:
    ordered = sorted(ranges, key=lambda one: (one.first, one.last))
    seen: dict[int, Outcome] = {}
    twice: set[int] = set()
    for outcome in ordered:
        for ordinal in range(outcome.first, outcome.last + 1):
            if ordinal in seen:
                twice.add(ordinal)
            seen.setdefault(ordinal, outcome)
    counts = count_ranges(ordered)
    assert counts.buckets == Counter(outcome.bucket for outcome in seen.values())
    assert counts.reasons == Counter((outcome.bucket, outcome.reason) for outcome in seen.values())
    assert {one for first, last in counts.overlaps for one in range(first, last + 1)} == twice


def test_a_million_overlaps_are_reported_in_short() -> None:
    twice = (outcome for ordinal in range(0, 2000, 2) for outcome in [written(ordinal, ordinal)] * 2)
    counts = count_ranges(twice)
    assert counts.buckets == {"written": 1000}
    assert len(counts.overlaps) == 100

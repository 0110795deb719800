"""Shapes of what flows read, kept for as long as they are compared."""

from __future__ import annotations

import json

from airflow_provider_flux.store import Store


def keep(store: Store, run_id: str, *, flow: str = "sync", source: str = "s", baseline: str | None = None) -> None:
    shape = json.dumps({"records": 1, "fields": {"phone": {"seen": 1, "example": "+49 30 1"}}})
    store.keep_shape(flow, source, run_id, records=1, shape=shape, drift=["phone is gone"], baseline=baseline)


def test_a_run_has_one_shape_however_often_it_was_read(store: Store) -> None:
    keep(store, "r1")
    keep(store, "r1")
    assert len(store.last_shapes("s", 10)) == 1
    found = store.shape_of_run("sync", "r1")
    assert found is not None
    assert json.loads(found.drift or "") == ["phone is gone"]
    assert store.shape_of_run("sync", "r2") is None


def test_the_baseline_stays_until_another_one_is_given(store: Store) -> None:
    assert store.baseline("sync", "s") is None
    keep(store, "r1", baseline="{}")
    keep(store, "r2")
    first = store.baseline("sync", "s")
    assert first is not None
    assert (first.run_id, first.shape) == ("r1", "{}")
    newest = store.last_shapes("s", 1)[0]
    store.set_baseline(newest, "sync")
    second = store.baseline("sync", "s")
    assert second is not None
    assert (second.run_id, second.shape) == ("r2", newest.shape)
    assert store.baseline("other", "s") is None


def test_the_last_shapes_of_a_source_are_those_of_all_flows_that_read_it(store: Store) -> None:
    keep(store, "r1", flow="one")
    keep(store, "r2", flow="two")
    keep(store, "r3", flow="three", source="another")
    assert [row.run_id for row in store.last_shapes("s", 10)] == ["r2", "r1"]


def test_only_the_last_runs_of_a_flow_keep_theirs(store: Store) -> None:
    keep(store, "first", baseline="{}")
    for number in range(30):
        keep(store, f"r{number}")
    kept = [row.run_id for row in store.last_shapes("s", 100)]
    assert kept == [f"r{number}" for number in range(29, 9, -1)]
    assert store.baseline("sync", "s") is not None


def test_examples_go_with_the_other_data_of_customers(store: Store) -> None:
    keep(store, "r1")
    assert store.purge_shapes("2000-01-01T00:00:00.000000Z") == 0
    assert store.purge_shapes("2999-01-01T00:00:00.000000Z") == 1
    assert store.purge_shapes("2999-01-01T00:00:00.000000Z") == 0
    found = store.shape_of_run("sync", "r1")
    assert found is not None
    assert json.loads(found.shape)["fields"]["phone"] == {"seen": 1, "example": None}

"""Every filter and grouping, compared with what plain Python makes of the same rows."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import create_engine, func, select, text

from airflow_provider_flux.errors import RecordError
from airflow_provider_flux.store import Store, open_store
from airflow_provider_flux.store.causes import any_index
from airflow_provider_flux.store.error_rows import STATES, UNSETTLED
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import ErrorRow, NewError, Run
from airflow_provider_flux.store.tables import errors
from tests.unit.store.conftest import EightProcesses
from tests.unit.store.data import NASTY, error

CODES = ("INVALID_EMAIL", "INVALID_FORMAT", "RATE_LIMIT_EXCEEDED", "TRANSFORM_FAILED")
FIELDS = ("email", "phone", "lines[0].sku", "lines[1].sku", "lines[*].sku", None)
CONNECTORS = ("rest", "sql", None)
MAPPINGS = ("contacts", "orders@3")
KEYS = ("a", "b", "x" * 600, NASTY, None)

TESTS: dict[str, Callable[[ErrorRow, Any], bool]] = {
    "run": lambda row, run: row.run == run.id,
    "flow": lambda row, flow: row.flow == flow,
    "state": lambda row, state: row.state in ((state,) if isinstance(state, str) else state),
    "code": lambda row, code: row.code == code,
    "category": lambda row, category: row.category == category,
    "field": lambda row, field: field in (row.field or row.source_path, any_index(row.field or row.source_path or "")),
    "connector": lambda row, connector: row.connector == connector,
    "mapping": lambda row, mapping: row.mapping == mapping,
    "since": lambda row, since: row.occurred_at >= since,
    "until": lambda row, until: row.occurred_at < until,
    "fingerprint": lambda row, fingerprint: row.fingerprint == fingerprint,
    "ids": lambda row, ids: row.id in ids,
}


@pytest.fixture
def dice() -> random.Random:
    return random.Random(11)


@pytest.fixture
def rows(store: Store, dice: random.Random) -> list[ErrorRow]:
    """Three hundred errors of six runs of three flows, in every state."""
    for number in range(6):
        run = store.start_run(f"flow_{number % 3}", f"run-{number}", "scheduled", dice.choice(MAPPINGS))
        store.record_transform(run, 0, 0, [], [_error(dice, ordinal) for ordinal in range(50)], 1)
    return store.errors()


def _error(dice: random.Random, ordinal: int) -> NewError:
    answer = RecordError(dice.choice(CODES), "no", dice.choice(FIELDS), dice.choice(["properties.x", None]))
    return NewError(
        ordinal,
        dice.choice(KEYS),
        None,
        answer,
        "{}",
        state=dice.choice(STATES),
        stage=dice.choice(["read", "transform"]),
        connector=dice.choice(CONNECTORS),
    )


def _some_filter(dice: random.Random, rows: list[ErrorRow], runs: list[Run]) -> dict[str, Any]:
    times = sorted({row.occurred_at for row in rows})
    possible: dict[str, Any] = {
        "run": dice.choice(runs),
        "flow": dice.choice(["flow_0", "flow_1", "flow_9"]),
        "state": dice.choice(["open", "held", UNSETTLED, ["resolved", "discarded"], [], NASTY]),
        "code": dice.choice([*CODES, NASTY]),
        "category": dice.choice(["data", "connection", "mapping"]),
        "field": dice.choice([*(field for field in FIELDS if field), "properties.x", "lines[7].sku"]),
        "connector": dice.choice(["rest", "sql", "nothing"]),
        "mapping": dice.choice(["contacts", "orders"]),
        "since": dice.choice(times),
        "until": dice.choice(times),
        "fingerprint": dice.choice(rows).fingerprint,
        "ids": [row.id for row in dice.sample(rows, 100)],
    }
    return {name: possible[name] for name in dice.sample(list(possible), dice.choice([0, 1, 1, 2, 2, 3]))}


def _matching(rows: list[ErrorRow], wanted: dict[str, Any]) -> list[ErrorRow]:
    return [row for row in rows if all(TESTS[name](row, value) for name, value in wanted.items())]


def test_every_filter_finds_what_python_finds(store: Store, rows: list[ErrorRow], dice: random.Random) -> None:
    runs = store.runs(limit=None)
    found = 0
    for _ in range(50):
        wanted = _some_filter(dice, rows, runs)
        expected = [row.id for row in _matching(rows, wanted)]
        filter = ErrorFilter(**wanted)
        assert [row.id for row in store.errors(filter)] == expected, wanted
        assert [row.id for row in store.iter_errors(filter)] == expected, wanted
        assert store.count_errors(filter) == len(expected), wanted
        limit, offset = dice.choice([1, 5, 1000]), dice.choice([0, 0, 3])
        assert [row.id for row in store.errors(filter, limit=limit, offset=offset)] == expected[offset:][:limit]
        newest = store.errors(filter, limit=limit, offset=offset, newest_first=True)
        assert [row.id for row in newest] == expected[::-1][offset:][:limit], wanted
        found += bool(expected)
    assert found > 20


def test_every_grouping_counts_what_python_counts(store: Store, rows: list[ErrorRow], dice: random.Random) -> None:
    runs = store.runs(limit=None)
    names = ("code", "category", "field", "source_path", "stage", "flow", "connector", "mapping", "state", "run_id")
    for _ in range(25):
        wanted, by = _some_filter(dice, rows, runs), dice.sample(names, dice.choice([1, 2, 3]))
        matching = _matching(rows, wanted)
        groups = store.error_groups(by, ErrorFilter(**wanted))
        assert {tuple(group.values.values()): group.count for group in groups} == Counter(
            tuple(_grouped_value(row, name) for name in by) for row in matching
        ), (wanted, by)
        assert [group.count for group in groups] == sorted((group.count for group in groups), reverse=True)
        for group in groups:
            same = [row for row in matching if all(_grouped_value(row, name) == group.values[name] for name in by)]
            assert (group.first_seen, group.last_seen) == (same[0].occurred_at, same[-1].occurred_at)
            assert group.example == same[-1]
            assert list(group.values) == by


def _grouped_value(row: ErrorRow, name: str) -> Any:
    value = getattr(row, name)
    return any_index(value) if name in ("field", "source_path") and value is not None else value


def test_the_path_is_the_target_field_or_where_it_came_from(store: Store, rows: list[ErrorRow]) -> None:
    groups = store.error_groups(["path"])
    assert {group.values["path"] for group in groups} == {"email", "phone", "lines[*].sku", "properties.x", None}
    assert store.error_values("field") == ["email", "lines[*].sku", "phone", "properties.x"]
    assert store.error_values("connector") == ["rest", "sql"]


def test_a_record_is_found_by_its_key_as_people_know_it(store: Store, rows: list[ErrorRow]) -> None:
    for key in ("a", "x" * 600, NASTY):
        found = store.errors(ErrorFilter(key=key))
        of_one_flow = store.errors(ErrorFilter(key=key, flow="flow_0", state=UNSETTLED))
        assert of_one_flow == [row for row in found if row.flow == "flow_0" and row.state in UNSETTLED]
        assert {row.flow for row in found} == {"flow_0", "flow_1", "flow_2"}
        assert len({row.source_key for row in found}) == 1
    assert store.count_errors(ErrorFilter(key="nobody")) == 0


def test_a_page_beyond_the_newest_errors_is_the_same_as_among_them(store: Store) -> None:
    run = store.start_run("contacts", "run-1", "scheduled", "contacts")
    store.record_transform(run, 0, 0, [], [error(0, "old", code="INVALID_FORMAT")], 1)
    for batch in range(1, 12):
        store.record_transform(run, 0, batch, [], [error(500 * batch + place, "k") for place in range(500)], 1)
    [old] = store.errors(ErrorFilter(code="INVALID_FORMAT"), limit=5, newest_first=True)
    assert old.source_key == "old"
    assert [row.id for row in store.errors(limit=2, offset=5498, newest_first=True)] == [3, 2]
    assert [row.id for row in store.errors(limit=9, offset=5500, newest_first=True)] == [1]
    assert [row.id for row in store.errors(limit=2, offset=5499)] == [5500, 5501]


@pytest.mark.parametrize(
    "wanted",
    [
        {"state": UNSETTLED},
        {"flow": "contacts"},
        {"code": "INVALID_EMAIL", "state": "open"},
        {"field": "email", "connector": "rest"},
        {"mapping": "contacts", "category": "data"},
        {"key": "a"},
        {"ids": list(range(200)), "state": UNSETTLED},
    ],
    ids=lambda wanted: " ".join(wanted),
)
def test_sqlite_finds_errors_by_an_index(sqlite_url: str, wanted: dict[str, Any]) -> None:
    filter = ErrorFilter(**wanted)
    statements = [
        select(errors.c.id).where(*filter.conditions()),
        select(errors.c.fingerprint, func.count()).where(*filter.conditions()).group_by(errors.c.fingerprint),
    ]
    engine = create_engine(sqlite_url, future=True)
    with engine.connect() as connection:
        for statement in statements:
            compiled = statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
            [plan, *_] = [row[3] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {compiled}"))]
            expected = "INTEGER PRIMARY KEY" if "ids" in wanted else "flux_errors_key" if "key" in wanted else "found"
            assert plan.startswith("SEARCH flux_errors USING")
            assert expected in plan
    engine.dispose()


def test_processes_that_meet_the_same_new_causes_at_once_all_get_their_errors(
    store_url: str, eight: EightProcesses
) -> None:
    assert eight.run(_fail_everywhere, store_url) == [200] * 8
    with open_store(store_url) as store:
        assert store.count_errors() == 1600
        assert {group.count for group in store.error_groups(["field"])} == {8}


def _fail_everywhere(url: str, number: int) -> int:
    fields = [f"field_{place}" for place in range(200)]
    random.Random(number).shuffle(fields)
    with open_store(url) as store:
        run = store.start_run("contacts", f"run-{number}", "scheduled", "contacts")
        store.record_transform(run, 0, 0, [], [error(place, field=field) for place, field in enumerate(fields)], 1)
        return store.count_errors(ErrorFilter(run=run))

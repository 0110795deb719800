"""Eight processes write to one store at once, and nothing is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select, update

from airflow_provider_flux.connectors.cursor import canonical
from airflow_provider_flux.store import Store, open_store
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import Run
from airflow_provider_flux.store.tables import runs
from tests.unit.store.conftest import PROCESSES, EightProcesses
from tests.unit.store.data import SHA, error, failed, link, written

ROUNDS = 12


def write(url: str, number: int) -> int:
    """Acknowledges batches of one shared run, with an error each, and moves one shared cursor; how often it moved."""
    with open_store(url) as store:
        run = store.start_run("contacts", "run-1", "scheduled", "contacts")
        moved = 0
        for turn in range(ROUNDS):
            batch = turn * PROCESSES + number
            first = batch * 10
            store.mark_sent(run, 0, batch, SHA, 1)
            links = [link(f"key-{first + index}") for index in range(9)] + [link("shared", f"{batch:09d}")]
            store.ack(run, 0, batch, SHA, [written(first, first + 8), failed(first + 9)], [error(first + 9)], links, 1)
            moved += store.move_cursor("contacts", canonical(batch, "integer") or "", "run-1")
        return moved


def attempt(url: str, number: int) -> None:
    """Counts itself as an attempt of one shared stage: each reads what the others wrote, and adds one."""
    with open_store(url) as store:
        run = store.start_run("contacts", "run-2", "scheduled", "contacts")
        for _ in range(ROUNDS):
            store.start_stage(run, "write", 0)


def read_then_write(url: str, number: int) -> None:
    """Counts a shared run up in the way that loses updates unless the lock is taken before the reading."""
    with open_store(url) as store:
        for _ in range(ROUNDS):
            with store._database.writing() as connection:
                (count,) = connection.execute(select(runs.c.read).where(runs.c.run_id == "run-1")).one()
                connection.execute(update(runs).where(runs.c.run_id == "run-1").values(read=(count or 0) + 1))


def test_on_sqlite_the_right_to_write_is_taken_before_the_first_reading(sqlite_url: str, eight: EightProcesses) -> None:
    with open_store(sqlite_url) as store:
        store.start_run("contacts", "run-1", "scheduled", "contacts")
        eight.run(read_then_write, sqlite_url)
        (run,) = store.runs()
        assert run.read == PROCESSES * ROUNDS


def test_eight_processes_count_to_exactly_n(store_url: str, eight: EightProcesses) -> None:
    moves = eight.run(write, store_url)
    eight.run(attempt, store_url)
    total = PROCESSES * ROUNDS
    with open_store(store_url) as store:
        (second, run) = store.runs("contacts")
        assert second.run_id == "run-2"
        assert store.batch_states(run, 0) == dict.fromkeys(range(total), ("acked", SHA))
        counts = store.count(run, None, 0)
        assert counts.buckets == {"written": 9 * total, "failed": total}
        assert counts.overlaps == ()
        assert sorted(row.ordinal for row in store.iter_errors(ErrorFilter(run=run))) == list(range(9, 10 * total, 10))
        assert len(store.links("contacts", [f"key-{number}" for number in range(10 * total)])) == 9 * total
        assert store.links("contacts", ["shared"])["shared"].version == f"{total - 1:09d}"
        assert store.cursor("contacts") == canonical(total - 1, "integer")
        assert 0 < sum(moves) <= total
        stage = store.stage(second, "write", 0)
        assert stage is not None
        assert stage.attempts == total


def test_threads_of_one_process_share_a_store(store: Store, run: Run) -> None:
    def work(batch: int) -> None:
        store.mark_sent(run, 0, batch, SHA, 1)
        store.ack(run, 0, batch, SHA, [written(batch, batch)], [], [link(f"key-{batch}")], 1)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(64)))
    assert store.count(run, None, 0).buckets == {"written": 64}

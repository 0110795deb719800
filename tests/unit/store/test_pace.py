"""The log of calls that all tasks share, on both databases, and the same log in one process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from airflow_provider_flux.store import Store, open_store
from airflow_provider_flux.transport.ledger import LocalBook
from airflow_provider_flux.transport.pace import Limit
from airflow_provider_flux.transport.shared import PaceBook
from tests.sql import execute
from tests.unit.store.conftest import EightProcesses

TEN = (Limit(10, 3600),)
QUICK = (Limit(10, 0.2),)


@pytest.fixture(params=["sqlite", "postgres", "process"])
def book(request: pytest.FixtureRequest) -> Iterator[PaceBook]:
    """Every way to keep the log."""
    if request.param == "process":
        yield LocalBook()
        return
    with open_store(request.getfixturevalue(f"{request.param}_url")) as store:
        yield store


def test_calls_are_reserved_up_to_the_limit(book: PaceBook) -> None:
    assert book.take_calls("crm", "a", TEN, 6, 60).calls == 6
    assert book.take_calls("crm", "b", TEN, 6, 60).calls == 4
    refused = book.take_calls("crm", "c", TEN, 6, 60)
    assert refused.calls == 0
    assert refused.wait > 3500


def test_another_connection_has_its_own_calls(book: PaceBook) -> None:
    book.take_calls("crm", "a", TEN, 10, 60)
    if not isinstance(book, LocalBook):  # that one belongs to one connection
        assert book.take_calls("erp", "b", TEN, 10, 60).calls == 10


def test_all_limits_are_kept_at_once(book: PaceBook) -> None:
    both = (Limit(10, 3600), Limit(4, 60))
    assert book.take_calls("crm", "a", both, 9, 60).calls == 4
    refused = book.take_calls("crm", "b", both, 1, 60)
    assert refused.calls == 0
    assert 55 < refused.wait <= 60  # the hour has calls left, the minute has none
    assert book.take_calls("crm", "c", TEN, 9, 60).calls == 6


def test_what_was_not_used_is_free_again(book: PaceBook) -> None:
    book.take_calls("crm", "a", TEN, 10, 60)
    book.give_back("crm", "a", used=3)
    assert book.take_calls("crm", "b", TEN, 10, 60).calls == 7
    book.give_back("crm", "b", used=0)
    assert book.take_calls("crm", "c", TEN, 10, 60).calls == 7


def test_calls_count_for_their_span_after_the_answer(book: PaceBook) -> None:
    book.take_calls("crm", "a", QUICK, 10, 60)
    time.sleep(0.25)  # they may be on their way all the time
    assert book.take_calls("crm", "b", QUICK, 10, 60).calls == 0
    book.give_back("crm", "a", used=10)
    refused = book.take_calls("crm", "c", QUICK, 10, 60)
    assert (refused.calls, 0 < refused.wait <= 0.2) == (0, True)
    time.sleep(refused.wait + 0.01)
    assert book.take_calls("crm", "d", QUICK, 10, 60).calls == 10


def test_the_calls_of_a_dead_process_count_for_a_while_and_no_longer(book: PaceBook) -> None:
    book.take_calls("crm", "dead", QUICK, 10, 0.1)
    assert book.take_calls("crm", "a", QUICK, 1, 0.1).calls == 0
    time.sleep(0.35)
    assert book.take_calls("crm", "b", QUICK, 10, 0.1).calls == 10
    book.give_back("crm", "dead", used=10)  # it was only very slow: nothing breaks


def test_nobody_waits_for_a_clock_that_was_set_back(store: Store, store_url: str) -> None:
    store.take_calls("crm", "a", TEN, 10, 60)
    execute(store_url, "UPDATE flux_pace SET until = until + 86400")
    assert store.take_calls("crm", "b", TEN, 10, 60).calls == 10


def test_what_counts_no_more_is_deleted(store: Store, store_url: str) -> None:
    for number in range(5):
        store.take_calls("crm", f"block {number}", QUICK, 2, 60)
        store.give_back("crm", f"block {number}", used=2)
    time.sleep(0.25)
    store.take_calls("crm", "last", QUICK, 1, 60)
    assert execute(store_url, "SELECT count(*) FROM flux_pace") == 1


def test_threads_together_never_get_more_than_there_is(book: PaceBook) -> None:
    limits = (Limit(100, 3600),)
    numbers = iter(range(1000))
    lock = threading.Lock()

    def take(_: int) -> int:
        with lock:
            name = f"block {next(numbers)}"
        return book.take_calls("crm", name, limits, 7, 60).calls

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(40))) == 100


def test_processes_together_never_get_more_than_there_is(eight: EightProcesses, store_url: str) -> None:
    taken = eight.run(_take_many, store_url)
    assert sum(taken) == 100
    assert execute(store_url, "SELECT sum(calls) FROM flux_pace") == 100


def _take_many(url: str, number: int) -> int:
    with open_store(url) as store:
        blocks = [store.take_calls("crm", f"{number}-{block}", (Limit(100, 3600),), 3, 60) for block in range(10)]
    return sum(block.calls for block in blocks)

"""When the database cannot do it: what is stored, what is said, and whether a retry may help."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from airflow_provider_flux.connectors.contract import Window, WriteItem, Written
from airflow_provider_flux.errors import BatchRejected, FluxError, OutcomeUnknown

Person = Callable[..., WriteItem]


def test_an_unknown_table_is_named_with_those_like_it(people: Any, person: Person) -> None:
    for work in (lambda: people.write([person(1)], table="peple"), lambda: people.read(table="peple")):
        with pytest.raises(FluxError) as caught:
            work()
        assert caught.value.code == "NOT_FOUND"
        assert caught.value.message == "connection 'db': the database has no table 'peple' (did you mean 'people'?)"


def test_an_unknown_schema_is_named(people: Any, person: Person) -> None:
    with pytest.raises(FluxError, match="has no schema 'crm'") as caught:
        people.write([person(1)], table="crm.people")
    assert caught.value.code == "NOT_FOUND"


def test_an_unknown_target_column_stops_before_anything_is_written(people: Any, person: Person) -> None:
    with pytest.raises(FluxError) as caught:
        people.write([person(1), person(2, emial="x")], table="people")
    assert caught.value.code == "FIELD_NOT_FOUND"
    assert "'emial'" in caught.value.message
    assert "did you mean 'email'?" in caught.value.message
    assert not caught.value.transient
    assert people.rows("SELECT count(*) FROM people") == [(0,)]


def test_an_unknown_key_column_is_named(people: Any, person: Person) -> None:
    with pytest.raises(FluxError, match="the flow's `key` names 'ident'"):
        people.write([person(1)], table="people", key="ident")


def test_a_key_without_a_unique_index_says_what_to_create(place: Any) -> None:
    place.run("CREATE TABLE t (id INTEGER, name TEXT)")
    with pytest.raises(FluxError) as caught:
        place.write([WriteItem({"id": 1, "name": "a"})], table="t")
    assert caught.value.code == "BAD_REQUEST"
    assert "unique index" in caught.value.next_step


def test_a_deferred_constraint_refuses_the_batch_as_a_whole(place: Any) -> None:
    place.run(
        "CREATE TABLE firms (id INTEGER PRIMARY KEY);"
        "CREATE TABLE staff (id INTEGER PRIMARY KEY,"
        " firm INTEGER REFERENCES firms (id) DEFERRABLE INITIALLY DEFERRED)"
    )
    with pytest.raises(BatchRejected) as caught:
        place.write([WriteItem({"id": 1, "firm": 99})], table="staff")
    assert caught.value.error.code == "REFERENCE_MISSING"
    assert place.rows("SELECT count(*) FROM staff") == [(0,)]


def test_a_deadlock_is_tried_again(pg_place: Any) -> None:
    pg_place.run("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO t VALUES (1, 0), (2, 0)")
    verdicts: list[Any] = []

    def flux() -> None:
        items = [WriteItem({"id": 1, "n": 1}), WriteItem({"id": 2, "n": 1})]
        verdicts.extend(pg_place.write(items, table="t"))

    with pg_place.engine.connect() as other:
        other.execute(sa.text("UPDATE t SET n = 5 WHERE id = 2"))
        thread = threading.Thread(target=flux)
        thread.start()
        while not pg_place.rows("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            time.sleep(0.01)
        # Flux holds row 1 and waits for row 2. It waited first, so PostgreSQL ends its transaction.
        other.execute(sa.text("UPDATE t SET n = 5 WHERE id = 1"))
        other.commit()
        thread.join()
    assert verdicts == [Written(), Written()]
    assert pg_place.rows("SELECT n FROM t") == [(1,), (1,)]


@pytest.mark.parametrize(("one_try", "tries"), [(False, 4), (True, 1)])
def test_a_transaction_that_always_loses_is_tried_a_few_times_or_once_if_the_caller_says_so(
    pg_place: Any, one_try: bool, tries: int
) -> None:
    pg_place.run("CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE SEQUENCE tries")
    with pg_place.engine.begin() as connection:
        # What a sequence counted stays counted when the transaction is rolled back.
        connection.exec_driver_sql(
            "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " PERFORM nextval('tries'); RAISE EXCEPTION 'lost' USING ERRCODE = '40001'; END $$"
        )
        connection.exec_driver_sql("CREATE TRIGGER t BEFORE INSERT ON t EXECUTE FUNCTION lose()")
    pg_place.credentials = replace(pg_place.credentials, one_try=one_try)
    with pytest.raises(FluxError) as caught:
        pg_place.write([WriteItem({"id": 1})], table="t")
    assert caught.value.code == "DESTINATION_OUTAGE"
    assert pg_place.rows("SELECT last_value FROM tries") == [(tries,)]


def test_sqlite_waits_for_another_writer(sqlite_place: Any) -> None:
    sqlite_place.run("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    verdicts: list[Any] = []
    with sqlite_place.engine.connect() as other:
        other.exec_driver_sql("BEGIN IMMEDIATE")
        thread = threading.Thread(target=lambda: verdicts.extend(sqlite_place.write([WriteItem({"id": 1})], table="t")))
        thread.start()
        time.sleep(0.3)
        assert verdicts == []
        other.commit()
        thread.join()
    assert verdicts == [Written()]


@pytest.mark.parametrize("mode", ["upsert", "create"])
def test_a_connection_lost_before_commit_stores_nothing_and_may_be_retried(pg_place: Any, mode: str) -> None:
    pg_place.run("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    pg_place.run("INSERT INTO t VALUES (1)")
    failures: list[FluxError] = []

    def flux() -> None:
        with pytest.raises(FluxError) as caught:
            pg_place.write([WriteItem({"id": 1}), WriteItem({"id": 2})], table="t", mode=mode)
        failures.append(caught.value)

    with pg_place.engine.connect() as other:
        other.execute(sa.text("DELETE FROM t WHERE id = 1"))
        thread = threading.Thread(target=flux)
        thread.start()
        waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        while not (pids := pg_place.rows(waiting)):
            time.sleep(0.01)
        pg_place.rows("SELECT pg_terminate_backend(:pid)", pid=pids[0][0])
        thread.join()
        other.rollback()
    assert failures[0].transient
    assert not isinstance(failures[0], OutcomeUnknown)
    assert pg_place.rows("SELECT id FROM t") == [(1,)]


class CuttingProxy:
    """Stands before a PostgreSQL server and, once it is armed, cuts the line when a client says COMMIT.

    :param deliver: whether the server still gets to hear it
    """

    def __init__(self, socket_path: str, *, deliver: bool) -> None:
        self._server = socket_path
        self._deliver = deliver
        self.armed = False
        self._cut = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._sockets: list[socket.socket] = []
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            self._sockets += [client, server]
            for source, target, cutting in ((client, server, True), (server, client, False)):
                thread = threading.Thread(target=self._pump, args=(source, target, cutting), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _pump(self, source: socket.socket, target: socket.socket, from_client: bool) -> None:
        while True:
            try:
                data = source.recv(65536)
                commits = from_client and self.armed and b"COMMIT\x00" in data
                self._cut = self._cut or commits
                # Once a COMMIT was seen the client hears no more of it.
                if data and ((self._deliver and from_client) or not self._cut):
                    target.sendall(data)
                if commits:
                    time.sleep(0.3)  # the server commits meanwhile
                if not data or commits:
                    source.shutdown(socket.SHUT_RDWR)
                    target.shutdown(socket.SHUT_RDWR)
                    return
            except OSError:
                return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for each in self._sockets:
            each.close()


@pytest.fixture(params=[True, False], ids=["committed", "not committed"])
def cut_commit(request: pytest.FixtureRequest, pg_place: Any, pg: Any) -> Iterator[tuple[Any, CuttingProxy, bool]]:
    """A database that is reached through a proxy which cuts COMMITs; whether they are carried out."""
    pg_place.run("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    proxy = CuttingProxy(f"{pg.socket}/.s.PGSQL.5432", deliver=request.param)
    url = pg_place.engine.url.set(host="127.0.0.1", port=proxy.port).update_query_dict(
        {"host": "127.0.0.1", "port": str(proxy.port), "sslmode": "disable", "gssencmode": "disable"}
    )
    credentials = replace(pg_place.credentials, extra={"url": url.render_as_string(hide_password=False)})
    yield replace(pg_place, credentials=credentials), proxy, request.param
    proxy.close()


def write_first_and_lose_second(place: Any, proxy: CuttingProxy, mode: str) -> FluxError:
    """Write one record, then another whose COMMIT is cut."""
    destination = place.destination(table="t", mode=mode)
    assert destination.write([WriteItem({"id": 1})]) == [Written()]
    proxy.armed = True
    try:
        with pytest.raises(FluxError) as caught:
            destination.write([WriteItem({"id": 2})])
    finally:
        destination.close()
    return caught.value


def test_a_lost_commit_of_an_insert_is_an_unknown_outcome(cut_commit: tuple[Any, CuttingProxy, bool]) -> None:
    place, proxy, committed = cut_commit
    error = write_first_and_lose_second(place, proxy, "create")
    assert isinstance(error, OutcomeUnknown)
    assert "COMMIT" in error.message
    assert place.rows("SELECT id FROM t") == ([(1,), (2,)] if committed else [(1,)])


def test_a_lost_commit_of_an_upsert_may_simply_be_sent_again(
    cut_commit: tuple[Any, CuttingProxy, bool], pg_place: Any
) -> None:
    place, proxy, _ = cut_commit
    error = write_first_and_lose_second(place, proxy, "upsert")
    assert error.transient
    assert not isinstance(error, OutcomeUnknown)
    assert pg_place.write([WriteItem({"id": 2})], table="t") == [Written()]
    assert place.rows("SELECT id FROM t ORDER BY id") == [(1,), (2,)]


def test_a_commit_that_the_database_refuses_is_no_unknown_outcome(pg_place: Any) -> None:
    pg_place.run("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    with pg_place.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = '53100'; END $$"
        )
        connection.exec_driver_sql(
            "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION full_disk()"
        )
    with pytest.raises(FluxError) as caught:
        pg_place.write([WriteItem({"id": 1})], table="t", mode="create")
    assert caught.value.code == "DESTINATION_OUTAGE"
    assert not isinstance(caught.value, OutcomeUnknown)
    assert pg_place.rows("SELECT id FROM t") == []


def test_a_user_without_the_right_to_write_is_told(pg_place: Any) -> None:
    role = f"reader_{pg_place.engine.url.database}"
    pg_place.run(f"CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE ROLE {role} LOGIN; GRANT SELECT ON t TO {role}")
    url = pg_place.engine.url.set(username=role).render_as_string(hide_password=False)
    reader = replace(pg_place, credentials=replace(pg_place.credentials, extra={"url": url}))
    with pytest.raises(FluxError) as caught:
        reader.write([WriteItem({"id": 1})], table="t")
    assert caught.value.code == "PERMISSION_DENIED"
    assert reader.records(Window(), table="t") == []


def test_a_source_that_goes_away_between_pages_is_a_transient_error(pg_place: Any) -> None:
    pg_place.run("CREATE TABLE t AS SELECT n AS id FROM generate_series(1, 100) n")
    source = pg_place.source(table="t", page_size=10)
    pages = source.read(Window())
    assert len(next(pages).records) == 10
    database = pg_place.engine.url.database
    pg_place.run(f"ALTER TABLE t RENAME TO moved_{database}")
    with pytest.raises(FluxError) as caught:
        next(pages)
    assert caught.value.code == "NOT_FOUND"
    source.close()

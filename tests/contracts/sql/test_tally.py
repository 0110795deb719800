"""What a SQL connection counts as a good call, and what as trouble."""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator
from dataclasses import replace

import pytest

from airflow_provider_flux.connectors.contract import Window, WriteItem
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.sql import Sql
from airflow_provider_flux.errors import FluxError, RecordError
from airflow_provider_flux.transport.tally import OK, OUTAGE, Tally
from tests.contracts.sql.conftest import Place
from tests.unit.transport.test_tally import numbers


def test_reads_and_writes_are_good_calls(people: Place, person: Callable[..., WriteItem]) -> None:
    destination = people.destination(table="people")
    destination.write([person(1), person(2)])
    source = people.source(table="people")
    assert sum(len(page.records) for page in source.read(Window())) == 2
    for tally in (destination.calls(), source.calls()):
        assert set(numbers(tally)) == {OK}
        assert tally.trouble is None and tally.good_at is not None
    destination.close()
    source.close()


def test_a_record_that_the_database_refuses_is_no_trouble_of_the_connection(
    people: Place, person: Callable[..., WriteItem]
) -> None:
    people.run("INSERT INTO people (id, email, name) VALUES (9, 'taken@example.com', 'Kim')")
    destination = people.destination(table="people")
    verdicts = destination.write([person(1, email="taken@example.com"), person(2)])
    assert [isinstance(verdict, RecordError) for verdict in verdicts] == [True, False]
    assert set(numbers(destination.calls())) == {OK}
    destination.close()


def test_a_reader_that_has_enough_is_no_trouble(people: Place, person: Callable[..., WriteItem]) -> None:
    people.write([person(number) for number in range(10)], table="people")
    source = people.source(table="people")
    pages = source.read(Window())
    next(pages)
    assert isinstance(pages, Generator)
    pages.close()
    source.close()
    assert source.calls().trouble is None


def test_a_table_that_is_not_there_is_a_mistake_in_the_flow(place: Place) -> None:
    source = place.source(table="nobody")
    with pytest.raises(FluxError):
        list(source.read(Window()))
    assert source.calls().trouble is None
    source.close()


def test_a_server_that_is_not_there_is_an_outage() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: refuses
        nowhere = Credentials("db", "postgres", "127.0.0.1", unused.getsockname()[1], "u", "s3cr3t-pw", "crm")
        tally = Tally()
        with pytest.raises(FluxError):
            Sql.test(nowhere, None, tally)
    assert numbers(tally) == {OUTAGE: 1}
    assert tally.trouble is not None and tally.trouble.code == "CONNECTION_TIMEOUT"
    assert "s3cr3t-pw" not in tally.trouble.message


def test_a_login_that_is_refused_is_auth_trouble(pg_place: Place) -> None:
    pg_place.run("DROP ROLE IF EXISTS nobody_here")
    url = str(pg_place.credentials.extra["url"]).replace("postgres@", "nobody_here@")
    tally = Tally()
    with pytest.raises(FluxError):
        Sql.test(replace(pg_place.credentials, extra={"url": url}), None, tally)
    assert numbers(tally) == {"auth": 1}

from __future__ import annotations

from airflow_provider_flux.connectors.cursor import canonical
from airflow_provider_flux.store import Store
from tests.unit.store.data import MONDAY, TUESDAY, WEDNESDAY


def test_a_flow_has_no_cursor_before_its_first_run(store: Store) -> None:
    assert store.cursor("contacts") is None


def test_the_cursor_moves_forward_only(store: Store) -> None:
    assert store.move_cursor("contacts", TUESDAY, "r1") is True
    assert store.move_cursor("contacts", MONDAY, "r2") is False
    assert store.move_cursor("contacts", TUESDAY, "r2") is False
    assert store.cursor("contacts") == TUESDAY
    assert store.move_cursor("contacts", WEDNESDAY, "r2") is True
    assert store.cursor("contacts") == WEDNESDAY


def test_every_flow_has_its_own_cursor(store: Store) -> None:
    store.move_cursor("contacts", TUESDAY, "r1")
    assert store.move_cursor("orders", MONDAY, "r1") is True
    assert store.cursor("contacts") == TUESDAY


def test_integer_cursors_move_as_numbers_do(store: Store) -> None:
    for value, moves in ((-5, True), (9, True), (10, True), (-6, False), (9, False)):
        assert store.move_cursor("contacts", canonical(value, "integer") or "", "r1") is moves


def test_text_cursors_move_as_python_sorts_whatever_the_locale_of_the_database(store: Store) -> None:
    values = sorted(["Z", "a", "É", "a-b", "ab", "_", "\U0001f600", "~", "\ufffd"])
    for value in values:
        assert store.move_cursor("contacts", value, "r1") is True
    for value in values:
        assert store.move_cursor("contacts", value, "r1") is False

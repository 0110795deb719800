from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from airflow_provider_flux.store.text import LONGEST_KEY, clean, now_text, stored_key

ANY_TEXT = st.text(st.characters(), max_size=40) | st.text(st.sampled_from("a\x00\udc80\\u0~é"), max_size=20)


def test_clean_leaves_ordinary_text_alone() -> None:
    assert clean("Zoë \\ 'x'") == "Zoë \\ 'x'"


def test_clean_writes_nul_and_surrogates_as_json_escapes() -> None:
    assert clean("a\x00b\udc80c") == "a\\u0000b\\udc80c"


@given(ANY_TEXT)
def test_clean_text_fits_both_databases(text: str) -> None:
    assert "\x00" not in clean(text)
    clean(text).encode("utf-8")


def test_ordinary_keys_are_stored_as_they_are() -> None:
    for key in ("1", "contact-é", '["a", "b"]', "x" * LONGEST_KEY, "é" * LONGEST_KEY):
        assert stored_key(key) == key


@given(ANY_TEXT, ANY_TEXT)
def test_two_keys_are_never_stored_alike(one: str, other: str) -> None:
    assume(one != other)
    assert stored_key(one) != stored_key(other)
    assert len(stored_key(one)) <= LONGEST_KEY


def test_a_key_that_looks_like_a_stored_form_is_stored_in_another_form() -> None:
    forged = stored_key("a\x00")
    assert forged.startswith("a\\u0000~")
    assert stored_key(forged) != forged


def test_long_keys_that_differ_at_their_end_are_told_apart() -> None:
    one, other = ("k" * 5000 + end for end in "ab")
    assert stored_key(one) != stored_key(other)
    assert len(stored_key(one)) <= LONGEST_KEY


def test_instants_have_microseconds_and_sort() -> None:
    first, second = now_text(), now_text()
    assert len(first) == len("2026-01-01T00:00:00.000000Z")
    assert first.endswith("Z")
    assert first <= second

"""JSON that is broken in one place is broken in one place only."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_flux.transport.answers import MAX_DEPTH, NotJson, decode, excerpt, kept, looks_like_html, mend
from airflow_provider_flux.transport.masking import Masker


def mended(body: bytes, content_type: str = "") -> Any:
    decoded = decode(body, content_type)
    assert not decoded.clean
    return mend(decoded.value)


def test_sound_json_is_clean_and_keeps_its_large_values() -> None:
    body = json.dumps({"nul": "a\x00b", "long": "x" * 1_000_000, "big": 10**30, "emoji": "😀"}).encode()
    decoded = decode(body)
    assert decoded.clean
    assert decoded.value == {"nul": "a\x00b", "long": "x" * 1_000_000, "big": 10**30, "emoji": "😀"}


@pytest.mark.parametrize(
    ("body", "record", "code", "path", "value"),
    [
        (b'{"a": {"b": NaN}}', {"a": {"b": None}}, "INVALID_ENCODING", "a.b", "NaN"),
        (b'{"a": [1, -Infinity]}', {"a": [1, None]}, "INVALID_ENCODING", "a[1]", "-Infinity"),
        (b'{"a": 1e400}', {"a": None}, "VALUE_OUT_OF_RANGE", "a", "1e400"),
        (b'{"a": "caf\xe9"}', {"a": "caf�"}, "INVALID_ENCODING", "a", "caf\\xe9"),
        (b'{"a": "x\\ud800y"}', {"a": "x�y"}, "INVALID_ENCODING", "a", "x\\ud800y"),
        (b'{"a": "\xed\xa0\x80"}', {"a": "���"}, "INVALID_ENCODING", "a", "\\xed\\xa0\\x80"),
        (b'{"\xff": 1}', {"�": 1}, "INVALID_ENCODING", "\\xff", "\\xff"),
    ],
)
def test_a_flaw_is_named_and_mended(body: bytes, record: Any, code: str, path: str, value: str) -> None:
    cleaned, flaw = mended(body)
    assert cleaned == record
    assert flaw is not None
    assert (flaw.code, flaw.source_path, flaw.value) == (code, path, value)


def test_a_number_of_thousands_of_digits_is_a_flaw() -> None:
    cleaned, flaw = mended(b'{"a": -' + b"1" * 5000 + b', "b": 2}')
    assert (cleaned, flaw.code) == ({"a": None, "b": 2}, "VALUE_OUT_OF_RANGE")


def test_raw_control_characters_and_a_byte_order_mark_are_read() -> None:
    assert mended(b'\xef\xbb\xbf{"a": "x\ty\nz"}') == ({"a": "x\ty\nz"}, None)


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"x":', b"}")])
def test_a_record_nested_beyond_reason_is_a_flaw_of_that_record(opening: bytes, closing: bytes) -> None:
    deep = opening * 50_000 + b"1" + closing * 50_000
    decoded = decode(b'[{"id": 1, "t": "[{\\"}]"}, {"id": 2, "a": %s, "z": 9}, {"id": 3}]' % deep)
    records = [mend(record) for record in decoded.value]
    assert [flaw.code if flaw else None for _, flaw in records] == [None, "INVALID_FORMAT", None]
    assert (records[0][0], records[2][0]) == ({"id": 1, "t": '[{"}]'}, {"id": 3})
    assert (records[1][0]["id"], records[1][0]["z"], records[1][1].source_path) == (2, 9, "a")


def test_nesting_within_reason_is_no_flaw() -> None:
    body = b'{"bad": NaN, "deep": ' + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b"}"
    assert mended(body)[1].source_path == "bad"
    assert mend({"deep": json.loads("[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1))})[1] is None


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "utf-32", "iso-8859-1", "windows-1252", "cp500"])
def test_what_is_no_utf_8_is_read_in_the_charset_that_it_declares(charset: str) -> None:
    body = '{"a": "Müller"}'.encode(charset)
    assert decode(body, f"application/json; charset={charset}").value == {"a": "Müller"}


@pytest.mark.parametrize("charset", ["utf-16", "utf-32", "latin-1", "base64", "zlib", "idna", "undefined", "x"])
def test_a_charset_that_is_not_the_bodys_harms_nothing(charset: str) -> None:
    content_type = f"application/json; charset={charset}"
    assert decode('{"a": "Müller"}'.encode(), content_type).value == {"a": "Müller"}
    assert decode('{"a": "Müller", "b": NaN}'.encode(), content_type).value["a"] == "Müller"
    for broken in (b'\xff\xfe{', b'{"a": "caf\xe9', b"\x00\x00\x00", b""):
        with pytest.raises(NotJson):
            decode(broken, content_type)


def test_a_declared_charset_is_obeyed() -> None:
    body = '{"a": "Müller"}'.encode("latin-1")
    assert mended(body, "application/json; charset=ISO-8859-1") == ({"a": "Müller"}, None)
    assert decode(b'{"a": 1}', "application/json; charset=no-such-thing").clean


@pytest.mark.parametrize(
    "body",
    [b"", b"  ", b'{"data": [1, 2', b"<html></html>", b"OK", b'{"a": 1,}', b"[" * 100_000, b'{"a": "x', b"\xff\xfe"],
)
def test_what_is_not_json_is_said(body: bytes) -> None:
    with pytest.raises(NotJson):
        decode(body)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        decoded = decode(body)
    except NotJson:
        return
    cleaned, flaw = mend(decoded.value)
    json.dumps(cleaned, allow_nan=False).encode()
    if decoded.clean:
        assert (cleaned, flaw) == (decoded.value, None)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_what_json_writes_is_read_back(value: Any) -> None:
    decoded = decode(json.dumps(value).encode())
    assert mend(decoded.value)[0] == value or not decoded.clean


def test_html_is_recognised() -> None:
    assert looks_like_html(b"\n <!DOCTYPE html><html>")
    assert looks_like_html(b"\xef\xbb\xbf<html lang=en>")
    assert not looks_like_html(b'{"a": "<html>"}')


def test_what_is_kept_of_an_answer_can_be_stored_and_holds_no_half_of_a_secret() -> None:
    assert excerpt(b"a\x00b\xff") == "a\\x00b�"
    secret = "s3cret-" * 3
    text = kept(b"x" * 3990 + secret.encode() * 500, Masker([secret]))
    assert "s3cret" not in text
    assert len(text) <= 4000

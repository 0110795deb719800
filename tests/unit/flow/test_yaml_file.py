"""The YAML that a flow file may consist of, and where the others are told that they may not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_flux.errors import ConfigError, Problem
from airflow_provider_flux.flow.yaml_file import MAX_BYTES, MAX_DEPTH, parse, read_file


def problems(content: str | bytes) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(content.encode() if isinstance(content, str) else content, "f.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_plain_scalars_are_typed_narrowly() -> None:
    text = """
    text: [yes, No, on, OFF, 2024-01-01, 12:30:00, 0123, 1_000, 0x1F, .inf, .nan, 1e999, -, a b, "true", '5']
    true: [true, True, TRUE]
    false: [false]
    nothing: [null, ~, ]
    numbers: [0, -3, +4, 1.5, .5, 5., 1e3, 123456789012345678901234567890]
    """
    data = parse(text.encode(), "f.yaml").data
    assert data["text"] == [
        *("yes", "No", "on", "OFF", "2024-01-01", "12:30:00", "0123", "1_000", "0x1F", ".inf", ".nan", "1e999"),
        *("-", "a b", "true", "5"),
    ]
    assert data["true"] == [True, True, True]
    assert data["false"] == [False]
    assert data["nothing"] == [None, None]
    assert data["numbers"] == [0, -3, 4, 1.5, 0.5, 5.0, 1000.0, 123456789012345678901234567890]
    assert [type(number) for number in data["numbers"][:3]] == [int, int, int]


def test_keys_are_always_text() -> None:
    assert parse(b"{1: a, true: b, null: c, 2024-01-01: d, no: e}", "f.yaml").data == {
        "1": "a",
        "true": "b",
        "null": "c",
        "2024-01-01": "d",
        "no": "e",
    }


def test_a_byte_order_mark_and_windows_line_ends_are_no_problem() -> None:
    assert parse(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", "f.yaml").data == {"a": 1, "b": 2}


def test_stars_and_exclamation_marks_in_text_are_neither_aliases_nor_tags() -> None:
    text = 'cron: "*/5 * * * *"\nfilter: record.a != 1 and !x\nb: {c: a *b & &c}\n'
    assert parse(text.encode(), "f.yaml").data == {
        "cron": "*/5 * * * *",
        "filter": "record.a != 1 and !x",
        "b": {"c": "a *b & &c"},
    }


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "f.yaml:1:1: the file is empty"),
        ("# only a comment\n", "f.yaml:1:1: the file is empty"),
        ("---\n", "f.yaml:1:1: the file is empty"),
        ("- a\n", "f.yaml:1:1: the file must consist of keys with values, for example `description: ...`"),
        ("a: 1\n\tb: 2\n", "f.yaml:2:1: the line is indented with a tab; use spaces"),
        ("a:\n  - 1\n b: 1", "f.yaml:3:2: this does not fit the lines above"),
        ("a:\n\t- 1\n", "f.yaml:2:1: the line is indented with a tab; use spaces"),
        ("a: |\n\ttext\n", "f.yaml:2:1: the line is indented with a tab; use spaces"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document begins (`---`); one file holds one document"),
        ("x: 1\na: &anchor 1\n", "f.yaml:2:4: the anchor `&anchor` is not allowed"),
        ("a: *alias\n", "f.yaml:1:4: the alias `*alias` is not allowed"),
        ("a: &a [*a]\n", "f.yaml:1:4: the anchor `&a` is not allowed"),
        ("a: &a [x, x]\nb: [*a, *a]\nc: &c [*b, *b]\n", "f.yaml:1:4: the anchor `&a` is not allowed"),
        ("a:\n  <<: {b: 1}\n", "f.yaml:2:3: a: merge keys (`<<`) are not allowed: write the keys out"),
        ("a: !secret x\n", "f.yaml:1:4: a: the tag `!secret` is not allowed: write plain values only"),
        (
            "a: !!python/object/apply:os.system [ls]\n",
            "f.yaml:1:4: a: the tag `!!python/object/apply:os.system` is not",
        ),
        ("a: !!int '5'\n", "f.yaml:1:4: a: the tag `!!int` is not allowed: write plain values only"),
        ("a: !<plain> 5\n", "f.yaml:1:4: a: the tag `plain` is not allowed: write plain values only"),
        ("!x {a: 1}\n", "f.yaml:1:1: the tag `!x` is not allowed: write plain values only"),
        ("!x k: 1\n", "f.yaml:1:1: the tag `!x` is not allowed: write plain values only"),
        ("? [a, b]\n: 1\n", "f.yaml:1:3: a key must be text"),
        ("a: b: c\n", "f.yaml:1:5: a `:` that cannot stand here"),
        ("a: 1\n b: 2\n", "f.yaml:2:3: a `:` that cannot stand here"),
        ("a: 1\nb 2\n", "f.yaml:2:1: a key without `:` after it"),
        ('a: "x\nb: 1\n', "f.yaml:1:4: the quote that begins here is never closed"),
        ("a: 'it's'\n", "f.yaml:1:8: this does not fit the lines above: wrong indentation, or a quote too many"),
        ("a: [1,\nb: 2", "f.yaml:2:5: a list in brackets is not closed: `,` or `]` is missing"),
        ("a: {b: 1\nc: 2\n", "f.yaml:2:2: braces are not closed: `,` or `}` is missing"),
        ("a: ]\n", "f.yaml:1:4: a value is missing: a bracket, brace or comma too many"),
        ("a: @x\n", "f.yaml:1:4: text may not begin with this character; put it in quotes"),
        ('a: "\\q"\n', "f.yaml:1:5: an unknown escape in double quotes; use single quotes for a plain backslash"),
        ("a: ok\nb: x\x00y\n", "f.yaml:2:5: the control character U+0000 is not allowed"),
        (b"a: 1\nb: caf\xe9\n", "f.yaml:2:7: the file is not UTF-8: byte 0xe9"),
        ("ä: 1".encode("utf-16"), "f.yaml:1:1: the file is not UTF-8: byte 0xff"),
        (b"a: " + b"x" * 10_000_000, "f.yaml:1:1: the file is larger than 1 MB"),
    ],
)
def test_what_is_not_allowed_is_named_with_its_place(content: str | bytes, expected: str) -> None:
    (found,) = problems(content)
    assert found.startswith(expected)


def test_every_duplicate_key_is_named_with_the_line_of_the_first() -> None:
    assert problems("a: 1\nb:\n  c: 1\n  c: 2\nl:\n  - {d: 1, d: 2}\na: 3\n") == [
        "f.yaml:4:3: b.c: the key is written twice; first in line 3",
        "f.yaml:6:12: l[0].d: the key is written twice; first in line 6",
        "f.yaml:7:1: a: the key is written twice; first in line 1",
    ]


def test_keys_that_differ_only_in_quotes_are_the_same_key() -> None:
    assert problems('1: a\n"1": b\n') == ["f.yaml:2:1: 1: the key is written twice; first in line 1"]


NESTED = {
    "lists": lambda levels: "a: " + "[" * levels + "]" * levels,
    "blocks": lambda levels: "a: " + "{a: " * levels + "1" + "}" * levels,
    "dashes": lambda levels: "a:\n" + "- " * levels + "1",
    "indents": lambda levels: "".join(" " * level + "a:\n" for level in range(levels + 1)) + " " * (levels + 1) + "1",
    "keys": lambda levels: "a:\n  " + "? " * levels + "1",
}


@pytest.mark.parametrize(
    ("kind", "levels"),
    # A thousand indented lines are half a megabyte, so there is no more of them.
    [
        (kind, levels)
        for kind in NESTED
        for levels in (MAX_DEPTH, 1_200, 150_000)
        if (kind, levels) != ("indents", 150_000)
    ],
)
def test_deep_nesting_is_refused_and_does_not_end_the_process(kind: str, levels: int) -> None:
    (found,) = problems(NESTED[kind](levels))
    assert found.endswith("nested deeper than 50 levels") or (kind == "keys" and found.endswith("a key must be text"))


@pytest.mark.parametrize("kind", ["lists", "blocks", "dashes", "indents"])
def test_nesting_up_to_the_limit_is_read(kind: str) -> None:
    assert parse(NESTED[kind](MAX_DEPTH - 1).encode(), "f.yaml").data


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^f.yaml:1:1: cannot be read: No such file or directory$"):
        read_file(tmp_path / "gone.yaml", "f.yaml")
    with pytest.raises(ConfigError, match=r"^f.yaml:1:1: cannot be read: Is a directory$"):
        read_file(tmp_path, "f.yaml")


def test_a_file_of_exactly_the_limit_is_read(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"a: " + b"x" * (MAX_BYTES - 3))
    assert len(read_file(path, "f.yaml").data["a"]) == MAX_BYTES - 3


PLACES = """\
# comment
a: 1
b:
  c:
    - x
    - {d: 2, e: }
"""


@pytest.mark.parametrize(
    ("path", "on_key", "place"),
    [
        ((), False, (2, 1)),
        (("a",), False, (2, 4)),
        (("a",), True, (2, 1)),
        (("b", "c"), True, (4, 3)),
        (("b", "c", 0), False, (5, 7)),
        (("b", "c", 1, "d"), False, (6, 11)),
        (("b", "c", 1, "e"), True, (6, 14)),
        (("b", "c", 1, "gone"), False, (6, 7)),
        (("b", "gone", "deeper"), False, (3, 1)),
        (("gone",), False, (2, 1)),
        (("b", "c", 7), False, (4, 3)),
        (("a", "x"), False, (2, 1)),
    ],
)
def test_the_place_of_a_path_or_of_the_key_nearest_to_it(
    path: tuple[str | int, ...], on_key: bool, place: tuple[int, int]
) -> None:
    assert parse(PLACES.encode(), "f.yaml").place(path, on_key=on_key) == place


def outcome(content: bytes) -> dict[str, Any] | tuple[Problem, ...]:
    try:
        return parse(content, "f.yaml").data
    except ConfigError as error:
        return error.problems


@given(st.text() | st.text(alphabet="[]{}-?:,&*!|>'\"%@` \n\tab1#<~."))
def test_any_text_is_data_or_a_placed_problem(text: str) -> None:
    assert_data_or_placed(outcome(text.encode("utf-8", "surrogatepass")))


@given(st.binary())
def test_any_bytes_are_data_or_a_placed_problem(content: bytes) -> None:
    assert_data_or_placed(outcome(content))


def assert_data_or_placed(found: dict[str, Any] | tuple[Problem, ...]) -> None:
    if not isinstance(found, dict):
        assert found
        assert all(problem.line >= 1 and problem.column >= 1 and problem.message for problem in found)

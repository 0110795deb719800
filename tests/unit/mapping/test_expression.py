from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_flux.mapping.expression import LONGEST, compile_expression, compile_filter
from airflow_provider_flux.mapping.filters import FILTERS, TESTS
from airflow_provider_flux.mapping.sandbox import METHODS, ExpressionError

RECORD: dict[str, Any] = {
    "name": "Ada",
    "null": None,
    "count": 3,
    "price": Decimal("9.50"),
    "items": [{"sku": "a", "n": 2}, {"sku": "b", "n": 3}, {"n": None}],
    "tags": ["x", None, "", "y"],
    "keys": {"values": "a field named like a method", "__typename": "Contact"},
    "nulls": [None] * 100_000,
    "big": "x" * 1_000_000,
}
SECONDS = 2.0


@contextmanager
def quickly() -> Iterator[None]:
    """CPU time, so that a busy machine fails no test."""
    start = time.process_time()
    yield
    assert time.process_time() - start < SECONDS


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("record.name ~ ' ' ~ record.count", "Ada 3"),
        ("record.name ~ record.null ~ record.nope", "Ada"),
        ("record.nope.deeper.still", None),
        ("record.null or 'none'", "none"),
        ("record.items[0].sku", "a"),
        ("record.items[-1].n", None),
        ("record.items[9].n", None),
        ("record.items | map(attribute='sku') | join('+')", "a+b"),
        ("record.items | map(attribute='n') | sum", 5),
        ("record.items | sum(attribute='n')", 5),
        ("record.items[:2] | selectattr('n', 'gt', 2) | map(attribute='sku') | list", ["b"]),
        ("record.items | selectattr('sku', 'defined') | length", 2),
        ("record.items | rejectattr('sku') | length", 1),
        ("record.tags | join(',')", "x,y"),
        ("record.tags | select | map('upper') | list", ["X", "Y"]),
        ("record.keys.values", "a field named like a method"),
        ("record['keys']['__typename']", "Contact"),
        ("record.name.lower().startswith('a')", True),
        ("record.name[:2]", "Ad"),
        ("record.null | upper", None),
        ("record.null.strip().lower() or record.nope.strip()", None),
        ("record.nope | default('d')", "d"),
        ("'' | default('d', true)", "d"),
        ("'12.0' | int", 12),
        ("'x' | int(0)", 0),
        ("record.price * 2", Decimal("19.00")),
        ("7 // 2 + 7 % 2 - 2 ** 3", -4),
        ("2.345 | round(2)", 2.35),
        ("record.count > 2 and record.name is string", True),
        ("record.name in ['Ada', 'Eve']", True),
        ("record.name if record.count is number else 0", "Ada"),
        ("{'a': record.nope, 'b': [record.count]}", {"a": None, "b": [3]}),
        ("(1, 2)", [1, 2]),
        ("record.keys | tojson", '{"values": "a field named like a method", "__typename": "Contact"}'),
        ("'a-b-a' | replace('a', 'c')", "c-b-c"),
        ("[3, 1, 2] | sort | reverse | first", 3),
        ("[1, 1.0, true, 'a', 'a'] | unique | length", 4),
        ("[2, none, 1] | min", 1),
        ("true ~ 1.5", "true1.5"),
    ],
)
def test_an_expression_gives_plain_data(text: str, value: Any) -> None:
    assert compile_expression(text)(RECORD) == value


@pytest.mark.parametrize(
    "text",
    [
        "'a' * 10**8",
        "record.big * 100",
        "['a'] * 10**8",
        "10**5000",
        "(10**1000) * (10**1000)",
        "'%1000000000d' % 1",
        "record.big ~ record.big ~ record.big ~ record.big ~ record.big ~ record.big",
        "record.big + record.big + record.big + record.big",
        "'a'" + " | replace('a', 'aaaaaaaaaa')" * 9,
        "record.big | replace('x', 'yyyyyyyyyy')",
        "record.nulls | map('default', record.big) | map('upper') | join",
        "record.nulls | map('default', record.big) | map('length') | sum",
        "record.nulls | map('default', record.big) | select('in', record.big) | list",
        "record.nulls | map('default', record.nulls) | map('tojson') | list",
        "[[[[record.big, record.big], record.big], record.big], record.big] | tojson",
        "record.big | list | map('default') | join(record.big)",
        "record.nulls | map('default', 'a') | join(record.big)",
        "record.items | selectattr('n', 'gt', 2) | list",
        "1 / 0",
        "2.0 ** 100000",
        "10**400 / 1.5",
    ],
)
def test_what_takes_too_much_or_cannot_be_computed_fails_quickly(text: str) -> None:
    with quickly(), pytest.raises(ExpressionError):
        compile_expression(text)(RECORD)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("range(10**9)", r"`range\(\)` cannot be called"),
        ("'x' | center(10**9)", "there is no filter `center`"),
        ("'{:>1000000000}'.format(1)", r"`format\(\)` cannot be called"),
        ("'x'.ljust(10**9)", r"`ljust\(\)` cannot be called"),
        ("'x'.join(record.tags)", r"`join\(\)` cannot be called"),
        ("record.keys.update({'a': 1})", r"`update\(\)` cannot be called"),
        ("record.items()", r"`items\(\)` cannot be called"),
        ("''.__class__.__mro__", "is not available"),
        ("record['__class__']", "is not available"),
        ("record | attr('name')", "there is no filter `attr`"),
        ("lipsum(1000)", r"`lipsum\(\)` cannot be called"),
        ("cycler", "there is no `cycler` here"),
        ("self", "there is no `self` here"),
        ("name", "a field of the record is `record.name`"),
        ("record.name | lowr", "did you mean `lower`"),
        ("record.name is callable", "there is no test `callable`"),
        ("'%1000000000d' is odd", "there is no test `odd`"),
        ("{{ record.name }}", "without {{ }}"),
        ("{% for x in record.nulls %}{% endfor %}", "without {{ }} or {% %}"),
        ("record.name record.name", "the expression ends before"),
        ("record.name |", "not an expression"),
        ("", "not an expression"),
        ("1 +" * LONGEST, "longer than 2,000"),
        ("(" * 900 + "1" + ")" * 900, "nested too deeply"),
        ("-" * 1_900 + "1", "nested too deeply"),
        ("1" + "+1" * 900, "nested too deeply"),
        ("not " * 400 + "1", "nested too deeply"),
    ],
)
def test_what_is_not_available_is_refused_when_compiled(text: str, says: str) -> None:
    with quickly(), pytest.raises(ValueError, match=says):
        compile_expression(text)


@pytest.mark.parametrize("name", ["__class__", "__init__", "__globals__", "format", "format_map", "encode", "mro"])
def test_attributes_of_python_cannot_be_reached_by_a_computed_name(name: str) -> None:
    record = {"name": name, "text": "x", "list": [1], "number": 1}
    for holder in ("record.text", "record.list", "record.number", "record.number.real"):
        with pytest.raises(ExpressionError):
            compile_expression(f"{holder}[record.name]")(record)
    assert compile_expression("record[record.name]")(record) is None
    assert compile_expression("record.list | map(attribute=record.name) | list")(record) == [None]


def test_a_filter_cannot_be_reached_by_a_computed_name_unless_it_is_listed() -> None:
    with pytest.raises(ExpressionError, match="No filter named 'attr'"):
        compile_expression("[record] | map(record.f, '__class__') | list")({"f": "attr"})


def test_the_fields_that_an_expression_reads_are_known() -> None:
    expression = compile_expression(
        "(record.first or record.names[0].given) ~ record['odd.name'].strip(record.chars) ~ record.map[record.key].x"
    )
    assert expression.paths == {"first", "names[0].given", '["odd.name"]', "chars", "map", "key"}


def test_a_record_is_never_changed() -> None:
    record = {"list": [3, 1], "object": {"a": [1]}}
    result = compile_expression("record.object")(record)
    result["a"].append(2)
    compile_expression("record.list | sort | reverse | list")(record)
    assert record == {"list": [3, 1], "object": {"a": [1]}}


def test_threads_share_an_expression_and_not_its_budget() -> None:
    expression = compile_expression("record.big ~ record.big ~ record.name")
    lengths = []

    def evaluate() -> None:
        lengths.extend(len(expression(RECORD)) for _ in range(5))

    threads = [threading.Thread(target=evaluate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lengths == [2_000_003] * 20


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("record.count > 2", True),
        ("record.nope", False),
        ("record.null", False),
        ("record.name == 'Eve'", False),
        ("1", True),
    ],
)
def test_a_filter_is_a_condition(text: str, kept: bool) -> None:
    assert compile_filter(text)(RECORD) is kept


def test_a_filter_that_cannot_be_evaluated_says_so() -> None:
    with pytest.raises(ExpressionError, match="cannot be used with a missing field"):
        compile_filter("record.nope + 1 > 2")(RECORD)
    with pytest.raises(ExpressionError, match="there is no field `nope`"):
        compile_filter("record.nope > 2")(RECORD)


PARTS = st.sampled_from(
    [
        *(
            "record",
            ".name",
            ".items",
            ".tags",
            ".nulls",
            ".big",
            ".keys",
            "[0]",
            "['x']",
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            ",",
            ":",
        ),
        *(
            "~",
            "+",
            "-",
            "*",
            "/",
            "//",
            "%",
            "**",
            "==",
            "<",
            " in ",
            " not ",
            " and ",
            " or ",
            " if ",
            " else ",
            " is ",
            "|",
        ),
        *(
            "1",
            "0",
            "9999",
            "1.5",
            "'a'",
            "''",
            "none",
            "true",
            "()",
            "(1)",
            "('a')",
            "('a', record.big)",
            "(record.nulls)",
        ),
        *(f"|{name}" for name in FILTERS),
        *(f" is {name}" for name in TESTS),
        *(f".{name}()" for name in METHODS),
    ]
)


@settings(max_examples=600, deadline=None)
@given(st.lists(PARTS, max_size=12).map("".join))
def test_any_text_gives_a_value_or_an_error_and_never_anything_else(text: str) -> None:
    with quickly():
        try:
            compile_expression(text)(RECORD)
        except ValueError as error:
            assert str(error)

"""Every transform does what its declaration says, and what the docs print is the declaration."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_flux.errors import CATALOGUE
from airflow_provider_flux.mapping.docs import transforms_markdown
from airflow_provider_flux.mapping.transforms import BUILT_IN as REGISTRY
from airflow_provider_flux.mapping.transforms.base import Example, Failure, Transform
from tests.unit.mapping.building import mapping, transform

EXAMPLES = [
    pytest.param(declared, example, id=f"{declared.name}-{number}")
    for declared in REGISTRY.values()
    for number, example in enumerate(declared.examples)
]
PAGE = Path(__file__).parents[3] / "docs" / "transforms.md"


@pytest.mark.parametrize(("declared", "example"), EXAMPLES)
def test_an_example_of_the_docs_is_true(declared: Transform, example: Example) -> None:
    apply = declared.build(declared.arguments.model_validate(example.arguments))
    if example.fails is not None:
        with pytest.raises(Failure, match=example.fails.replace("(", r"\(")):
            apply(example.value)
    else:
        result = apply(example.value)
        assert result == example.result
        assert type(result) is type(example.result)


@pytest.mark.parametrize("declared", REGISTRY.values(), ids=list(REGISTRY))
def test_a_declaration_is_complete(declared: Transform) -> None:
    assert declared.code in CATALOGUE
    assert declared.summary.endswith(".")
    assert any(example.fails is None for example in declared.examples)
    assert any(example.fails for example in declared.examples) or declared.name == "default"


def test_the_page_of_the_docs_is_printed_from_the_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == transforms_markdown(), (
        "write docs/transforms.md anew: python -m airflow_provider_flux.mapping.docs > docs/transforms.md"
    )


@pytest.mark.parametrize("declared", REGISTRY.values(), ids=list(REGISTRY))
def test_null_passes_untouched_through_every_transform_but_default(declared: Transform) -> None:
    arguments = dict(next(iter(declared.examples)).arguments)
    result, errors = mapping({"from": "a", "to": "b", "transforms": [{declared.name: arguments}]}).apply({"a": None})
    assert errors == []
    assert result == {"b": arguments["value"] if declared.name == "default" else None}


def test_checking_a_mapping_loads_no_heavy_library() -> None:
    code = """
import sys
from airflow_provider_flux.mapping.spec import MappingFile
from airflow_provider_flux.mapping.engine import compile_mapping
rules = [{"from": "a", "to": name, "transforms": [name]} for name in ("phone_e164", "email", "date_iso")]
compile_mapping(MappingFile.model_validate({"rules": rules}), "contacts", 1)
print(sorted({"phonenumbers", "email_validator", "regex", "airflow"} & set(sys.modules)))
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


# --- text ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5"),
        (1.5, "1.5"),
        (Decimal("1.50"), "1.50"),
        (datetime(2024, 5, 1, 10), "2024-05-01T10:00:00"),
        (date(2024, 5, 1), "2024-05-01"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_numbers_dates_and_ids_become_text(value: Any, text: str) -> None:
    assert transform("trim")(value) == text


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"a": 1}, "is an object"),
        ([1], "is a list"),
        (True, "is a boolean"),
        (b"x", "is bytes"),
        (float("nan"), "not a finite number"),
        (Decimal("sNaN"), "not a finite number"),
        pytest.param(10**5000, "too many digits", id="huge"),
    ],
)
@pytest.mark.parametrize("name", ["trim", "lowercase", "uppercase", "title"])
def test_what_is_not_text_is_refused_by_its_kind(name: str, value: Any, says: str) -> None:
    with pytest.raises(Failure, match=says):
        transform(name)(value)


@pytest.mark.parametrize(
    ("name", "titled"),
    [
        ("ADA", "Ada"),
        ("de la cruz", "De La Cruz"),
        ("o'neil", "O'Neil"),
        ("d’arcy", "D’Arcy"),
        ("they're", "They're"),
        ("rené", "René"),
        ("3rd street", "3rd Street"),
        ("a_b", "A_B"),
        ("  x ", "  X "),
    ],
)
def test_title_knows_names(name: str, titled: str) -> None:
    assert transform("title")(name) == titled


def test_a_pattern_that_never_ends_is_stopped_and_blamed() -> None:
    endless = transform("replace", pattern="^(a|aa)+$", **{"with": ""})
    with pytest.raises(Failure, match="needed more than") as caught:
        endless("a" * 200 + "b")
    assert caught.value.code == "TRANSFORM_FAILED"


@given(st.text())
def test_truncate_never_exceeds_its_length(text: str) -> None:
    cut = transform("truncate", length=5)(text)
    assert len(cut) <= 5
    assert text.startswith(cut)


@given(st.text(alphabet=st.sampled_from("ab ,\t")))
def test_split_name_loses_no_word(name: str) -> None:
    first = transform("split_name", part="first")(name) or ""
    last = transform("split_name", part="last")(name) or ""
    kept = sorted((first + " " + last).replace(",", " ").split())
    assert kept == sorted(name.replace(",", " ").split())


# --- numbers and booleans --------------------------------------------------------------------------


@given(st.integers())
def test_a_written_integer_is_read_back(number: int) -> None:
    read = transform("number")(f" {number} ")
    assert read == number
    assert type(read) is int


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6))
def test_a_written_decimal_is_read_back_without_losing_a_digit(number: Decimal) -> None:
    read = transform("number")(f"{number:f}")
    assert Decimal(repr(read) if isinstance(read, float) else read) == number


@pytest.mark.parametrize(
    "text",
    ["1,2,3", "0x10", "1_000", "١٢", "--1", "1.2.3", ".", "1e", "Infinity", "1" * 1001, "1e9999", "1 000", "1.000,5"],
)
def test_what_only_looks_like_a_number_is_refused(text: str) -> None:
    with pytest.raises(Failure):
        transform("number")(text)


@pytest.mark.parametrize(
    ("text", "arguments", "number"),
    [
        ("1,234,567.5", {"thousands": ","}, 1234567.5),
        ("1 234,5", {"thousands": " ", "decimal": ","}, 1234.5),
        ("1\u202f234", {"thousands": " "}, 1234),
        ("1234", {"thousands": ","}, 1234),
        ("+7", {}, 7),
        ("1.5e3", {}, 1500.0),
        ("1e400", {}, Decimal("1E+400")),
    ],
)
def test_separators_and_exponents(text: str, arguments: dict[str, str], number: Any) -> None:
    assert transform("number", **arguments)(text) == number


def test_groups_of_thousands_must_be_whole() -> None:
    with pytest.raises(Failure):
        transform("number", thousands=",")("1,23")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), Decimal("sNaN"), True, {}, [1], b"1"])
def test_numbers_that_are_none_are_refused(value: Any) -> None:
    with pytest.raises(Failure):
        transform("number")(value)


@pytest.mark.parametrize("value", [3, -0.5, Decimal("0.1"), 10**400])
def test_numbers_stay_what_they_are(value: Any) -> None:
    assert transform("number")(value) is value


@pytest.mark.parametrize("value", [2, -1, 0.5, Decimal("1E+999999"), float("nan"), 10**400, {}, "2", "wahr"])
def test_what_is_neither_true_nor_false_is_refused(value: Any) -> None:
    with pytest.raises(Failure):
        transform("boolean")(value)


# --- value_map -------------------------------------------------------------------------------------


def test_a_map_tells_true_from_one() -> None:
    by_number = transform("value_map", map={1: "one"})
    assert by_number(1) == by_number("1") == by_number(1.0) == by_number(Decimal(1)) == "one"
    with pytest.raises(Failure):
        by_number(True)


def test_a_map_may_say_null() -> None:
    assert transform("value_map", map={"n/a": None})("n/a") is None
    assert transform("value_map", map={"a": "b"}, default=None)("other") is None


def test_an_unknown_value_names_some_of_the_known_ones() -> None:
    with pytest.raises(Failure, match=r"names: k0, k1, k2, k3, k4, k5, k6, k7, \.\.\.\.$"):
        transform("value_map", map={f"k{number}": 1 for number in range(20)})("x")

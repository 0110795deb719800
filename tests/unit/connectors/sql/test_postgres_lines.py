from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_flux.connectors.sql.postgres import copy_lines

ESCAPED = {"\\\\": "\\", "\\t": "\t", "\\n": "\n", "\\r": "\r"}


def parse(field: str) -> str | None:
    """A field of COPY's text format, as PostgreSQL reads it."""
    if field == "\\N":
        return None
    text, rest = "", field
    while rest:
        step = 2 if rest[0] == "\\" else 1
        text += ESCAPED[rest[:2]] if step == 2 else rest[0]
        rest = rest[step:]
    return text


texts = st.text(alphabet=st.sampled_from("ab\\\t\n\rN.é\x7f\u2028"), max_size=6)


@given(st.lists(st.tuples(texts | st.none(), texts, st.integers() | texts | st.none()), min_size=1, max_size=6))
def test_every_row_is_one_line_and_comes_back(rows: list[tuple[Any, ...]]) -> None:
    lines = copy_lines(rows)
    assert not any("\n" in line or "\r" in line for line in lines)
    read = [tuple(map(parse, line.split("\t"))) for line in lines]
    assert read == [tuple(None if value is None else str(value) for value in row) for row in rows]


def test_values_that_are_no_text() -> None:
    assert copy_lines([(True, 1, 0.1, None), (False, -1, 1e300, "x")]) == ["t\t1\t0.1\t\\N", "f\t-1\t1e+300\tx"]

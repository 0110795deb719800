"""Link headers, as servers write them."""

from __future__ import annotations

import pytest

from airflow_provider_flux.connectors.rest.paging import next_link


@pytest.mark.parametrize(
    ("header", "link"),
    [
        ("", None),
        ('<https://a/x?p=2>; rel="next"', "https://a/x?p=2"),
        ("<https://a/x?p=2>; rel=next", "https://a/x?p=2"),
        ('<https://a/1>; rel="prev", <https://a/3>; rel="next"', "https://a/3"),
        ('<https://a/3>; title="a, b; c"; rel="last next"', "https://a/3"),
        ('<https://a/x?ids=1,2,3>; REL="NEXT"', "https://a/x?ids=1,2,3"),
        ('<https://a/1>; rel="prev"', None),
        ('<https://a/1>; rel="nextish"', None),
        ('<>; rel="next"', None),
        ("https://a/x; rel=next", None),
    ],
)
def test_the_next_link(header: str, link: str | None) -> None:
    assert next_link(header) == link

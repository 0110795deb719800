"""The limits that the connectors declare, and the page that lists them."""

from __future__ import annotations

import re
from pathlib import Path

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.transport.limits import read_limits

PAGE = (Path(__file__).parents[3] / "docs" / "limits.md").read_text(encoding="utf-8")


def test_the_page_lists_the_limits_of_all_connectors() -> None:
    declared = []
    for name in registry.names():
        profile = registry.get(name).profile
        for limit in profile.limits if profile is not None else ():
            which = f"`{limit.path}`" if limit.path else "all others"
            declared.append(f"| `{name}` | {limit} | {limit.what} | {which} |")
    table = PAGE[PAGE.index("| connector |") : PAGE.index("Shopify and Jobber charge")]
    assert sorted(re.findall(r"^\| `.*$", table, re.MULTILINE)) == sorted(declared)


def test_the_limits_on_the_page_are_limits() -> None:
    shown = set(re.findall(r"`(\d+/\d*[smh](?:, \d+/\d*[smh])*)`", PAGE))
    assert shown >= {"100/10s", "40/2s, 2500/5m", "2500/5m"}
    assert all(read_limits(text) for text in shown)

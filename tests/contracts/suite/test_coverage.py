"""Every connector keeps the promises, here or where its system is no list of records over HTTP."""

from __future__ import annotations

from pathlib import Path

from airflow_provider_flux.connectors import registry
from tests.contracts.vendors.all import VENDORS

_CONTRACTS = Path(__file__).parents[1]

ELSEWHERE = {
    "sql": "sql/test_semantics.py",  # databases, which are no HTTP
    "flow_platform": "test_flow_platform.py",  # starts runs: there is nothing to read, to change or to find
}


def test_every_connector_of_this_package_is_held_to_the_same_promises() -> None:
    ours = {name for name in registry.names() if registry.get(name).__module__.startswith("airflow_provider_flux.")}
    assert {vendor.connector for vendor in VENDORS} | set(ELSEWHERE) == ours
    assert all((_CONTRACTS / file).is_file() for file in ELSEWHERE.values())

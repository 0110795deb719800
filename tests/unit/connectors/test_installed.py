"""Connectors of installed packages: which are taken, and why others are not."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from airflow_provider_flux.connectors.installed import installed_connectors

_CONNECTOR = """
from airflow_provider_flux.connectors.declared import DeclaredConnector

class Shop(DeclaredConnector):
    name = "shop"
    conn_type = "flux_shop"
"""

Install = Callable[[str, str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """`install(package, entry, code)`: what the installation of a package with one module and one entry leaves."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def put(package: str, entry: str, code: str) -> None:
        (tmp_path / f"{package}.py").write_text(code)
        about = tmp_path / f"{package}-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Name: {package}\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text(f"[airflow_provider_flux.connectors]\n{entry}\n")

    yield put
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_connector_is_found_by_its_entry_point(install: Install) -> None:
    install("flux_shop", "shop = flux_shop:Shop", _CONNECTOR)
    found, broken = installed_connectors({"rest"})
    assert {name: connector.conn_type for name, connector in found.items()} == {"shop": "flux_shop"}
    assert broken == {}


@pytest.mark.parametrize(
    ("entry", "code", "why"),
    [
        ("shop = flux_shop:Shop", "import nobody_has_this", "cannot be loaded: ModuleNotFoundError"),
        ("shop = flux_shop:Shop", "Shop = 1", "is not a class made from `Connector`"),
        ("shop = flux_shop:Store", _CONNECTOR, "cannot be loaded: AttributeError"),
        ("store = flux_shop:Shop", _CONNECTOR, "calls itself `shop`; both names must be the same"),
    ],
)
def test_a_package_that_is_broken_is_told(install: Install, entry: str, code: str, why: str) -> None:
    install("flux_shop", entry, code)
    found, broken = installed_connectors({"rest"})
    assert found == {}
    [(name, reason)] = broken.items()
    assert name == entry.partition(" ")[0]
    assert "of flux_shop (flux_shop:" in reason
    assert why in reason


def test_names_that_are_taken_stay_with_whom_has_them(install: Install, caplog: pytest.LogCaptureFixture) -> None:
    install("flux_rest", "rest = flux_rest:Shop", _CONNECTOR.replace('"shop"', '"rest"'))
    install("flux_shop", "shop = flux_shop:Shop", _CONNECTOR)
    install("flux_stop", "shop = flux_stop:Shop", _CONNECTOR)
    with caplog.at_level(logging.WARNING):
        found, broken = installed_connectors({"rest"})
    assert {name: connector.__module__ for name, connector in found.items()} == {"shop": "flux_shop"}
    assert broken == {}
    assert caplog.text.count("has a name that is taken, and is not used") == 2

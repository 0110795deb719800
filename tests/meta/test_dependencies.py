"""pyproject.toml names every package that the code imports, and none that it does not."""

from __future__ import annotations

import sys
import tomllib
from importlib.metadata import packages_distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.meta.imports import PACKAGE, ROOT, imports_of_package

_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DECLARED = {canonicalize_name(Requirement(text).name) for text in _PROJECT["dependencies"]}
EXTRAS = {
    canonicalize_name(Requirement(text).name) for extra in _PROJECT["optional-dependencies"].values() for text in extra
}
BROUGHT_BY_AIRFLOW_2 = {"flask_appbuilder", "wtforms"}
"""The forms of Airflow 2.11's own UI; imported only there."""


def test_every_imported_package_is_declared() -> None:
    distributions = packages_distributions()
    missing = []
    for one in imports_of_package():
        top = one.module.partition(".")[0]
        if top in {PACKAGE, *sys.stdlib_module_names} or (one.deferred and top in BROUGHT_BY_AIRFLOW_2):
            continue
        names = {canonicalize_name(name) for name in distributions.get(top, [])}
        if not names & (DECLARED | EXTRAS if one.deferred else DECLARED):
            missing.append(f"{one}, which pyproject.toml does not declare")
    assert missing == []


def test_every_declared_package_is_imported() -> None:
    distributions = packages_distributions()
    used = {
        canonicalize_name(name)
        for one in imports_of_package()
        for name in distributions.get(one.module.partition(".")[0], [])
    }
    airflow = {"apache-airflow"}  # a package without code, which brings airflow-core
    assert DECLARED - used - airflow == set()

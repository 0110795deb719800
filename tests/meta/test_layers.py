"""The layers of the package, read from its own imports: who may know whom, and who may know Airflow."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.meta.imports import PACKAGE, ROOT, Import, imports_of, imports_of_package

EVERYONE = {"errors", "__version__"}
ARROWS: dict[str, set[str]] = {
    "catalogue": set(),
    "errors": {"catalogue"},
    "settings": set(),
    "transport": set(),
    "store": {"settings", "transport"},  # of these only the Fernet key, and what a token is
    "staging": set(),
    "connectors": {"transport"},
    "mapping": {"connectors"},  # of these only connectors.options, see below
    "flow": {"mapping", "connectors"},
    "stages": {"flow", "mapping", "store", "staging", "connectors", "transport"},
    "housekeeping": {"settings", "staging", "store"},
    "inbox": {"flow", "mapping", "stages", "store"},
    "cli": {"housekeeping", "inbox", "store", "flow", "mapping", "stages", "staging", "settings", "connectors"},
    "demo": {"cli", "settings", "store", "stages", "flow"},
    "cli_airflow": {"cli"},
    "compat": set(),
    "dag_runs": {"compat"},
    "provider_info": {"connectors"},
    "hooks": {"connectors", "compat", "provider_info"},
    "operators": {
        "stages", "hooks", "flow", "store", "staging", "settings", "compat", "dag_runs", "inbox", "housekeeping",
    },
    "system_dags": {"operators", "compat"},
    "dag_factory": {"operators", "flow", "settings", "compat"},
}
"""What each part of the package may import, beside `EVERYONE`."""

CORE = {
    "catalogue", "errors", "settings", "flow", "mapping", "transport", "connectors", "stages", "store", "staging",
    "housekeeping", "inbox", "cli",
}  # fmt: skip
"""The half that does the work. It never imports Airflow, which costs 2.5 s and 118 MB, not even inside a function."""

NAMED_EXCEPTIONS = {
    ("cli", "hooks"): "a connection that no variable holds is looked up in Airflow, if that is installed",
}
"""What a part imports all the same, inside a function."""


def problems(imports: list[Import]) -> list[str]:
    """The imports that no arrow allows, as text."""
    return [f"{one}: {why}" for one in imports if (why := _forbidden(one)) is not None]


def _forbidden(one: Import) -> str | None:
    target = one.target
    allowed = ARROWS.get(one.unit, set())
    if one.deferred and (one.unit, target or one.module.partition(".")[0]) in NAMED_EXCEPTIONS:
        return None
    if target is None:
        from_airflow = one.module.partition(".")[0] == "airflow"
        return "the core half never imports Airflow" if from_airflow and one.unit in CORE else None
    base = one.unit in ("catalogue", "errors")  # what everyone knows may know nothing but its own arrow
    if target not in (allowed if base else {one.unit, *EVERYONE, *allowed}):
        return f"it may know only {', '.join(sorted(allowed)) or 'errors'}"
    if one.unit == "mapping" and target == "connectors" and ".connectors.options" not in one.module:
        return "of the connectors it may know only connectors.options"
    return None


def test_imports_point_one_way_and_the_core_never_imports_airflow() -> None:
    assert problems(imports_of_package()) == []


def test_every_part_of_the_package_is_in_the_table() -> None:
    parts = {
        path.stem for path in (ROOT / PACKAGE).iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert parts - {"__init__"} == set(ARROWS)


def test_the_table_has_no_circle() -> None:
    left = dict(ARROWS)
    while left:
        free = {unit for unit, targets in left.items() if targets.isdisjoint(left)}
        assert free, f"these know each other in a circle: {sorted(left)}"
        left = {unit: targets for unit, targets in left.items() if unit not in free}


def test_a_wrong_import_is_seen_wherever_it_hides() -> None:
    text = """
import airflow.sdk
def later():
    from airflow_provider_flux.operators import base
class Row:
    try:
        from airflow_provider_flux import stages
    finally:
        pass
import airflow_provider_flux.errors
"""
    seen = problems(list(imports_of(text, Path(PACKAGE, "store", "rows.py"))))
    assert [line.partition(": store imports ")[2].partition(":")[0] for line in seen] == [
        "airflow.sdk",
        "airflow_provider_flux.operators.base",
        "airflow_provider_flux.stages",
    ]


def test_what_everyone_imports_imports_nothing_of_ours() -> None:
    text = "from airflow_provider_flux.settings import load\nfrom airflow_provider_flux import __version__"
    for file in ("errors.py", "catalogue.py"):
        assert len(problems(list(imports_of(text, Path(PACKAGE, file))))) == 2


def test_mapping_knows_nothing_of_the_connectors_but_their_options() -> None:
    text = f"from {PACKAGE}.connectors.options import Model\nfrom {PACKAGE}.connectors import registry"
    (seen,) = problems(list(imports_of(text, Path(PACKAGE, "mapping", "spec.py"))))
    assert "registry" in seen


def test_importing_the_whole_core_brings_no_airflow_and_no_database_driver() -> None:
    heavy = ("airflow", "pandas", "psycopg", "psycopg2", "dlt")
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted((ROOT / PACKAGE).rglob("*.py"))
        if Path(path.relative_to(ROOT).parts[1]).stem in CORE
        and "migrations" not in path.parts
        and path.stem != "__main__"
    ]
    code = (
        f"import importlib, json, sys\nfor name in {modules!r}: importlib.import_module(name)\n"
        f"print(json.dumps(sorted(set({heavy!r}) & set(sys.modules))))"
    )
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout) == []

"""Transforms of other packages, installed for real: a distribution on the path of a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

MODULE = """
from airflow_provider_flux.mapping.transforms.base import Apply, Example, Failure, Transform, plain

def shout(value):
    if not isinstance(value, str):
        raise Failure("The value is not text.")
    return value + "!"

SHOUT = Transform("shout", "Adds a mark.", plain(shout), (Example("a", "a!"), Example(1, fails="not text")))
"""
TRY = """
import json, sys
from pydantic import ValidationError
from airflow_provider_flux.mapping.engine import compile_mapping
from airflow_provider_flux.mapping.spec import MappingFile
try:
    spec = MappingFile.model_validate({"rules": [{"from": "a", "to": "b", "transforms": [sys.argv[1]]}]})
    values, errors = compile_mapping(spec, "m", 1).apply({"a": json.loads(sys.argv[2])})
    print(json.dumps([values, [[error.code, error.transform, error.message] for error in errors]]))
except ValidationError as error:
    print(json.dumps(error.errors()[0]["msg"]))
"""


def install(folder: Path, entries: dict[str, str]) -> None:
    (folder / "shouting.py").write_text(MODULE)
    info = folder / "shouting_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shouting-package\nVersion: 1.0\n")
    lines = [f"{name} = {target}" for name, target in entries.items()]
    (info / "entry_points.txt").write_text("[airflow_provider_flux.transforms]\n" + "\n".join(lines) + "\n")


def apply(folder: Path, transform: str, value: Any) -> Any:
    path = f"{folder}:{Path(__file__).parents[3]}"
    command = [sys.executable, "-c", TRY, transform, json.dumps(value)]
    done = subprocess.run(command, env={"PYTHONPATH": path}, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_a_transform_of_another_package_is_used_like_any_other(tmp_path: Path) -> None:
    install(tmp_path, {"shout": "shouting:SHOUT"})
    assert apply(tmp_path, "shout", "hey") == [{"b": "hey!"}, []]
    assert apply(tmp_path, "shout", 1)[1] == [["INVALID_FORMAT", "shout", "The value is not text."]]


def test_a_package_that_cannot_be_loaded_is_named_only_to_those_who_use_it(tmp_path: Path) -> None:
    install(tmp_path, {"broken": "no_such_module:X", "shout": "shouting:shout", "loud": "shouting:SHOUT"})
    assert apply(tmp_path, "trim", " a ") == [{"b": "a"}, []]
    assert "`broken` of shouting-package (no_such_module:X) cannot be loaded: ModuleNotFoundError" in apply(
        tmp_path, "broken", 1
    )
    assert "is not a `Transform` but function; mend or remove that package" in apply(tmp_path, "shout", 1)
    assert "calls itself `shout`; both names must be the same" in apply(tmp_path, "loud", 1)


def test_a_built_in_transform_cannot_be_replaced(tmp_path: Path) -> None:
    install(tmp_path, {"trim": "shouting:SHOUT"})
    assert apply(tmp_path, "trim", " a ") == [{"b": "a"}, []]

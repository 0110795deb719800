"""Files that somebody broke: a valid flow or placed problems, never another error, never an ignored key."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from airflow_provider_flux.errors import ConfigError, Problem
from airflow_provider_flux.flow.check import check
from airflow_provider_flux.flow.loader import load_flow, load_flows
from tests.unit.flow.conftest import CONNECTOR, FLOW, MAPPING

# A flow with a key of every kind, so that the mutations have something to break.
RICH_FLOW = FLOW.replace("  connector: rest\n", "  connector: crm\n  object: contacts\n").replace(
    "description: Contacts\n",
    "description: Contacts\nerrors: {fail_run_when: rate > 0.1, outage_after: 3}\nstart_date: 2024-05-01\nbatch: 500\n"
    "tags: [crm, hourly]\nowner: data\n",
)
FILES = {
    "flows/contacts.yaml": RICH_FLOW,
    "mappings/contacts/v1.yaml": MAPPING,
    "connectors/crm.yaml": CONNECTOR,
}
Path_ = tuple[str | int, ...]


@contextmanager
def folder(files: dict[str, str | bytes]) -> Iterator[Path]:
    root = Path(tempfile.mkdtemp())
    try:
        for name, content in files.items():
            path = root / "include" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
        yield root / "include"
    finally:
        shutil.rmtree(root)


def outcome(files: dict[str, str | bytes]) -> tuple[Problem, ...]:
    """The problems of the folder; the four ways to ask must agree, and anything but a ConfigError fails the test."""
    with folder(files) as include:
        flows, listed = load_flows(include)
        report = check(include)
        try:
            flow = load_flow(include, "contacts")
        except ConfigError as error:
            problems = error.problems
            assert flows == []
            assert set(problems) <= set(listed) <= set(report.problems)
        else:
            problems = ()
            assert flows == [flow]
            assert report.flows == ("contacts",)
    for problem in report.problems:
        assert_placed(problem, files)
    return problems or report.problems


def assert_placed(problem: Problem, files: dict[str, str | bytes]) -> None:
    name = problem.file.removeprefix("include/")
    assert name in files
    content = files[name]
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
    assert 1 <= problem.line <= len(text.splitlines()) + 1
    assert problem.column >= 1
    assert problem.message


def test_the_files_are_valid_before_they_are_broken() -> None:
    assert outcome(dict(FILES)) == ()


# --- every key of every file, one by one --------------------------------------------------------------------------


def key_paths(data: Any, path: Path_ = ()) -> Iterator[Path_]:
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, value in items:
        if isinstance(step, str):
            yield (*path, step)
        yield from key_paths(value, (*path, step))


def parsed(name: str) -> Any:
    # Not our own reader: what is under test does not judge itself. BaseLoader leaves all scalars text.
    return yaml.load(FILES[name], Loader=yaml.BaseLoader)


def parent(data: Any, path: Path_) -> Any:
    for step in path[:-1]:
        data = data[step]
    return data


EVERY_KEY = [(name, path) for name in FILES for path in key_paths(parsed(name))]

# Names that people give themselves: renamed, the file means something else, which is as valid.
FREE = {("connectors/crm.yaml", ("objects", "companies"))}


def plain(value: Any) -> Any:
    """BaseLoader's texts with the types of YAML again, as far as these files need them."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if value in ("true", "false"):
        return value == "true"
    return int(value) if value.isdigit() else value


def dumped(data: Any) -> str:
    return yaml.safe_dump(plain(data), sort_keys=False)


def test_a_renamed_key_is_never_ignored() -> None:
    for (name, path), letter in itertools.product(EVERY_KEY, ("x", "_", "S")):
        if (name, path) in FREE:
            continue
        data = parsed(name)
        block = parent(data, path)
        block[f"{path[-1]}{letter}"] = block.pop(path[-1])
        problems = outcome({**FILES, name: dumped(data)})
        assert problems, f"{name}: {path} renamed with {letter} and nobody noticed"
        assert any(problem.file == f"include/{name}" for problem in problems) or path[-1] == "contacts"


def test_an_added_key_is_never_ignored() -> None:
    blocks = {(name, path[:-1]) for name, path in EVERY_KEY}
    for name, path in sorted(blocks, key=str):
        if (name, path) == ("connectors/crm.yaml", ("objects",)):
            continue
        data = parsed(name)
        parent(data, (*path, "surplus"))["surplus"] = "x"
        problems = outcome({**FILES, name: dumped(data)})
        assert any(problem.path.endswith("surplus") and "unknown key" in problem.message for problem in problems), path


def test_a_duplicated_key_is_never_ignored() -> None:
    for name, text in FILES.items():
        for number, line in enumerate(text.splitlines()):
            if ": " in line and not line.lstrip().startswith("-"):
                lines = text.splitlines()
                lines.insert(number, line)
                problems = outcome({**FILES, name: "\n".join(lines)})
                assert any("written twice" in p.message and p.line == number + 2 for p in problems), (name, line)


def test_a_missing_key_is_a_valid_file_or_a_problem() -> None:
    for name, path in EVERY_KEY:
        data = parsed(name)
        del parent(data, path)[path[-1]]
        outcome({**FILES, name: dumped(data)})


# --- anything else ------------------------------------------------------------------------------------------------

JUNK = st.sampled_from(
    [
        "\t",
        "\x00",
        "\ufeff",
        "\u2028",
        "é",
        "&a ",
        "*a",
        "!!x ",
        "- ",
        ": ",
        "{",
        "}",
        "[",
        "]",
        "'",
        '"',
        "\n",
        "#",
        "%",
        "@",
        "|",
        "---\n",
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(["", "rest", "sql", "a.b", "[0]"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(FILES)), st.data())
def test_junk_in_the_text(name: str, data: st.DataObject) -> None:
    text = FILES[name]
    at = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 20))
    outcome({**FILES, name: text[:at] + data.draw(JUNK) + text[at + cut :]})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(FILES)), st.data())
def test_a_file_that_was_cut_off(name: str, data: st.DataObject) -> None:
    content = FILES[name].encode()
    outcome({**FILES, name: content[: data.draw(st.integers(0, len(content)))]})


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(EVERY_KEY), VALUES)
@example(("flows/contacts.yaml", ("source",)), {"connector": {"a": 1}})
@example(("flows/contacts.yaml", ("mapping",)), {"x": 1})
@example(("flows/contacts.yaml", ("filter",)), "record." + "a" * 3000)
@example(("flows/contacts.yaml", ("schedule", "every")), "9" * 400 + "d")
@example(("flows/contacts.yaml", ("batch",)), 10**400)
@example(("mappings/contacts/v1.yaml", ("rules", 0, "to")), "a[0].b..c")
@example(("connectors/crm.yaml", ("objects", "contacts", "path")), {"connector": "rest"})
def test_a_value_of_another_type(place: tuple[str, Path_], value: Any) -> None:
    name, path = place
    data = plain(parsed(name))
    parent(data, path)[path[-1]] = value
    outcome({**FILES, name: yaml.safe_dump(data, sort_keys=False, allow_unicode=True)})

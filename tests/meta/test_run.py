"""run.py: the lanes count honestly, and an environment that is not what its lock says is noticed."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.meta.imports import ROOT
from tools.environment import Environment
from tools.lanes import LANES, Lane, Result, chosen, run_lane, summary


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "run.py", *arguments], cwd=ROOT, capture_output=True, text=True)


@pytest.fixture
def lane(tmp_path: Path) -> Lane:
    """A lane that runs the tests of a folder of its own, in the environment that this test runs in."""
    here = Environment(folder=sys.prefix, lock="airflow-3.3.txt")
    return Lane("trial", "a lane of a test", 60, here, pytest=(str(tmp_path / "tests"), "-c", "/dev/null"))


def write_tests(tmp_path: Path, text: str) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_trial.py").write_text(text, encoding="utf-8")


def numbers(result: Result) -> tuple[int, int, int]:
    return result.passed, result.failed, result.skipped


def test_a_lane_counts_every_kind_of_outcome(lane: Lane, tmp_path: Path) -> None:
    write_tests(
        tmp_path,
        "import pytest\n"
        "def test_good(): pass\n"
        "def test_good_too(): pass\n"
        "def test_bad(): assert False\n"
        "@pytest.mark.skip\n"
        "def test_skipped(): pass\n"
        "@pytest.fixture\n"
        "def broken(): raise ValueError\n"
        "def test_error(broken): pass\n",
    )
    assert numbers(run_lane(lane, tmp_path / "reports")) == (2, 2, 1)


def test_why_tests_were_skipped_is_said_once(lane: Lane, tmp_path: Path) -> None:
    write_tests(
        tmp_path,
        "import pytest\n"
        "@pytest.mark.parametrize('number', range(3))\n"
        "def test_one(number): pytest.skip('there is no server')\n"
        "@pytest.mark.skip(reason='not today')\n"
        "def test_other(): pass\n"
        "def test_good(): pass\n",
    )
    result = run_lane(lane, tmp_path / "reports")
    assert numbers(result) == (1, 0, 4)
    assert result.remark == "skipped: there is no server; not today"


def test_a_lane_without_a_test_has_failed(lane: Lane, tmp_path: Path) -> None:
    write_tests(tmp_path, "")
    result = run_lane(lane, tmp_path / "reports")
    assert numbers(result) == (0, 1, 0)
    assert result.remark == "no test was found."


def test_a_lane_whose_process_dies_has_failed(lane: Lane, tmp_path: Path) -> None:
    write_tests(tmp_path, "import os\ndef test_dies(): os.kill(os.getpid(), 9)\n")
    assert numbers(run_lane(lane, tmp_path / "reports")) == (0, 1, 0)


def test_a_lane_that_hangs_is_stopped_and_its_fixtures_still_clean_up(lane: Lane, tmp_path: Path) -> None:
    cleaned = tmp_path / "cleaned"
    write_tests(
        tmp_path,
        "import pathlib, pytest, time\n"
        "@pytest.fixture\n"
        "def server():\n"
        "    yield\n"
        f"    pathlib.Path({str(cleaned)!r}).touch()\n"
        "def test_hangs(server): time.sleep(600)\n",
    )
    result = run_lane(replace(lane, budget=4), tmp_path / "reports")
    assert numbers(result) == (0, 1, 0)
    assert "over its budget of 4 s" in result.remark
    assert cleaned.exists()


def test_a_check_that_finds_a_problem_fails_its_lane(lane: Lane, tmp_path: Path) -> None:
    checks = (("python", "-c", "pass"), ("python", "-c", "raise SystemExit(3)"))
    result = run_lane(replace(lane, checks=checks), tmp_path / "reports")
    assert numbers(result) == (1, 1, 0)


def test_the_last_line_says_it_all(lane: Lane, capsys: pytest.CaptureFixture[str]) -> None:
    code = summary([Result(lane, 1.0, passed=5, skipped=1), Result(lane, 1.0, passed=2, failed=3)])
    assert capsys.readouterr().out.splitlines()[-1] == "7 passed, 3 failed, 1 skipped"
    assert code == 1
    assert summary([Result(lane, 1.0, passed=5, skipped=1)]) == 0


def test_a_lane_on_demand_runs_only_when_it_is_named() -> None:
    assert [lane.name for lane in LANES if lane.on_demand] == ["faults"]
    assert "faults" not in [lane.name for lane in chosen([])]
    assert [lane.name for lane in chosen(["faults"])] == ["faults"]


def test_every_folder_of_tests_is_in_a_lane() -> None:
    named = {path for lane in LANES for path in lane.pytest}
    assert [path for path in sorted(named) if not (ROOT / path).is_dir()] == []
    tests = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py"))
    assert [test for test in tests if not any(test.startswith(f"{path}/") for path in named)] == []


def test_the_lanes_are_listed_with_their_budgets_and_what_they_run() -> None:
    listed = run("test", "--list").stdout
    for lane in LANES:
        assert f"{lane.name:<14}{lane.budget:>6} s" in listed
        assert all(path in listed for path in lane.pytest)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("test", "nothing"), "there is no lane nothing; the lanes are lint, unit"),
        (("test", "unit", "--fast"), "arguments of pytest follow `--`"),
        (("tset",), "invalid choice: 'tset'"),
    ],
)
def test_wrong_use_is_answered_with_exit_code_2_and_what_is_right(arguments: tuple[str, ...], said: str) -> None:
    answer = run(*arguments)
    assert answer.returncode == 2
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr


def test_run_py_needs_nothing_but_the_standard_library() -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import run"
    answer = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr

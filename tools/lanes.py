"""The test lanes: what each runs, in which environment, and how long it may take."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.environment import AIRFLOW_2, MAIN, ROOT, Environment, ensure, variables
from tools.say import UsageError, say

REPORTS = ROOT / ".reports"
_HARD_STOP = 3
"""A lane that takes this many times its budget is stopped and has failed."""


@dataclass(frozen=True)
class Lane:
    """:param budget: seconds it may take on two cores; a lane that takes longer says so
    :param pytest: arguments of pytest: folders, so that a new test file is found by itself, and markers
    :param workers: processes that share the tests
    :param checks: commands to run instead of pytest
    :param newest_python: the last Python on which the lane can run
    :param on_demand: runs only when it is named
    """

    name: str
    about: str
    budget: int
    environment: Environment = MAIN
    pytest: tuple[str, ...] = ()
    workers: int = 1
    checks: tuple[tuple[str, ...], ...] = ()
    newest_python: tuple[int, int] | None = None
    on_demand: bool = False


LANES = (
    Lane(
        "lint",
        "ruff and mypy --strict",
        budget=90,
        checks=(("ruff", "check", "."), ("mypy",)),
    ),
    Lane(
        "unit",
        "one package at a time, and the rules of the code itself; SQLite and PostgreSQL for real",
        budget=300,
        pytest=("tests/unit", "tests/meta"),
        workers=2,
    ),
    Lane(
        "contracts",
        "every connector against the same promises, on real servers",
        budget=180,
        pytest=("tests/contracts",),
        workers=2,
    ),
    Lane(
        "servers",
        "servers and descriptions of others: Prism, oidc-provider, PostGraphile, Shopify's schema, MariaDB",
        budget=240,  # installing is part of it
        pytest=("tests/servers",),
        workers=2,
    ),
    Lane(
        "processes",
        "stages in processes of their own that are killed, starved and run beside each other",
        budget=240,
        pytest=("tests/processes",),
        workers=3,
    ),
    Lane(
        "scenarios",
        "each trouble of docs/troubleshooting.md: reproduced, diagnosed, mended, and the record delivered",
        budget=180,
        pytest=("tests/scenarios",),
        workers=2,
    ),
    Lane(
        "airflow-3.3",
        "whole runs through a real Airflow 3.3",
        budget=600,
        pytest=("tests/airflow",),
    ),
    Lane(
        "airflow-2.11",
        "the store on SQLAlchemy 1.4; flows parsed and one run by Airflow 2.11",
        budget=180,
        environment=AIRFLOW_2,
        pytest=("tests/unit/store", "tests/unit/housekeeping", "tests/airflow"),
        newest_python=(3, 12),
    ),
    Lane(
        "faults",
        "10,000 records through a proxy that spoils three of ten requests; on demand (`make faults`)",
        budget=1200,
        pytest=("tests/faults",),
        workers=6,  # they wait most of the time
        on_demand=True,
    ),
)


@dataclass
class Result:
    """How a lane ended; the numbers are those of its tests (a tool of the lint lane is one test)."""

    lane: Lane
    seconds: float = 0.0
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    remark: str = ""


def run_lanes(names: Sequence[str], pytest_arguments: Sequence[str] = ()) -> int:
    """Run the lanes of those names (without a name all but those on demand). 0 when every test of every lane passed.

    :raises UsageError: for a name that is no lane's
    """
    results = []
    for lane in chosen(names):
        if not _too_new(lane):
            ensure(lane.environment)
        results.append(run_lane(lane, REPORTS, pytest_arguments))
    return summary(results)


def describe() -> str:
    """The lanes as a table, for `test --list`."""
    lines = [f"{'lane':<14}{'budget':>8}  what"]
    for lane in LANES:
        what = ", ".join(" ".join(check) for check in lane.checks) or " ".join(("pytest", *lane.pytest))
        lines.append(f"{lane.name:<14}{lane.budget:>6} s  {lane.about}\n{'':<24}{what}  ({lane.environment.folder})")
    return "\n".join(lines)


def chosen(names: Sequence[str]) -> list[Lane]:
    """The lanes of those names, or those that run without being named.

    :raises UsageError: for a name that is no lane's
    """
    by_name = {lane.name: lane for lane in LANES}
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise UsageError(f"there is no lane {', '.join(unknown)}; the lanes are {', '.join(by_name)}")
    return [by_name[name] for name in names] or [lane for lane in LANES if not lane.on_demand]


def run_lane(lane: Lane, reports: Path, pytest_arguments: Sequence[str] = ()) -> Result:
    """Run the lane in its environment, and show what it prints as it goes.

    :param reports: folder for the report that pytest writes, from which the tests are counted
    """
    result = Result(lane)
    if _too_new(lane):
        result.skipped, result.remark = 1, f"skipped: it does not run on Python {sys.version.split()[0]}"
        return result
    say(f"lane {lane.name}: {lane.about} (budget {lane.budget} s)")
    started = time.monotonic()
    if lane.checks:
        _run_checks(result, variables(lane.environment))
    else:
        _run_pytest(result, reports, pytest_arguments, variables(lane.environment))
    result.seconds = time.monotonic() - started
    if result.seconds > lane.budget:
        result.remark = f"over its budget of {lane.budget} s. {result.remark}".strip()
    return result


def _too_new(lane: Lane) -> bool:
    return lane.newest_python is not None and sys.version_info[:2] > lane.newest_python


def _run_checks(result: Result, surroundings: Mapping[str, str]) -> None:
    for check in result.lane.checks:
        command = [str(result.lane.environment.scripts / check[0]), *check[1:]]
        code = _call(command, surroundings, result.lane.budget * _HARD_STOP)
        if code == 0:
            result.passed += 1
        else:
            result.failed += 1
            result.remark = f"{result.remark} {check[0]} found problems.".strip()


def _run_pytest(result: Result, reports: Path, arguments: Sequence[str], surroundings: Mapping[str, str]) -> None:
    lane = result.lane
    reports.mkdir(exist_ok=True)
    report = reports / f"{lane.name}.xml"
    report.unlink(missing_ok=True)
    command = [str(lane.environment.python), "-m", "pytest", "-q", "--durations=5", "--durations-min=2"]
    command += [f"--junitxml={report}", f"-o=cache_dir=.pytest_cache/{lane.name}", *lane.pytest, *arguments]
    if lane.workers > 1:
        command += ["--numprocesses", str(lane.workers), "--dist", "worksteal"]
    code = _call(command, surroundings, lane.budget * _HARD_STOP)
    if report.exists():
        _count(result, report)
    if code != 0 and result.failed == 0:
        result.failed = 1
        result.remark = {5: "no test was found.", None: "stopped: it took far too long."}.get(
            code, f"pytest ended with {code}."
        )


def _count(result: Result, report: Path) -> None:
    root = ElementTree.parse(report).getroot()  # noqa: S314 - pytest wrote the file a moment ago
    # What was skipped, and why, is one line, however many tests it was.
    reasons = dict.fromkeys(skipped.get("message", "") for skipped in root.iter("skipped"))
    if reasons:
        result.remark = f"skipped: {'; '.join(reasons)}"
    for suite in root.iter("testsuite"):
        total, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        result.passed += max(0, total - failed - skipped)
        result.failed += failed
        result.skipped += skipped


def _call(command: Sequence[str], surroundings: Mapping[str, str], seconds: int) -> int | None:
    """Run the command in a process group of its own; its exit code, or None when it had to be stopped."""
    process = subprocess.Popen(
        command, cwd=ROOT, env=dict(surroundings), start_new_session=True, preexec_fn=_obey_interrupts
    )
    try:
        return process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        _stop(process)


def _obey_interrupts() -> None:
    """A shell that starts us in the background has SIGINT ignored, and a child would inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask first, so that the tests can stop the servers they started."""
    for how, patience in ((signal.SIGINT, 20), (signal.SIGKILL, None)):
        if process.poll() is not None:
            return
        os.killpg(process.pid, how)
        try:
            process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            continue


def summary(results: Sequence[Result]) -> int:
    """Print the table of the lanes; its last line says it all. The exit code."""
    print(f"\n{'lane':<14}{'budget':>8}{'took':>9}{'passed':>8}{'failed':>8}{'skipped':>9}")
    for result in results:
        print(
            f"{result.lane.name:<14}{result.lane.budget:>6} s{result.seconds:>7.0f} s{result.passed:>8}"
            f"{result.failed:>8}{result.skipped:>9}  {result.remark}".rstrip()
        )
    passed = sum(result.passed for result in results)
    failed = sum(result.failed for result in results)
    skipped = sum(result.skipped for result in results)
    print(f"\n{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 1 if failed else 0

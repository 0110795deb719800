"""The commands of `run.py`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence

from tools.environment import BENCH, MAIN, ROOT, Environment, ensure, variables
from tools.lanes import describe, run_lanes
from tools.locks import lock
from tools.say import ToolError, UsageError


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit code: 0 good, 1 a problem, 2 wrong use."""
    own, passed_on = _split(arguments)
    options, unknown = _parser().parse_known_args(own)
    if unknown and options.command in ("test", "lock", "setup"):
        _parser().error(f"unknown arguments: {' '.join(unknown)} (arguments of pytest follow `--`)")
    try:
        return _do(options, [*unknown, *passed_on])
    except ToolError as error:
        print(f"\n{error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130


def _do(options: argparse.Namespace, passed_on: list[str]) -> int:
    match options.command:
        case "setup":
            ensure(MAIN)
            return 0
        case "demo":
            return _inside(MAIN, ["airflow-flux", "demo", *passed_on])
        case "bench":
            return _inside(BENCH, ["python", "-m", "benchmarks", *passed_on])
        case "lock":
            lock(upgrade=options.upgrade)
            return 0
        case _ if options.list:
            print(describe())
            return 0
        case _:
            return run_lanes(options.lanes, passed_on)


def _inside(environment: Environment, command: list[str]) -> int:
    """Run a command of the environment, with this terminal as its own."""
    ensure(environment)
    surroundings = variables(environment)
    program = environment.scripts / command[0]
    try:
        return subprocess.run([str(program), *command[1:]], cwd=ROOT, env=surroundings).returncode
    except OSError as error:
        raise ToolError(f"{os.path.relpath(program)} cannot be started: {error}") from None


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """What is before and what is after `--`."""
    everything = list(arguments)
    if "--" not in everything:
        return everything, []
    at = everything.index("--")
    return everything[:at], everything[at + 1 :]


def _parser() -> argparse.ArgumentParser:
    about = "Set Flux up, show it, test it. Needs Python 3.11 or newer and git, nothing else."
    parser = argparse.ArgumentParser(prog="run.py", description=about)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    about = "start a real Airflow and run a flow (arguments go to `airflow-flux demo`)"
    commands.add_parser("demo", help=about, add_help=False)
    test = commands.add_parser("test", help="run the tests, all lanes or those that are named")
    test.add_argument("lanes", nargs="*", metavar="LANE", help="see --list; what follows `--` goes to pytest")
    test.add_argument("--list", action="store_true", help="list the lanes, their budgets and what they run")
    about = "measure Flux beside its peers (arguments go to `python -m benchmarks`)"
    commands.add_parser("bench", help=about, add_help=False)
    locks = commands.add_parser("lock", help="make constraints/ again from pyproject.toml")
    locks.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    commands.add_parser("setup", help="only make the environment")
    return parser

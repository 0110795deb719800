"""Every command of the command line, as data.

`parser` makes an argparse parser of it, `airflow_provider_flux.cli_airflow` makes Airflow commands of it, and
`docs/cli.md` is printed from it. Airflow loads this table on every call of `airflow`: nothing heavy may be imported.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from airflow_provider_flux.cli.values import instant, positive

ERROR_STATES = ("open", "held", "resolved", "superseded")


class Option:
    """A positional argument or an option; `more` goes to `ArgumentParser.add_argument`."""

    def __init__(self, *flags: str, help: str, **more: Any) -> None:
        self.flags = flags
        self.help = help
        self.more = more


@dataclass(frozen=True)
class Command:
    """:param run: `module:function`, called with the parsed arguments and an `Output`; it returns the exit code"""

    name: str
    help: str
    run: str
    options: tuple[Option, ...] = ()
    details: str = ""


@dataclass(frozen=True)
class Group:
    """Commands behind one word."""

    name: str
    help: str
    commands: tuple[Command, ...]


_HERE = "airflow_provider_flux.cli"
_JSON = Option("--json", help="print JSON", action="store_true")
_FLOW = Option("flow", help="flow id: the name of its file without .yaml", metavar="FLOW")
_OF_FLOW = Option("--flow", help="only of this flow", metavar="FLOW")
_OF_RUN = Option("--run", help="only of this run: its number or its run id", metavar="RUN")

_ERRORS = Group(
    "errors",
    "The records that did not arrive, and why.",
    (
        Command(
            "list",
            "List failed and held records, or count them by code, field or flow.",
            f"{_HERE}.errors:list_errors",
            (
                Option(
                    "--by",
                    help="count them instead, the most frequent first; may be given more than once",
                    choices=("code", "field", "flow"),
                    action="append",
                ),
                _OF_RUN,
                _OF_FLOW,
                Option("--code", help="only of this code, for example INVALID_EMAIL", metavar="CODE"),
                Option("--field", help="only of this target field", metavar="FIELD"),
                Option("--state", help="only in this state (default: open and held)", choices=(*ERROR_STATES, "all")),
                Option("--limit", help="most rows (default: 50)", type=positive, default=50, metavar="N"),
                _JSON,
            ),
        ),
        Command(
            "show",
            "Show one error with its record, what was sent, the answer and the next step.",
            f"{_HERE}.errors:show_error",
            (Option("id", help="number of the error, from `errors list`", type=positive, metavar="ID"), _JSON),
        ),
        Command(
            "retry",
            "Send the failed records of one run again, in a new run.",
            f"{_HERE}.retry:retry",
            (
                Option("--run", help="the run whose failed records are sent again", metavar="RUN", required=True),
                _OF_FLOW,
                Option("--local", help="run it in this process, without Airflow", action="store_true"),
                _JSON,
            ),
            "Starts a DAG run of the flow in Airflow. The records go through the newest mapping version; "
            "those that arrive become `resolved`. The old run is not changed.",
        ),
    ),
)

COMMANDS: tuple[Command | Group, ...] = (
    Command(
        "check",
        "Check flow, mapping and connector files; list every problem with its place.",
        f"{_HERE}.check:check",
        (
            Option("paths", help="files or folders (default: the whole include folder)", nargs="*", metavar="PATH"),
            _JSON,
        ),
    ),
    Command(
        "schema",
        "Print the JSON Schema of a kind of file, for editors.",
        f"{_HERE}.check:schema",
        (Option("kind", help="flow or mapping", choices=("flow", "mapping")),),
    ),
    Command(
        "test",
        "Try a flow on a small sample: records, mapped result and errors. Writes nothing unless asked.",
        f"{_HERE}.test_sync:test",
        (
            _FLOW,
            Option("--limit", help="most records of the sample (default: 10)", type=positive, default=10, metavar="N"),
            Option("--write", help="write the good records of the sample to the destination", action="store_true"),
            _JSON,
        ),
    ),
    Command(
        "run",
        "Run a flow in this process, recorded like any other run.",
        f"{_HERE}.run:run",
        (
            _FLOW,
            Option("--from", help="start of the window; needs --to", type=instant, metavar="T", dest="start"),
            Option("--to", help="end of the window (exclusive)", type=instant, metavar="T", dest="end"),
            _JSON,
        ),
        "With a window the cursor does not move, as in a backfill.",
    ),
    Command(
        "runs",
        "List the last runs, the newest first.",
        f"{_HERE}.runs:runs",
        (
            Option("flow", help="only of this flow", nargs="?", metavar="FLOW"),
            Option("--limit", help="most rows (default: 20)", type=positive, default=20, metavar="N"),
            _JSON,
        ),
    ),
    Command(
        "show",
        "Show one run: the error trace, window, counts, durations, errors by frequency.",
        f"{_HERE}.runs:show",
        (Option("run", help="number of the run, or its run id", metavar="RUN"), _OF_FLOW, _JSON),
    ),
    _ERRORS,
    Group(
        "db",
        "The store of Flux.",
        (
            Command(
                "upgrade",
                "Make or migrate the tables of the store.",
                f"{_HERE}.database:upgrade",
                (_JSON,),
            ),
        ),
    ),
    Command(
        "demo",
        "Watch a real Airflow run a flow with bad records, then repair them. About two minutes.",
        "airflow_provider_flux.demo.command:demo",
        (
            Option("--keep", help="leave Airflow running until ctrl-C", action="store_true"),
            Option("--folder", help="work folder (default: .flux-demo)", default=".flux-demo", metavar="FOLDER"),
            Option("--port", help="port of the Airflow page (default: a free one)", type=positive, metavar="PORT"),
        ),
    ),
)


def all_commands() -> Iterator[tuple[str, Command]]:
    """Every command with its full name, for example `errors list`."""
    for entry in COMMANDS:
        if isinstance(entry, Command):
            yield entry.name, entry
        else:
            for command in entry.commands:
                yield f"{entry.name} {command.name}", command

"""Every command of the command line, as data.

`parser` makes an argparse parser of it, `airflow_provider_flux.cli_airflow` makes Airflow commands of it, and
`docs/cli.md` is printed from it. Airflow loads this table on every call of `airflow`: nothing heavy may be imported.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from airflow_provider_flux.cli.values import id_range, instant, instant_or_ago, port, positive

ERROR_STATES = ("open", "retrying", "held", "approved", "resolved", "superseded", "discarded")
ERROR_TYPES = ("connection", "data", "mapping", "configuration", "internal", "unknown")


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

# Read by `error_filter.asked_for`: every command that is about several errors has all of them.
ERROR_FILTERS = (
    _OF_RUN,
    _OF_FLOW,
    Option("--code", help="only of this code, for example INVALID_EMAIL", metavar="CODE"),
    Option("--category", help="only of this kind", choices=ERROR_TYPES),
    Option("--field", help="only of this target field; `lines[*].sku` is that of every line", metavar="FIELD"),
    Option("--connector", help="only of this connector", metavar="NAME"),
    Option("--mapping", help="only of this mapping", metavar="NAME"),
    Option("--key", help="only of the record with this key in the source", metavar="RECORD"),
    Option("--since", help="only from then on: a time, or 2h, 7d ago", type=instant_or_ago, metavar="T"),
    Option("--until", help="only before then: a time, or 2h, 7d ago", type=instant_or_ago, metavar="T"),
)

_ID = Option("id", help="number of the error, from `errors list`", type=positive, metavar="ID")
_LOCAL = Option("--local", help="run it in this process, without Airflow", action="store_true")
_BY = Option("--by", help="who decides (default: the user of this computer)", metavar="NAME")


def _numbers(how_many: str) -> Option:
    return Option("ids", help="numbers of errors", type=positive, nargs=how_many, metavar="ID")


_SELECTED = (
    _numbers("*"),
    *ERROR_FILTERS,
    Option("--all", help="every error", action="store_true"),
)

_ERRORS = Group(
    "errors",
    "The records that did not arrive, and why.",
    (
        Command(
            "list",
            "List the records that have not arrived, the newest first, or count them by what they have in common.",
            f"{_HERE}.errors:list_errors",
            (
                Option(
                    "--by",
                    help="count them instead, the most frequent first; may be given more than once",
                    choices=("code", "field", "flow", "connector", "mapping", "category"),
                    action="append",
                ),
                *ERROR_FILTERS,
                Option(
                    "--state",
                    help="only in this state (default: open, retrying, held and approved)",
                    choices=(*ERROR_STATES, "all"),
                ),
                Option("--limit", help="most rows (default: 50)", type=positive, default=50, metavar="N"),
                _JSON,
            ),
        ),
        Command(
            "show",
            "Show one error: its record, what was sent, the answer, every attempt, and the next step.",
            f"{_HERE}.error_view:show_error",
            (Option("id", help="number of the error, from `errors list`", type=positive, metavar="ID"), _JSON),
        ),
        Command(
            "retry",
            "Send records that did not arrive again: single ones, those of a run, or all that match.",
            f"{_HERE}.retry:retry",
            (
                *_SELECTED,
                Option(
                    "--payload",
                    help="send the record as it was read or corrected, or read it anew (default: stored)",
                    choices=("stored", "source"),
                    default="stored",
                ),
                Option(
                    "--force",
                    help="send payloads without a version although something newer may have been delivered",
                    action="store_true",
                ),
                _LOCAL,
                _BY,
                _JSON,
            ),
            "Starts a DAG run in Airflow for each flow. The records go through the active version of the mapping; "
            "those that arrive become `resolved`. The old runs are not changed. A record is in one replay at a time.",
        ),
        Command(
            "edit",
            "Correct the record of an error; the next retry sends the corrected one.",
            f"{_HERE}.review:edit",
            (
                _ID,
                Option(
                    "--set",
                    help="put a value at a path: phone=+14155550100, lines[0].qty=2; may be given more than once",
                    metavar="PATH=VALUE",
                    action="append",
                ),
                Option("--payload", help="the whole record from a JSON file; - for standard input", metavar="FILE"),
                _BY,
                _JSON,
            ),
            "The value is JSON; what is not JSON is a text. The record must keep its key and its version, and the "
            "mapping must make no error of it, or nothing is changed. What it replaces is kept.",
        ),
        Command(
            "approve",
            "Let held records go: they are sent in a new run of their flow.",
            f"{_HERE}.review:approve",
            (*_SELECTED, _LOCAL, _BY, _JSON),
        ),
        Command(
            "discard",
            "Give records up for good, with a reason.",
            f"{_HERE}.review:discard",
            (
                _numbers("+"),
                Option("--reason", help="why, for those who look for the record later", metavar="TEXT", required=True),
                _BY,
                _JSON,
            ),
            "A new version of the record in the source is tried again by itself.",
        ),
    ),
)

_CONNECTION = Option("connection", help="id of the Airflow connection", metavar="CONNECTION")

_MAPPING_NAME = Option("name", help="name of the mapping: its folder", metavar="NAME")
_VERSION = Option("version", help="number of the version", type=positive, metavar="N")

_MAPPING = Group(
    "mapping",
    "The versions of mappings: what runs, and the decision to run another one.",
    (
        Command(
            "list",
            "List every version of every mapping: draft, active or retired, and the flows that run with it.",
            f"{_HERE}.mapping:list_mappings",
            (_JSON,),
        ),
        Command(
            "show",
            "Show the versions of one mapping, and who decided what, when and why.",
            f"{_HERE}.mapping:show_mapping",
            (_MAPPING_NAME, _JSON),
        ),
        Command(
            "diff",
            "Show how two versions differ: the active one and the newest unless named.",
            f"{_HERE}.mapping:diff",
            (
                _MAPPING_NAME,
                Option("old", help="a version (default: the active one)", type=positive, nargs="?", metavar="OLD"),
                Option("new", help="another (default: the newest)", type=positive, nargs="?", metavar="NEW"),
                _JSON,
            ),
        ),
        Command(
            "try",
            "Run a version over the records that failed and a sample of good ones: what it would clear, break, change.",
            f"{_HERE}.mapping_try:try_version",
            (
                _MAPPING_NAME,
                Option("--version", help="number of the version (default: the newest)", type=positive, metavar="N"),
                Option(
                    "--sample", help="most good records (default: 200)", type=positive, default=200, metavar="N"
                ),
                _JSON,
            ),
            "Writes nothing and calls no system: the good records are those of the last runs that are still staged.",
        ),
        Command(
            "promote",
            "Make a version the active one. Flows that follow the mapping take it with their next run.",
            f"{_HERE}.mapping:promote",
            (
                _MAPPING_NAME,
                _VERSION,
                Option("--reason", help="why", metavar="TEXT"),
                Option("--retry", help="send the failed records again that it can map", action="store_true"),
                _BY,
                _JSON,
            ),
            "What its file says at that moment is what runs, until another version is promoted. Runs under way end "
            "with the version they began with.",
        ),
        Command(
            "retire",
            "Take a version out of use for good. Refused while it is active or a flow pins it.",
            f"{_HERE}.mapping:retire",
            (_MAPPING_NAME, _VERSION, Option("--reason", help="why", metavar="TEXT"), _BY, _JSON),
        ),
    ),
)

_CONNECTORS = Group(
    "connectors",
    "The health of connections.",
    (
        Command(
            "list",
            "List the connections of all flows with their health.",
            f"{_HERE}.connectors:list_connections",
            (_JSON,),
            "A connection is pending before its first call, active when its last call was good, degraded when it ended "
            "in auth, rate limit or outage trouble, and disabled when a person switched it off.",
        ),
        Command(
            "show",
            "Show one connection: its recent errors by class, the flows that use it, and what to do.",
            f"{_HERE}.connectors:show_connection",
            (_CONNECTION, _JSON),
        ),
        Command(
            "describe",
            "Show what a connector declares (objects, paging, write modes, limits), or ask a system for its fields.",
            f"{_HERE}.describe:describe",
            (
                Option("name", help="a connector, a connector file, or the id of a connection", metavar="NAME"),
                Option("object", help="an object: contacts, Account, a table", nargs="?", metavar="OBJECT"),
                Option(
                    "--online", help="ask the system itself, also where NAME is a connector", action="store_true"
                ),
                _JSON,
            ),
            "With the id of a connection that a flow uses the system itself is asked, anew each time: type, required, "
            "length, values, read-only and custom of every field. Without OBJECT: of those that the flows use.",
        ),
        Command(
            "verify",
            "Test one connection now, with one harmless call.",
            f"{_HERE}.switch:verify",
            (_CONNECTION, _JSON),
            "A good call makes a degraded connection active; its flows resume with their next tick.",
        ),
        Command(
            "reconnect",
            "Connect one connection anew, by a person's consent in a browser.",
            f"{_HERE}.reconnect:reconnect",
            (
                _CONNECTION,
                Option(
                    "--port",
                    help="port of the redirect URL on this computer (default: 8765)",
                    type=port,
                    default=8765,
                    metavar="PORT",
                ),
                Option(
                    "--localhost",
                    help="the redirect URL says localhost instead of 127.0.0.1, where the system wants it so",
                    action="store_true",
                ),
                Option(
                    "--timeout",
                    help="seconds to wait for the browser (default: 300)",
                    type=positive,
                    default=300,
                    metavar="N",
                ),
                _JSON,
            ),
            "For connections that sign in with OAuth and a refresh token. It prints the page to open, takes the answer "
            "on http://127.0.0.1:PORT/callback (register that with the app), keeps the token in the store and "
            "verifies. For a key or a password it says where the new one goes.",
        ),
        Command(
            "disable",
            "Switch a connection off: no run makes a call over it.",
            f"{_HERE}.switch:disable",
            (
                _CONNECTION,
                Option("--reason", help="why, for those who find it", metavar="TEXT", required=True),
                _BY,
                _JSON,
            ),
        ),
        Command(
            "enable",
            "Switch a connection on again; its flows resume with their next tick.",
            f"{_HERE}.switch:enable",
            (_CONNECTION, _JSON),
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
            Option(
                "--online",
                help="also ask the systems of each valid flow, and compare their fields with it",
                action="store_true",
            ),
            _JSON,
        ),
        "`--online` opens the connections, writes nothing, and finds what files cannot show: a missing connection or "
        "pool, an unknown field, a required target field that nothing writes, a value that is too long or not allowed.",
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
            Option("--ids", help="only these records, by their key in the source: 17,42", metavar="A,B"),
            Option("--id-range", help="only the records 100 to 200, by their key", type=id_range, metavar="A..B"),
            _JSON,
        ),
        "With a window or ids the cursor does not move, as in a backfill. Ids need a source that can be asked for "
        "single records: a database, or an API with `item`.",
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
    _MAPPING,
    _CONNECTORS,
    Command(
        "drift",
        "Show what changed in the sources since the mappings were promoted, and which rules that touches.",
        f"{_HERE}.drift:drift",
        (
            Option("flow", help="only of this flow", nargs="?", metavar="FLOW"),
            Option("--online", help="also ask the sources which fields they have now", action="store_true"),
            _JSON,
        ),
        "Every run looks at some of the records that it reads. Exit code 1: a rule breaks.",
    ),
    Command(
        "metrics",
        "Show error rate, kinds of errors, time to resolution and success of retries, per flow and day or week.",
        f"{_HERE}.metrics:metrics",
        (
            Option("flow", help="only of this flow", nargs="?", metavar="FLOW"),
            Option("--by", help="day or week (default: day)", choices=("day", "week"), default="day"),
            Option(
                "--since",
                help="from then on: a time, or 30d ago (default: 14 days, or 8 weeks)",
                type=instant_or_ago,
                metavar="T",
            ),
            _JSON,
        ),
        "Every record counts once, however often a tick reads it again.",
    ),
    Command(
        "housekeeping",
        "Remove staged files, customer data of failed records, and runs that are older than their retention.",
        f"{_HERE}.housekeeping:housekeeping",
        (Option("--dry-run", help="only say what would be removed", action="store_true"), _JSON),
        "The DAG flux_housekeeping does it every day.",
    ),
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

"""The argparse parser of the table in `commands`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from airflow_provider_flux import __version__
from airflow_provider_flux.cli.commands import COMMANDS, Command
from airflow_provider_flux.cli.values import did_you_mean

_DESCRIPTION = "One YAML file per flow, one Airflow DAG per flow, and the fate of every record."
_EXIT_CODES = "Exit code: 0 good, 1 problems found, 2 wrong use."


class _Parser(argparse.ArgumentParser):
    """argparse, with errors of one line that say what is near."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        known = [str(choice) for choice in action.choices]
        what = "command" if isinstance(action, argparse._SubParsersAction) else action.dest
        name = action.option_strings[0] if action.option_strings else what
        hint = did_you_mean(str(value), known) or f"; it is one of {', '.join(known)}"
        raise argparse.ArgumentError(None, f"unknown {name} '{value}'{hint}")


def parse(argv: Sequence[str] | None = None, program: str = "airflow-flux") -> argparse.Namespace:
    """The parsed arguments, with their `command`. Wrong ones end the process with code 2, as argparse does."""
    parser = build_parser(program)
    found, unknown = parser.parse_known_args(argv)
    if unknown:
        _refuse(getattr(found, "parser", parser), unknown[0])
    return found


def build_parser(program: str) -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = _Parser(prog=program, description=_DESCRIPTION, epilog=_EXIT_CODES, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = _subparsers(parser)
    for entry in COMMANDS:
        if isinstance(entry, Command):
            _add(commands, entry)
            continue
        group = commands.add_parser(entry.name, help=entry.help, description=entry.help, allow_abbrev=False)
        subcommands = _subparsers(group)
        for command in entry.commands:
            _add(subcommands, command)
    return parser


def _refuse(parser: argparse.ArgumentParser, word: str) -> NoReturn:
    if not word.startswith("-"):
        parser.error(f"unexpected argument '{word}'")
    name = word.partition("=")[0]
    options = [flag for action in parser._actions for flag in action.option_strings]
    parser.error(f"unknown option '{name}'{did_you_mean(name, options)}")


def _subparsers(parser: argparse.ArgumentParser) -> Any:
    return parser.add_subparsers(metavar="COMMAND", dest="subcommand", required=True, parser_class=_Parser)


def _add(commands: Any, command: Command) -> None:
    description = f"{command.help} {command.details}".strip()
    parser = commands.add_parser(command.name, help=command.help, description=description, allow_abbrev=False)
    for option in command.options:
        parser.add_argument(*option.flags, help=option.help, **option.more)
    parser.set_defaults(command=command, parser=parser)

"""`airflow flux ...`: the same commands under Airflow's own command line (3.x; 2.11 has no such door).

Airflow imports this module on every call of `airflow`: it loads the table of commands and nothing else of Flux.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING

from airflow_provider_flux.cli.commands import COMMANDS, Command, Group, Option

if TYPE_CHECKING:
    from airflow.cli.cli_config import ActionCommand, Arg, GroupCommand


def get_flux_cli_commands() -> list[GroupCommand]:
    """The commands of Flux in Airflow's form, for the key `cli` of the provider."""
    from airflow.cli.cli_config import GroupCommand

    return [GroupCommand(name="flux", help="Flows of Flux, and the fate of every record", subcommands=_all())]


def _all() -> list[ActionCommand | GroupCommand]:
    return [_group(entry) if isinstance(entry, Group) else _action(entry) for entry in COMMANDS]


def _group(group: Group) -> GroupCommand:
    from airflow.cli.cli_config import GroupCommand

    return GroupCommand(name=group.name, help=group.help, subcommands=[_action(command) for command in group.commands])


def _action(command: Command) -> ActionCommand:
    from airflow.cli.cli_config import ActionCommand

    return ActionCommand(
        name=command.name,
        help=command.help,
        func=_runner(command),
        args=[_argument(option) for option in command.options],
        description=f"{command.help} {command.details}".strip(),
    )


def _argument(option: Option) -> Arg:
    from airflow.cli.cli_config import Arg

    return Arg(flags=option.flags, help=option.help, **option.more)  # type: ignore[no-untyped-call]


def _runner(command: Command) -> Callable[[Namespace], None]:
    def run(arguments: Namespace) -> None:
        from airflow_provider_flux.cli.entry import execute, logs_to_stderr

        logs_to_stderr()
        raise SystemExit(execute(command, arguments))

    return run

"""Prints docs/cli.md from the table of commands: `python -m tools.cli_docs`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow_provider_flux.cli.commands import Command, Option, all_commands

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"

_INTRODUCTION = """\
# The command line

<!-- Made by `python -m tools.cli_docs` from airflow_provider_flux/cli/commands.py; do not edit. -->

`airflow-flux COMMAND` comes with the provider. On Airflow 3 the same commands are also `airflow flux COMMAND`; they
then take Airflow's own start of some seconds.

* Exit code: 0 good, 1 problems found, 2 wrong use.
* `--json` prints one JSON document on standard output. Progress and remarks go to standard error.
* Without `--json` a terminal gets tables; a pipe or a file gets plain columns, one row per line.
* Flow files, store and staging are those of the section `[flux]` of Airflow's configuration, or of the variables
  `AIRFLOW__FLUX__INCLUDE`, `AIRFLOW__FLUX__STORE` and `AIRFLOW__FLUX__STAGING`. See
  [getting started](getting-started.md).
* Connections come from `AIRFLOW_CONN_<ID>` variables, and from Airflow where there is no such variable.
"""


def page() -> str:
    """The text of docs/cli.md."""
    return _INTRODUCTION + "".join(_section(name, command) for name, command in all_commands())


def _section(name: str, command: Command) -> str:
    lines = ["", f"## {name}", "", f"{command.help} {command.details}".strip(), "", "```"]
    lines += [f"airflow-flux {name} {' '.join(_usage(option) for option in command.options)}".strip(), "```", ""]
    if command.options:
        lines += ["| argument | meaning |", "|---|---|"]
        lines += [f"| `{_name(option)}` | {_meaning(option)} |" for option in command.options]
    return "\n".join(lines).rstrip() + "\n"


def _usage(option: Option) -> str:
    if option.flags[0].startswith("-"):
        return _name(option) if option.more.get("required") else f"[{_name(option)}]"
    many = {"?": f"[{_name(option)}]", "*": f"[{_name(option)} ...]"}
    return many.get(option.more.get("nargs", ""), _name(option))


def _name(option: Option) -> str:
    flag = option.flags[0]
    if option.more.get("action") == "store_true":
        return flag
    value = option.more.get("metavar") or _choices(option.more.get("choices"))
    return f"{flag} {value}" if flag.startswith("-") else str(value)


def _choices(choices: Any) -> str:
    return "{" + ",".join(choices) + "}"


def _meaning(option: Option) -> str:
    return option.help[0].upper() + option.help[1:]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

"""The way in: parse, run the command, and turn what goes wrong into a message and an exit code."""

from __future__ import annotations

import logging
import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from importlib import import_module

from airflow_provider_flux.cli.commands import Command
from airflow_provider_flux.cli.output import Output
from airflow_provider_flux.cli.parser import parse
from airflow_provider_flux.cli.values import UsageError
from airflow_provider_flux.errors import FluxError

GOOD, PROBLEMS, WRONG_USE, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run `airflow-flux` and return its exit code.

    :param argv: the arguments without the program's name; those of the process unless given
    """
    arguments = parse(argv)
    return execute(arguments.command, arguments)


def execute(command: Command, arguments: Namespace) -> int:
    """Run one command. Only what people can act on is caught: anything else is a fault of Flux and shows its trace."""
    module, _, function = command.run.partition(":")
    out = Output(json=getattr(arguments, "json", False))
    try:
        code: int = getattr(import_module(module), function)(arguments, out)
        sys.stdout.flush()
        return code
    except UsageError as error:
        out.refuse(str(error))
        return WRONG_USE
    except FluxError as error:
        out.fail(error)
        return PROBLEMS
    except KeyboardInterrupt:
        out.note("Stopped.")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output is gone (`| head`). Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PROBLEMS


def logs_to_stderr() -> None:
    """Under `airflow flux` Airflow logs to standard output, which belongs to the command's own answer."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stdout:
            handler.setStream(sys.stderr)

"""Values that a person types on the command line."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Iterable
from datetime import UTC, datetime


class UsageError(Exception):
    """The command was used wrongly: one line that says what to type instead. Exit code 2."""


def positive(text: str) -> int:
    """:raises argparse.ArgumentTypeError: when it is not a whole number above 0"""
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number above 0")
    return int(text)


def instant(text: str) -> datetime:
    """An ISO 8601 date or date and time; without a zone it is UTC.

    :raises argparse.ArgumentTypeError: when it is neither
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a date or time; write 2026-01-31 or 2026-01-31T13:00:00Z"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`, did you mean 'x'?` when something known is near, or nothing."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f", did you mean '{near[0]}'?" if near else ""


def counted(number: int, noun: str) -> str:
    """`1 flow`, `2 flows`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

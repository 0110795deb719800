"""Values that a person types on the command line."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta


class UsageError(Exception):
    """The command was used wrongly: one line that says what to type instead. Exit code 2."""


def positive(text: str) -> int:
    """:raises argparse.ArgumentTypeError: when it is not a whole number above 0"""
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number above 0")
    return int(text)


def port(text: str) -> int:
    """:raises argparse.ArgumentTypeError: when it is no port that a program may take"""
    if not (text.isascii() and text.isdigit() and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"'{text}' is not a port: 1 to 65535, or 0 for a free one")
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


def instant_or_ago(text: str) -> datetime:
    """An instant, or how long ago it was: `2h`, `7d`.

    :raises argparse.ArgumentTypeError: when it is neither
    """
    ago = re.fullmatch(r"([0-9]{1,6})([mhd])", text)
    if ago is None:
        try:
            return instant(text)
        except argparse.ArgumentTypeError as error:
            raise argparse.ArgumentTypeError(f"{error}, or how long ago: 30m, 2h, 7d") from None
    unit = {"m": "minutes", "h": "hours", "d": "days"}[ago[2]]
    try:
        return datetime.now(UTC) - timedelta(**{unit: int(ago[1])})
    except OverflowError:
        raise argparse.ArgumentTypeError(f"'{text}' ago is before the first year") from None


def id_range(text: str) -> tuple[int, int]:
    """`100..200`: the first and the last of whole numbers in a row.

    :raises argparse.ArgumentTypeError: when it is not such a range
    """
    first, dots, last = text.partition("..")
    try:
        found = int(first), int(last)
    except ValueError:
        dots = ""
    if not dots or found[0] > found[1]:
        raise argparse.ArgumentTypeError(f"'{text}' is not a range of whole numbers, for example 100..200")
    return found


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`, did you mean 'x'?` when something known is near, or nothing."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f", did you mean '{near[0]}'?" if near else ""


def counted(number: int, noun: str) -> str:
    """`1 flow`, `2 flows`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def moment(instant: str | None) -> str:
    """An instant of the store, to the minute; an empty text for none."""
    return "" if instant is None else f"{instant[:10]} {instant[11:16]}"

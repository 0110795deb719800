"""Transforms of the names of people and places."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field

from airflow_provider_flux.connectors.options import Model
from airflow_provider_flux.mapping.transforms.base import Apply, Example, Transform, plain, text_of

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_ELISION = re.compile(r"([^\W_])(['’])(.+)")


def title(value: Any) -> str:
    text: str = value if type(value) is str else text_of(value)
    if text.isalpha():
        return text.capitalize()
    return _WORD.sub(_capitalize, text)


def _capitalize(match: re.Match[str]) -> str:
    # O'Neil and D'Arcy, but John's: after a single letter and an apostrophe a new word begins.
    elision = _ELISION.fullmatch(match[0])
    if elision is None:
        return match[0].capitalize()
    return elision[1].upper() + elision[2] + elision[3].capitalize()


class SplitName(Model):
    """Arguments of `split_name`."""

    part: Literal["first", "last"] = Field(description="`first` is the first word, `last` is all that follows it.")


def split_name(arguments: SplitName) -> Apply:
    part = 0 if arguments.part == "first" else 1

    def apply(value: Any) -> str | None:
        return _split(text_of(value))[part] or None

    return apply


def _split(name: str) -> tuple[str, str]:
    last, comma, first = name.partition(",")
    if comma and first.strip():
        return " ".join(first.split()), " ".join(last.split())
    words = last.split()
    return (words[0], " ".join(words[1:])) if words else ("", "")


TRANSFORMS = (
    Transform(
        "title", "Capitalises every word and makes its other letters small.", plain(title),
        (
            Example("ADA lovelace", "Ada Lovelace"), Example("jean-luc o'neil", "Jean-Luc O'Neil"),
            Example("john's café", "John's Café"), Example({}, fails="is an object; text is needed"),
        ),
    ),
    Transform(
        "split_name", "Takes one part of a full name; understands `Last, First` too.", split_name, arguments=SplitName,
        examples=(
            Example("Ada King Lovelace", "Ada", {"part": "first"}),
            Example("Ada King Lovelace", "King Lovelace", {"part": "last"}),
            Example("Lovelace, Ada", "Lovelace", {"part": "last"}), Example("Ada", None, {"part": "last"}),
            Example({}, arguments={"part": "first"}, fails="is an object; text is needed"),
        ),
    ),
)

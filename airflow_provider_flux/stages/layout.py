"""Labelled lines of at most 100 columns, for logs and terminals."""

from __future__ import annotations

import json
import textwrap

WIDTH = 100
"""Columns that a line has at most; a longer word, as an address, is left whole."""

_LABEL = 10


def row(label: str, text: str) -> list[str]:
    """A label and its text, which goes on below where it began."""
    first, *rest = [part for line in text.split("\n") for part in folded(line, WIDTH - _LABEL - 2)]
    return [f"  {label:<{_LABEL - 1}} {first}".rstrip(), *(f"{'':<{_LABEL + 2}}{line}" for line in rest)]


def folded(line: str, width: int) -> list[str]:
    """A line in pieces of a width; words are left whole."""
    return textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""]


def raw(label: str, text: str, limit: int = 300) -> list[str]:
    """The beginning of a record or of an answer, folded wherever the line ends."""
    line = " ".join(_spaced(text).split())
    if len(line) > limit:
        line = f"{line[: limit - 1]}… ({len(text)} characters)"
    return row(label, "\n".join(textwrap.wrap(line, WIDTH - _LABEL - 2, break_on_hyphens=False)))


def _spaced(text: str) -> str:
    """JSON with blanks between its members, so that it can be folded there; any other text as it is."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except (ValueError, RecursionError):
        return text

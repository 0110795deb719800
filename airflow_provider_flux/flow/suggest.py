"""Small words that every problem uses: what is allowed, and what was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_MOST = 20


def allowed(word: object, options: Iterable[str]) -> str:
    """` Did you mean x? Allowed: x, y, z.`, to stand behind a sentence; empty without options."""
    names = list(options)
    if not names:
        return ""
    return f"{did_you_mean(word, names)} Allowed: {listing(names)}."


def nearest(word: object, options: Iterable[str]) -> str | None:
    """The option that looks most like the word, if one does."""
    by_lower = {name.lower(): name for name in options}
    near = difflib.get_close_matches(str(word).lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[near[0]] if near else None


def did_you_mean(word: object, options: Iterable[str]) -> str:
    """` Did you mean x?`, or nothing where no option looks alike."""
    near = nearest(word, options)
    return "" if near is None else f" Did you mean `{near}`?"


def listing(names: Iterable[str]) -> str:
    """The names with commas; of very many only the first."""
    shown = list(names)
    more = f" and {len(shown) - _MOST} more" if len(shown) > _MOST else ""
    return ", ".join(shown[:_MOST]) + more

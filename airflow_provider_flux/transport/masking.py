"""Keeps secrets out of every text that leaves the transport."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

_SHORTEST = 3  # a shorter "secret" would blacken half of every text and hide nothing worth hiding
_NAMES = re.compile(r"auth|token|key|secret|passw|cookie|session|credential|signature", re.IGNORECASE)


def is_secret_name(name: str) -> bool:
    """Whether a header or parameter of that name usually carries a secret."""
    return _NAMES.search(name) is not None


class Masker:
    """Replaces known secrets by `***`, also in the forms they take in URLs and in JSON."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._known: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Know these secrets from now on, too: a token that was fetched later."""
        new = frozenset(secrets) - self._known
        if not new:
            return
        self._known |= new
        forms = {form for secret in self._known for form in _forms(secret) if len(form) >= _SHORTEST}
        # Longest first: a secret may be the beginning of another.
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def __call__(self, text: str) -> str:
        return self._pattern.sub("***", text) if self._pattern else text


def _forms(secret: str) -> tuple[str, ...]:
    return secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]

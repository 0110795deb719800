"""Keeps Python's cycle collector from walking through the same records again and again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNG = 50_000
"""New objects between two collections. A batch of a thousand records is about that many dictionaries and lists."""


@contextmanager
def few_collections() -> Iterator[None]:
    """Collect cycles rarely while records pass through.

    Records hold no cycles, but Python looks for some after every 700 new dictionaries: a third of the CPU of decoding a
    batch. Whatever is imported by now stays for good and is left out of the search.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_YOUNG, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()

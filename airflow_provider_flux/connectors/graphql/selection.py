"""What a query selects of a record: field paths, as flow files name them, as the selection of a GraphQL document.

    select(["id", "customer.email", "lineItems.sku"], {"lineItems": 20})

selects `id customer { email } lineItems(first: 20) { nodes { sku } pageInfo { hasNextPage endCursor } }`. Lists within
a record are Relay connections of their own; a record carries them as plain lists (see `nested`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_PAGE_INFO = "pageInfo { hasNextPage endCursor }"

Tree = dict[str, "Tree"]


@dataclass(frozen=True)
class Selection:
    """:param text: what is selected of a record
    :param lists: by the name of a list within the record, what is selected of its entries
    """

    text: str
    lists: Mapping[str, str] = field(default_factory=dict)


def select(paths: Iterable[str], lists: Mapping[str, int]) -> Selection:
    """The selection of these paths.

    :param lists: connections within the record, and how many entries of each come with it
    :raises ValueError: for what is no path, is selected both whole and in parts, or is a list of which nothing is said
    """
    tree = _tree(paths)
    inner = {name: _text(tree[name]) for name in tree if name in lists}
    empty = [name for name, text in inner.items() if not text]
    if empty:
        raise ValueError(f"`{empty[0]}` is a list: say which fields of its entries are read, as `{empty[0]}.id`")
    text = " ".join(
        f"{name}(first: {lists[name]}) {{ nodes {{ {inner[name]} }} {_PAGE_INFO} }}"
        if name in lists
        else _text({name: below})
        for name, below in tree.items()
    )
    return Selection(text, inner)


def head(path: str) -> str:
    """The field of the record that a path begins with."""
    return path.partition(".")[0]


def _tree(paths: Iterable[str]) -> Tree:
    tree: Tree = {}
    whole: set[str] = set()
    for path in dict.fromkeys(paths):
        if not _PATH.fullmatch(path):
            raise ValueError(f"`{path}` is not a field: write names joined by dots, as `defaultAddress.city`")
        here = tree
        for name in path.split("."):
            here = here.setdefault(name, {})
        whole.add(path)
    for path in whole:
        if any(other.startswith(f"{path}.") for other in whole):
            raise ValueError(f"`{path}` is read both whole and in parts; name its parts only")
    return tree


def _text(tree: Tree) -> str:
    return " ".join(f"{name} {{ {_text(below)} }}" if below else name for name, below in tree.items())

"""Read one YAML file: plain data, and the place of every key and value in it.

The dialect is narrow on purpose, so that a file means what it seems to mean:

* plain `true`, `false`, `null`, whole numbers and decimal numbers are typed; everything else is text. `yes`, `no`,
  `on`, `off`, dates, `12:30:00`, `0123` and `1_000` stay text (YAML 1.1 makes booleans, dates and numbers of them).
* keys are always text; a key written twice is an error.
* anchors, aliases, merge keys (`<<`) and tags are errors: what belongs together is shared through a connector file.
* one document of at most 1 MB in UTF-8.

The C parser composes nodes, which know their place, and plain data is built from the nodes here: this costs less than
half of what `yaml.CSafeLoader` does, and places are at hand when something is wrong.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from yaml._yaml import CParser
from yaml.error import MarkedYAMLError
from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, NodeEvent
from yaml.nodes import MappingNode, Node, ScalarNode

from airflow_provider_flux.errors import ConfigError, Problem
from airflow_provider_flux.flow.yaml_syntax import syntax_problem

MAX_BYTES = 1_000_000
MAX_DEPTH = 50
"""Levels of nesting. Without a limit a file of 100 kB that consists of `[` ends the process (the C parser recurses)."""

_TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"
# Tags of our own, with a character that no tag in a file can hold.
_PLAIN, _TEXT, _BLOCK = "\0plain", "\0text", "\0block"
_OURS = frozenset((_PLAIN, _TEXT, _BLOCK))
_TYPED: dict[str, bool | None] = dict.fromkeys(("", "~", "null", "Null", "NULL"))
_TYPED |= dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,99})")
_DECIMAL = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# What may begin an anchor or an alias. Text such as "a *b" may match, too; the events decide.
_SUSPECT = re.compile(r"(?:^|[\s\[{,:])[&*][\w-]")
_OPENERS = re.compile(r"[\[{]|[-?]\s")

Where = tuple[str | int, ...]


class _Composer(CParser):
    """Composes nodes; `_plain` decides on types, so PyYAML's resolver is not asked."""

    def resolve(self, kind: type[Node], value: str | None, implicit: Any) -> str:
        if kind is ScalarNode:
            return _PLAIN if implicit[0] else _TEXT
        return _BLOCK

    def descend_resolver(self, parent: Node | None, index: object) -> None: ...

    def ascend_resolver(self) -> None: ...


class Document:
    """The content of one file.

    :param file: its name for people
    :param data: keys and values
    """

    def __init__(self, file: str, data: dict[str, Any], root: MappingNode) -> None:
        self.file = file
        self.data = data
        self._root = root

    def problem(self, path: Sequence[str | int], message: str, *, on_key: bool = False) -> Problem:
        """A problem with what stands at `path`.

        :param on_key: the key itself is at fault, not its value
        """
        line, column = self.place(path, on_key=on_key)
        return Problem(self.file, line, column, dotted(path), message)

    def place(self, path: Sequence[str | int], *, on_key: bool = False) -> tuple[int, int]:
        """Line and column (from 1) of a value or of its key.

        Of the key, too, for a value that begins in a line below it; of the nearest key around it for one that does not
        exist.
        """
        name: Node | None = None
        value: Node = self._root
        for step in path:
            found = _child(value, step)
            if found is None:
                on_key = True
                break
            name, value = found
        below = name is not None and name.start_mark.line < value.start_mark.line
        mark = (name if name is not None and (on_key or below) else value).start_mark
        return mark.line + 1, mark.column + 1


def dotted(path: Sequence[str | int]) -> str:
    """`("rules", 2, "to")` as `rules[2].to`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def stands_in(data: Any, path: Sequence[str | int]) -> bool:
    """Whether plain data has a value at the path."""
    for step in path:
        if isinstance(data, dict):
            if step not in data:
                return False
            data = data[step]
        elif isinstance(data, list) and isinstance(step, int) and 0 <= step < len(data):
            data = data[step]
        else:
            return False
    return True


def read_file(path: Path, file: str) -> Document:
    """Read and parse one file.

    :param file: the name that problems show
    :raises ConfigError: with a placed problem when the file cannot be read or is not such YAML
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise _refused(file, f"cannot be read: {error.strerror}") from error
    return parse(content, file)


def parse(content: bytes, file: str) -> Document:
    """:raises ConfigError: with every duplicate key, or with the first fault of the syntax"""
    text = _decode(content, file)
    _refuse_extras(text, file)
    try:
        root = _Composer(text).get_single_node()
    except MarkedYAMLError as error:
        raise ConfigError([syntax_problem(error, text, file)]) from error
    if root is None or (type(root) is ScalarNode and root.tag == _PLAIN and root.value in ("", "~", "null")):
        raise _refused(file, "the file is empty")
    if type(root) is not MappingNode:
        raise _refused(file, "the file must consist of keys with values, for example `description: ...`")
    problems: list[Problem] = []
    data = _value(root, (), file, problems)
    if problems:
        raise ConfigError(problems)
    return Document(file, data, root)


def _decode(content: bytes, file: str) -> str:
    if len(content) > MAX_BYTES:
        raise _refused(file, f"the file is larger than {MAX_BYTES // 1_000_000} MB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        raise _refused(file, f"the file is not UTF-8: byte 0x{content[error.start]:02x}", before) from None
    found = _UNPRINTABLE.search(text)
    if found:
        raise _refused(file, f"the control character U+{ord(found[0]):04X} is not allowed", text[: found.start()])
    return text


def _refuse_extras(text: str, file: str) -> None:
    """Refuse anchors, aliases and deep nesting, which nodes do not show. The slow look happens only where needed."""
    if not _SUSPECT.search(text) and len(_OPENERS.findall(text)) <= MAX_DEPTH * 10:
        return
    depth = 0
    try:
        for event in _events(text):
            if isinstance(event, CollectionEndEvent):
                depth -= 1
            elif isinstance(event, NodeEvent):
                depth += isinstance(event, CollectionStartEvent)
                _refuse_event(event, depth, file)
    except MarkedYAMLError as error:
        raise ConfigError([syntax_problem(error, text, file)]) from error


def _events(text: str) -> Iterator[Any]:
    parser = CParser(text)
    while parser.check_event():
        yield parser.get_event()


def _refuse_event(event: NodeEvent, depth: int, file: str) -> None:
    if isinstance(event, AliasEvent):
        message = f"the alias `*{event.anchor}` is not allowed: write values out, or share them in a connector file"
    elif event.anchor is not None:
        message = f"the anchor `&{event.anchor}` is not allowed: write values out, or share them in a connector file"
    elif depth > MAX_DEPTH:
        message = _TOO_DEEP
    else:
        return
    raise ConfigError([_at(event.start_mark, file, "", message)])


def _value(node: Any, path: Where, file: str, problems: list[Problem]) -> Any:
    if node.tag not in _OURS:
        problems.append(_tag_problem(node, path, file))
    kind = type(node)
    if kind is ScalarNode:
        return _plain(node.value) if node.tag is _PLAIN else node.value
    if len(path) >= MAX_DEPTH:
        problems.append(_at(node.start_mark, file, "", _TOO_DEEP))
        return None
    if kind is MappingNode:
        return _block(node, path, file, problems)
    return [_value(item, (*path, index), file, problems) for index, item in enumerate(node.value)]


def _block(node: MappingNode, path: Where, file: str, problems: list[Problem]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name, value in node.value:
        key = name.value
        if name.tag not in _OURS:
            problems.append(_tag_problem(name, path, file))
        elif type(name) is not ScalarNode:
            problems.append(_key_problem(name, path, file, "a key must be text"))
        elif key == "<<" and name.tag == _PLAIN:
            problems.append(_key_problem(name, path, file, "merge keys (`<<`) are not allowed: write the keys out"))
        elif key in data:
            first = next(other for other, _ in node.value if other.value == key).start_mark.line + 1
            problems.append(_key_problem(name, (*path, key), file, f"the key is written twice; first in line {first}"))
        else:
            data[key] = _value(value, (*path, key), file, problems)
    return data


def _plain(text: str) -> Any:
    """The value of a scalar without quotes."""
    if text in _TYPED:
        return _TYPED[text]
    if text[0] in "+-.0123456789":
        if _INTEGER.fullmatch(text):
            return int(text)
        if _DECIMAL.fullmatch(text) and math.isfinite(number := float(text)):
            return number
    return text


def _child(node: Node, step: str | int) -> tuple[Node, Node] | None:
    if isinstance(node, MappingNode):
        return next(((name, value) for name, value in node.value if name.value == step), None)
    if isinstance(node, ScalarNode) or not isinstance(step, int) or not 0 <= step < len(node.value):
        return None
    return node.value[step], node.value[step]


def _tag_problem(node: Node, path: Where, file: str) -> Problem:
    shown = node.tag.replace("tag:yaml.org,2002:", "!!")
    return _at(node.start_mark, file, dotted(path), f"the tag `{shown}` is not allowed: write plain values only")


def _key_problem(name: Node, path: Where, file: str, message: str) -> Problem:
    return _at(name.start_mark, file, dotted(path), message)


def _at(mark: Any, file: str, path: str, message: str) -> Problem:
    return Problem(file, mark.line + 1, mark.column + 1, path, message)


def _refused(file: str, message: str, before: str = "") -> ConfigError:
    """A problem that stands right after the text `before`."""
    line = before.count("\n") + 1
    return ConfigError([Problem(file, line, len(before) - (before.rfind("\n") + 1) + 1, "", message)])

"""As much of SOQL as Flux sends, read strictly: whatever is not of this form is a MALFORMED_QUERY."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^'\\]|\\.)*')
      | (?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)
      | (?P<number>-?\d+(?:\.\d+)?)
      | (?P<word>[A-Za-z_][\w.]*)
      | (?P<sign>>=|<=|[=<>(),])
    )""",
    re.VERBOSE,
)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}

Record = dict[str, Any]
Test = Callable[[Record], bool]


class Malformed(ValueError):
    """The query is not SOQL."""


@dataclass(frozen=True)
class Query:
    """A query that was read."""

    fields: tuple[str, ...]
    name: str
    keeps: Test
    order: tuple[str, ...]
    used: frozenset[str]
    ids: tuple[str, ...]


def parse(text: str) -> Query:
    """:raises Malformed: when it is none"""
    return _Parser(text).query()


def compared(value: Any) -> Any:
    """A value as Salesforce compares it: text without regard to case."""
    return value.lower() if isinstance(value, str) else value


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        self.used: set[str] = set()
        self.ids: list[str] = []
        place = 0
        while place < len(text.rstrip()):
            match = _TOKEN.match(text, place)
            if match is None:
                raise Malformed(f"unexpected token: {text[place:place + 20]!r}")
            self.tokens.append((match.lastgroup or "", match[match.lastgroup or 0]))
            place = match.end()
        self.place = 0

    def query(self) -> Query:
        self.expect("SELECT")
        fields = [self.field()]
        while self.accept(","):
            fields.append(self.field())
        self.expect("FROM")
        name = self.take("word")
        keeps: Test = self.conditions() if self.accept("WHERE") else lambda record: True
        order: list[str] = []
        if self.accept("ORDER"):
            self.expect("BY")
            order.append(self.field())
            while self.accept(","):
                order.append(self.field())
        if self.place != len(self.tokens):
            raise Malformed(f"unexpected token: {self.tokens[self.place][1]!r}")
        return Query(tuple(fields), name, keeps, tuple(order), frozenset(self.used), tuple(self.ids))

    def conditions(self) -> Test:
        tests = [self.condition()]
        while self.accept("AND"):
            tests.append(self.condition())
        return lambda record: all(test(record) for test in tests)

    def condition(self) -> Test:
        if self.accept("("):
            tests = [self.conditions()]
            while self.accept("OR"):
                tests.append(self.conditions())
            self.expect(")")
            return lambda record: any(test(record) for test in tests)
        name = self.field()
        if self.accept("IN"):
            self.expect("(")
            values = [self.literal()]
            while self.accept(","):
                values.append(self.literal())
            self.expect(")")
            self.ids += values if name == "Id" else []
            return lambda record: compared(record.get(name)) in values
        sign, value = self.take("sign"), self.literal()
        self.ids += [value] if name == "Id" else []
        tests_of: dict[str, Callable[[Any], bool]] = {
            "=": lambda found: found == value,
            ">=": lambda found: found >= value,
            "<": lambda found: found < value,
        }
        if sign not in tests_of:
            raise Malformed(f"unexpected operator {sign!r}")
        test = tests_of[sign]
        return lambda record: record.get(name) is not None and test(compared(record[name]))

    def literal(self) -> Any:
        kind, text = self.next()
        if kind == "text":
            return compared(re.sub(r"\\(.)", lambda match: _ESCAPED.get(match[1], match[1]), text[1:-1]))
        if kind == "number":
            return float(text) if "." in text else int(text)
        if kind == "moment":
            return compared(text[:-1] + "+0000")
        if text in ("true", "false"):
            return text == "true"
        raise Malformed(f"unexpected token: {text!r}")

    def field(self) -> str:
        name = self.take("word")
        self.used.add(name)
        return name

    def next(self) -> tuple[str, str]:
        if self.place == len(self.tokens):
            raise Malformed("unexpected end of the query")
        self.place += 1
        return self.tokens[self.place - 1]

    def take(self, kind: str) -> str:
        found, text = self.next()
        if found != kind:
            raise Malformed(f"unexpected token: {text!r}")
        return text

    def accept(self, word: str) -> bool:
        if self.place < len(self.tokens) and self.tokens[self.place][1].upper() == word:
            self.place += 1
            return True
        return False

    def expect(self, word: str) -> None:
        if not self.accept(word):
            raise Malformed(f"expecting {word!r}")

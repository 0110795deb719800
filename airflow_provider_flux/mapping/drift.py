"""What changed in a source, by two observations of its records, and which rules of a mapping that touches.

A share is only taken for a change where chance does not explain it: a field that was in every tenth record and is in
none of the next ten is no news.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from airflow_provider_flux.mapping.engine import Mapping
from airflow_provider_flux.mapping.shape import FieldShape, Shape

Kind = Literal["added", "removed", "renamed", "retyped", "emptied"]

FEWEST = 10
"""Records that must have been observed on both sides before anything counts."""
_CHANCE = 0.001
_ALIKE = 0.6
_MOST, _HARDLY_ANY = 0.5, 0.1  # shares of the records that have a field
_MANY = 0.5  # share of empty values that is news where it was below _FEW
_FEW = 0.05
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


@dataclass(frozen=True)
class RuleAtRisk:
    """A rule that reads a field that changed.

    :param breaks: whether records fail by it for certain
    """

    target: str
    path: str
    breaks: bool
    why: str


@dataclass(frozen=True)
class Drift:
    """One change of a source.

    :param path: the field; of a renamed one, its old name
    :param now: its new name, or its new type
    :param before: its type before
    :param example: a value as it comes now
    """

    kind: Kind
    path: str
    before: str | None = None
    now: str | None = None
    example: str | None = None
    rules: tuple[RuleAtRisk, ...] = ()

    def __str__(self) -> str:
        if self.kind == "renamed":
            return f"{self.path} was renamed to {self.now}"
        if self.kind == "retyped":
            return f"{self.path} was {self.before} and is {self.now} now"
        if self.kind == "emptied":
            return f"{self.path} is empty in most records now"
        return f"{self.path} is gone" if self.kind == "removed" else f"{self.path} is new"


def drifts(before: Shape, now: Shape, mapping: Mapping | None = None) -> list[Drift]:
    """What changed, the changes that touch rules first.

    :param mapping: whose rules are looked at
    """
    if min(before.records, now.records) < FEWEST:
        return []
    removed = [path for path in before.fields if _gone(before, now, path)]
    added = [path for path in now.fields if _gone(now, before, path)]
    renamed = dict(_renamed(before, now, removed, added))
    found = [Drift("renamed", old, now=new, example=now.fields[new].example) for old, new in renamed.items()]
    found += [Drift("removed", path, before.fields[path].type) for path in _topmost(removed) if path not in renamed]
    taken = set(renamed.values())
    found += [
        Drift("added", path, now=now.fields[path].type, example=now.fields[path].example)
        for path in _topmost(added)
        if path not in taken
    ]
    for path, field in now.fields.items():
        if path in before.fields and path not in removed and path not in added:
            found += _changed(path, before.fields[path], field)
    return in_order([with_rules(drift, mapping) for drift in found])


def in_order(found: Iterable[Drift]) -> list[Drift]:
    """Those that touch rules first."""
    return sorted(found, key=lambda drift: (not drift.rules, drift.path))


def with_rules(drift: Drift, mapping: Mapping | None) -> Drift:
    """The change with the rules that it touches."""
    if mapping is None or drift.kind == "added":
        return drift
    rules = tuple(
        RuleAtRisk(rule.target, path, *_risk(drift, part, rule.required and not rule.has_default))
        for rule in mapping.rules
        for path in rule.paths
        if (part := _part(path, drift.path)) is not None
    )
    return Drift(drift.kind, drift.path, drift.before, drift.now, drift.example, rules)


def _gone(first: Shape, second: Shape, path: str) -> bool:
    """Whether a field of the first is in none of the second, where chance does not explain it, or in hardly any."""
    share = first.fields[path].seen / (first.records + 1)
    left = second.fields.get(path)
    if left is None:
        return (1 - share) ** second.records < _CHANCE
    # Both shapes come for a while when a source changes step by step.
    return share >= _MOST and left.seen <= _HARDLY_ANY * second.records


def _topmost(paths: Iterable[str]) -> list[str]:
    """Without those that lie below another one."""
    known = set(paths)
    return [path for path in known if not any(path.startswith((f"{other}.", f"{other}[")) for other in known)]


def _renamed(before: Shape, now: Shape, removed: list[str], added: list[str]) -> Iterator[tuple[str, str]]:
    """Pairs of a removed and an added field in the same place that match in type and in name, the likest first."""
    pairs = [
        (_likeness(_last(old), _last(new)), old, new)
        for old in removed
        for new in added
        if _parent(old) == _parent(new) and before.fields[old].type == now.fields[new].type
    ]
    used: set[str] = set()
    for likeness, old, new in sorted(pairs, reverse=True):
        if likeness >= _ALIKE and not {old, new} & used:
            used |= {old, new}
            yield old, new


def _likeness(one: str, other: str) -> float:
    """How alike two names are, from 0 to 1: `phone` and `phoneNumber` share a word."""
    words, others = _words(one), _words(other)
    if words and others and (words <= others or others <= words):
        return 1.0
    return SequenceMatcher(None, one.lower(), other.lower()).ratio()


def _words(name: str) -> set[str]:
    return {word.lower() for word in _WORDS.findall(name)}


def _last(path: str) -> str:
    return path[len(_parent(path)) :].strip(".[]\"'")


def _parent(path: str) -> str:
    if path.endswith(('"]', "']")):
        return path[: path.rindex("[")]
    return path.rpartition(".")[0]


def _changed(path: str, before: FieldShape, now: FieldShape) -> list[Drift]:
    other = now.type not in (before.type, None) and before.type is not None
    if other and (before.type, now.type) != ("number", "integer"):
        return [Drift("retyped", path, before.type, now.type, now.example)]
    rarely, often = before.empty <= _FEW * before.seen, now.empty >= _MANY * now.seen
    return [Drift("emptied", path, before.type)] if rarely and often and now.seen >= FEWEST else []


def _risk(drift: Drift, part: bool, required: bool) -> tuple[bool, str]:
    """Whether records fail for certain, and what happens.

    :param part: the rule reads more than what changed
    """
    if part:
        return False, "a part of what it reads changed"
    if drift.kind == "retyped":
        return False, "its transforms may refuse the new type"
    if drift.kind == "emptied":
        return False, "records without a value fail: it is required" if required else "it writes nothing there"
    return (True, "every record fails: it is required") if required else (False, "it writes nothing any more")


def _part(path: str, changed: str) -> bool | None:
    """Whether a rule that reads `path` reads more than the changed field; None where it does not read it at all."""
    read, other = _plain(path), _plain(changed)
    if read == other or read.startswith((f"{other}.", f"{other}[")):
        return False
    return True if other.startswith((f"{read}.", f"{read}[")) else None


def _plain(path: str) -> str:
    """`addresses[0].city` as `addresses[*].city`: a shape knows no positions."""
    return re.sub(r"\[\d+\]", "[*]", path)

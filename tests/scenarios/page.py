"""The page docs/troubleshooting.md as the scenarios use it: they take its files, fixes and commands from it.

A code block that a scenario uses has a comment above it: `<!-- kind: name -->`. Kinds: `file` is a whole file of the
include folder, `fix` is what to change, `run` are commands, `shown` is what they print (`...` stands for anything).
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import yaml

PAGES = tuple(Path(__file__).parents[2] / "docs" / name for name in ("troubleshooting.md", "fixing-errors.md"))

_SNIPPET = re.compile(
    r"^(?P<indent> *)<!-- (\w+): (\S+) -->\n(?P=indent)```(\w*)\n(.*?)^(?P=indent)```", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True)
class Snippet:
    """A code block of the page."""

    kind: str
    name: str
    language: str
    text: str


def snippets() -> tuple[Snippet, ...]:
    """Every named code block of the pages."""
    found = [match for page in PAGES for match in _SNIPPET.findall(page.read_text("utf-8"))]
    return tuple(Snippet(kind, name, language, dedent(text)) for _, kind, name, language, text in found)


def snippet(kind: str, name: str) -> str:
    """The text of one of them."""
    found = [item.text for item in snippets() if (item.kind, item.name) == (kind, name)]
    assert len(found) == 1, f"the pages have {len(found)} blocks `<!-- {kind}: {name} -->`"
    return found[0]


def commands(text: str) -> list[list[str]]:
    """The `airflow-flux` commands of a block, without the program's name."""
    lines = [shlex.split(line, comments=True) for line in text.replace("\\\n", " ").splitlines()]
    return [words[1:] for words in lines if words and words[0] == "airflow-flux"]


def changed(file: str, fix: str) -> str:
    """The file with a fix in it.

    :param fix: a list of rules, each in place of those with the same target or the same source; or keys, laid over
        those of the file
    """
    content, change = yaml.safe_load(file), yaml.safe_load(fix)
    if isinstance(change, list):
        targets = {rule["to"] for rule in change}
        sources = {rule["from"] for rule in change if "from" in rule}
        kept = [rule for rule in content["rules"] if rule["to"] not in targets and rule.get("from") not in sources]
        content["rules"] = kept + change
    else:
        _lay_over(content, change)
    text: str = yaml.safe_dump(content, sort_keys=False)
    return text


def missing_lines(quoted: str, printed: str) -> list[str]:
    """The lines of a quoted block that were not printed in this order; `...` stands for anything.

    Where a printed line is folded does not matter: runs of white space are all alike.
    """
    missing, place = [], 0
    for line in quoted.splitlines():
        if not line.replace(".", "").strip():
            continue
        found = _pattern(line).search(printed, place)
        if found is None:
            missing.append(line)
        else:
            place = found.end()
    return missing


def _pattern(line: str) -> re.Pattern[str]:
    parts = [r"\s+".join(re.escape(word) for word in part.split()) for part in line.split("...")]
    begin = "" if line.lstrip().startswith("...") else r"^[ \t]*"
    return re.compile(begin + r"[\s\S]{0,300}?".join(parts), re.MULTILINE)


def _lay_over(content: dict[str, Any], change: dict[str, Any]) -> None:
    """Lay keys over those of a flow; below source, destination and errors key by key. Null takes a key away."""
    for key, value in change.items():
        if value is None:
            content.pop(key, None)
        elif key in ("source", "destination", "errors") and key in content:
            _lay_over(content[key], value)
        else:
            content[key] = value

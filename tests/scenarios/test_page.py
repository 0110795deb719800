"""The pages hold nothing that no scenario has tried: what they quote is printed, what they advise helps."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from airflow_provider_flux.cli.parser import parse
from tests.scenarios.conftest import Desk
from tests.scenarios.page import PAGES, Snippet, commands, snippets

_BLOCK = re.compile(r"(?P<before>[^\n]*)\n *```(?P<language>\w*)\n(?P<text>.*?)\n *```", re.DOTALL)
_USED = {
    "file": r'take\([^)]*"{name}"',
    "fix": r'\.fix\("{name}"',
    "run": r'(?:\.do|in_shell)\("{name}"\)',
    "shown": r'\.shows\("{name}"\)',
}


def test_every_block_of_the_pages_has_a_name_of_its_own() -> None:
    assert [name for name, count in Counter((item.kind, item.name) for item in snippets()).items() if count > 1] == []
    assert {item.kind for item in snippets()} == set(_USED)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_quoted_output_and_no_yaml_is_without_a_name(page: Path) -> None:
    blocks = list(_BLOCK.finditer(page.read_text("utf-8")))
    assert len(blocks) > 10
    unnamed = [found["text"] for found in blocks if found["language"] != "sh" and "<!--" not in found["before"]]
    assert unnamed == []


@pytest.mark.parametrize("item", snippets(), ids=lambda item: f"{item.kind}:{item.name}")
def test_every_block_is_used_by_a_scenario(item: Snippet) -> None:
    sources = "".join(file.read_text("utf-8") for file in sorted(Path(__file__).parent.glob("*.py")))
    assert re.search(_USED[item.kind].format(name=re.escape(item.name)), sources), f"no scenario uses {item.name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_is_one(page: Path) -> None:
    text = page.read_text("utf-8")
    blocks = [found["text"] for found in _BLOCK.finditer(text) if found["language"] == "sh"]
    inline = re.findall(r"`(airflow-flux [^`]+)`", text)
    found = commands("\n".join([*blocks, *inline]))
    assert len(found) > 10
    for argv in found:
        assert parse(argv).command.name, argv


def test_the_files_of_the_page_are_valid_as_they_stand(desk: Desk) -> None:
    desk.take(*[item.name for item in snippets() if item.kind == "file"])
    desk.checked()


def test_every_quoted_block_says_something() -> None:
    empty = [item.name for item in snippets() if item.kind == "shown" and not re.search(r"\w{4}", item.text)]
    assert empty == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_heading_leads_to_one(page: Path) -> None:
    links = re.findall(r"\]\(([\w./-]*)#([\w-]+)\)", page.read_text("utf-8"))
    assert len(links) > 2
    assert [(file, anchor) for file, anchor in links if anchor not in _anchors(page.parent / (file or page.name))] == []


def _anchors(page: Path) -> set[str]:
    """The anchors that a heading gets on a page for people: small letters and hyphens."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}

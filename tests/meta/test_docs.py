"""The project's own pages: what they link to is there, and what they list is complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import airflow_provider_flux
from tests.meta.imports import ROOT
from tests.meta.test_tracked_files import tracked_files
from tools.lanes import LANES

_DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
_PAGES = [name for name in tracked_files() if name.endswith(".md")]


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", _PAGES)
def test_every_link_to_a_file_of_the_project_leads_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", _text(page))
    files = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in files if not (ROOT / page).parent.joinpath(link).exists()] == []


def test_the_index_of_decisions_lists_every_decision_by_its_title() -> None:
    rows = [line for line in _text("docs/decisions/README.md").splitlines() if line.startswith("| [")]
    expected = []
    for page in _DECISIONS:
        number, title = re.match(r"# (\d+)\. (.+)", page.read_text(encoding="utf-8")).groups()
        assert int(number) == int(page.name[:4])
        expected.append(f"| [{number}]({page.name}) | {title} |")
    assert rows == expected


@pytest.mark.parametrize("page", _DECISIONS, ids=lambda page: page.stem)
def test_every_decision_says_what_violates_it(page: Path) -> None:
    assert "A change violates this decision when" in page.read_text(encoding="utf-8")


def test_the_changelog_begins_with_this_version() -> None:
    versions = re.findall(r"^## (\S+)", _text("CHANGELOG.md"), re.M)
    assert versions[0] == airflow_provider_flux.__version__


def test_the_developers_page_names_every_folder_of_tests() -> None:
    folders = {path for lane in LANES for path in lane.pytest if path.count("/") == 1}
    assert [folder for folder in sorted(folders) if f"`{folder}/`" not in _text("DEVELOPERS.md")] == []

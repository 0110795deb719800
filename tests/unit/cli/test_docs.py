"""What the pages say is what the code does."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from airflow_provider_flux.cli.commands import all_commands
from airflow_provider_flux.cli.parser import parse
from airflow_provider_flux.provider_info import get_provider_info
from tests.unit.cli.conftest import Call
from tools.cli_docs import PAGE, page

ROOT = Path(__file__).parents[3]
README, GETTING_STARTED = ROOT / "README.md", ROOT / "docs" / "getting-started.md"
OPERATING = ROOT / "docs" / "operating.md"


def test_the_page_is_what_the_table_of_commands_gives() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tools.cli_docs"


def blocks(path: Path, mark: str) -> dict[str, str]:
    """The code blocks below a comment that begins with `mark`, by the rest of the comment."""
    found = re.findall(rf"<!-- {mark}(\S+) -->\n```yaml\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    return dict(found)


def test_the_flow_of_the_readme_is_the_shipped_one() -> None:
    (flow,) = blocks(README, "include/").items()
    assert flow[1] == (ROOT / "include" / flow[0]).read_text(encoding="utf-8")


def test_the_files_of_getting_started_are_valid(call: Call, tmp_path: Path) -> None:
    files = blocks(GETTING_STARTED, "checked: ")
    assert len(files) == 2
    for name, text in files.items():
        path = tmp_path / "include" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert call("check").out == "1 valid flow, 1 valid mapping, 0 problems, 0 warnings\n"


@pytest.mark.parametrize("path", [README, GETTING_STARTED, OPERATING], ids=lambda path: path.name)
def test_every_command_on_the_page_is_understood(path: Path) -> None:
    lines = re.findall(r"airflow-flux ((?:[a-z]+)[^`#\n]*)", path.read_text(encoding="utf-8"))
    known = {name for name, _ in all_commands()}
    assert len(lines) > 3
    for line in lines:
        words = [word for word in shlex.split(line) if word != "FLOW"]
        assert {" ".join(words[:1]), " ".join(words[:2])} & known, line
        assert parse(words).command.run


def test_every_setting_is_on_the_page() -> None:
    options = get_provider_info()["config"]["flux"]["options"]
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", GETTING_STARTED.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [(name, f"AIRFLOW__FLUX__{name.upper()}") for name in options]

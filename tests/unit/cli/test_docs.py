"""docs/cli.md says what the command line does."""

from __future__ import annotations

from tools.cli_docs import PAGE, page


def test_the_page_is_what_the_table_of_commands_gives() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tools.cli_docs"

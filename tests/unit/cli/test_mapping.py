"""`mapping`: versions, and the decision which one runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Call

RULES = "description: {words}\nrules:\n  - {from: id, to: id}\n"


@pytest.fixture
def two(call: Call, tmp_path: Path) -> Path:
    """A mapping with two versions, and no flow."""
    folder = tmp_path / "include" / "mappings" / "people"
    folder.mkdir(parents=True)
    for number, words in ((1, "first"), (2, "second")):
        (folder / f"v{number}.yaml").write_text(RULES.replace("{words}", words))
    return folder


def test_versions_are_listed_with_their_states(call: Call, two: Path) -> None:
    call("mapping", "promote", "people", "2")
    rows = call("mapping", "list", "--json").json
    assert [(row["mapping"], row["version"], row["state"], row["remark"]) for row in rows] == [
        ("people", 1, "draft", None),
        ("people", 2, "active", None),
    ]
    (two / "v2.yaml").write_text(RULES)
    said = call("mapping", "list")
    assert said.code == 0
    assert "its file was changed since" in said.out.splitlines()[2]


def test_show_says_who_decided_what_and_why(call: Call, two: Path) -> None:
    assert "Nobody promoted a version yet; version 1 runs" in call("mapping", "show", "people").out
    call("mapping", "promote", "people", "2", "--by", "ann", "--reason", "both shapes")
    call("mapping", "retire", "people", "1", "--by", "bob")
    lines = call("mapping", "show", "people").out.splitlines()
    assert lines[0].startswith("people@1  retired")
    assert lines[2].endswith("ann promoted version 2: both shapes")
    assert lines[3].endswith("bob retired version 1")


def test_diff_is_of_the_active_version_and_the_newest(call: Call, two: Path) -> None:
    said = call("mapping", "diff", "people").out
    assert "-description: first\n+description: second\n" in said
    assert "say the same" in call("mapping", "diff", "people", "2", "2").out
    back = call("mapping", "diff", "people", "2", "1", "--json").json
    assert (back["old"], back["new"]) == (2, 1)
    assert "-description: second" in back["diff"]


def test_what_cannot_be_is_refused_with_the_next_step(call: Call, two: Path) -> None:
    for argv, code, words in (
        (("promote", "people", "9"), 1, "there is no people@9; there are people@1, people@2. Nothing was changed"),
        (("retire", "people", "1"), 1, "people@1 is the active version. Nothing was changed\nNext: Promote another"),
        (("promote", "peopel", "1"), 2, "there is no mapping 'peopel', did you mean 'people'?"),
        (("diff", "people", "1", "9"), 2, "mapping 'people' has no version 9; there are 1, 2"),
        (("promote", "people", "zero"), 2, "zero"),
    ):
        said = call("mapping", *argv)
        assert (said.code, words in said.err) == (code, True), said


def test_a_broken_version_is_placed_and_not_promoted(call: Call, two: Path) -> None:
    (two / "v2.yaml").write_text("rules:\n  - {from: id, to: id, transforms: [nonsense]}\n")
    said = call("mapping", "promote", "people", "2")
    assert said.code == 1
    assert "include/mappings/people/v2.yaml:2:" in said.err
    assert call("mapping", "list", "--json").json[0]["state"] == "active"


def test_without_mappings_it_says_where_they_would_be(call: Call) -> None:
    assert "No mappings yet" in call("mapping", "list").out

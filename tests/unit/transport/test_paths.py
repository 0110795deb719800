"""Paths into answers and bodies."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_flux.transport.paths import MISSING, check_path, get, place, reached

ANSWER = {"data": [{"id": 1}, {"id": 2}], "meta": {"next.page": "x", "n": None}, "@odata.nextLink": "u"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("data[0].id", 1),
        ("data[-1].id", 2),
        ('meta["next.page"]', "x"),
        ("meta.n", None),
        ("@odata.nextLink", "u"),
        ("data[2].id", MISSING),
        ("data[-3]", MISSING),
        ("data.id", MISSING),
        ("meta[0]", MISSING),
        ("nope.deeper", MISSING),
    ],
)
def test_get(path: str, value: Any) -> None:
    assert get(ANSWER, path) is value or get(ANSWER, path) == value


def test_a_list_at_the_top_is_entered() -> None:
    assert get([{"a": 1}], "[0].a") == 1


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a..b", "a[", "a[x]", "[0]a", "a]", "a['b", "a[99999999]"])
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(ValueError, match="is not a path"):
        check_path(path)


@pytest.mark.parametrize(
    ("body", "path", "after"),
    [
        ({}, "a.b", {"a": {"b": 1}}),
        ({"a": {"c": 2}}, "a.b", {"a": {"c": 2, "b": 1}}),
        ({}, "filters[0].items[0].value", {"filters": [{"items": [{"value": 1}]}]}),
        ({"f": [{"v": 0}]}, "f[0].v", {"f": [{"v": 1}]}),
    ],
)
def test_place(body: dict[str, Any], path: str, after: dict[str, Any]) -> None:
    place(body, path, 1)
    assert body == after


@pytest.mark.parametrize(("body", "path"), [({"a": 5}, "a.b"), ({"a": {}}, "a[0]"), ({}, "a[1]"), ({"a": []}, "a.b")])
def test_what_does_not_fit_is_refused(body: dict[str, Any], path: str) -> None:
    with pytest.raises(ValueError, match="does not fit into the body"):
        place(body, path, 1)


def test_how_far_a_path_leads() -> None:
    assert reached(ANSWER, "data[0].nope.x") == ("data[0]", {"id": 1})
    assert reached(ANSWER, "zip.zap") == ("", ANSWER)

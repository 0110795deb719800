"""Where a record is, and what is done with it, in a system without an upsert."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from airflow_provider_flux.connectors.contract import Verdict, WriteItem, Written
from airflow_provider_flux.connectors.lookup import Lookup, LookupWrites, Place, Records
from airflow_provider_flux.connectors.options import DestinationOptions
from airflow_provider_flux.errors import FluxError, OutcomeUnknown, RecordError


class Options(DestinationOptions):
    MODES = ("upsert", "create", "update", "create_if_missing")
    FALLBACK_KEYS = True


def options(mode: str = "upsert", **more: Any) -> Options:
    given = {"connector": "x", "connection": "crm", "key": "email", "fallback_keys": ["phone", ["name", "zip"]]}
    return Options.model_validate(given | {"mode": mode, **more})


class Shelf(Records):
    """Records in a dictionary, and the calls that were made."""

    def __init__(self, **records: dict[str, Any]) -> None:
        self.records = records
        self.calls: list[str] = []
        self.fails: FluxError | None = None

    def search(self, fields: tuple[str, ...], values: tuple[Any, ...]) -> Sequence[str]:
        self.calls.append(f"search {','.join(fields)}")
        wanted = dict(zip(fields, values, strict=True))
        return [key for key, record in self.records.items() if wanted.items() <= record.items()]

    def exists(self, key: str) -> bool:
        self.calls.append("exists")
        return key in self.records

    def create(self, data: dict[str, Any]) -> Verdict:
        self.calls.append("create")
        if self.fails is not None:
            raise self.fails
        self.records[f"n{len(self.records)}"] = dict(data)
        return Written(f"n{len(self.records) - 1}")

    def change(self, key: str, data: dict[str, Any]) -> Verdict:
        self.calls.append("change")
        if key not in self.records:
            return RecordError("RECORD_NOT_FOUND", f"no {key}")
        self.records[key] |= data
        return Written(key)

    def remove(self, key: str) -> Verdict:
        self.calls.append("remove")
        return Written(key) if self.records.pop(key, None) else RecordError("RECORD_NOT_FOUND", f"no {key}")


ADA = {"email": "ada@x.example", "phone": "1", "name": "Ada", "zip": "94110"}


def write(shelf: Shelf, mode: str, data: dict[str, Any], link: str | None = None, **more: Any) -> Verdict:
    return LookupWrites(options(mode), shelf).write(WriteItem(data, destination_key=link, **more))


def test_keys_are_asked_in_order_until_one_finds_something() -> None:
    for data, asked in (
        (ADA, ["email"]),
        (ADA | {"email": "new@x.example"}, ["email", "phone"]),
        (ADA | {"email": None, "phone": ""}, ["name,zip"]),
        ({"email": "b@x.example", "phone": "2", "name": "Bob"}, ["email", "phone"]),  # half a key is none
    ):
        shelf = Shelf(a=dict(ADA))
        found = LookupWrites(options(), shelf).find([WriteItem(data)])
        assert found == (["a"] if "ada" in str(data).lower() else [None])
        assert shelf.calls == [f"search {fields}" for fields in asked]


def test_a_list_or_an_object_is_no_key() -> None:
    shelf = Shelf()
    assert LookupWrites(options("create"), shelf).find([WriteItem({"email": ["a"], "phone": {"n": 1}})]) == [None]
    assert shelf.calls == []


@pytest.mark.parametrize("mode", ["upsert", "create_if_missing"])
def test_a_record_whose_keys_are_all_empty_is_not_made_for_nothing_would_find_it_again(mode: str) -> None:
    shelf = Shelf(a=dict(ADA))
    nobody = {"email": None, "phone": "", "name": "Nobody"}
    verdict = write(shelf, mode, nobody)
    assert isinstance(verdict, RecordError)
    assert (verdict.code, verdict.field) == ("REQUIRED_FIELD_MISSING", "email")
    assert shelf.calls == []
    assert isinstance(write(shelf, mode, nobody, "a"), Written)  # the one that was delivered before is known
    assert isinstance(write(shelf, mode, nobody, deleted=True), Written)


def test_many_records_are_looked_up_with_one_search_per_key() -> None:
    asked: list[Any] = []

    def search(fields: tuple[str, ...], wanted: Sequence[tuple[Any, ...]]) -> list[list[str]]:
        asked.append((fields, list(wanted)))
        return [["a"] if values == ("a@x",) else ["b"] if values == ("2",) else [] for values in wanted]

    items = [
        WriteItem({"email": "a@x"}), WriteItem({"email": "a@x"}), WriteItem({"email": "b@x", "phone": "2"}),
        WriteItem({"email": "c@x"}), WriteItem({"email": "d@x"}, destination_key="d"),
    ]  # fmt: skip
    places = Lookup(options(), search).places(items)
    assert [place.id for place in places] == ["a", "a", "b", None, "d"]
    assert [place.by for place in places] == ["email", "email", "phone", "", "link"]
    assert asked == [(("email",), [("a@x",), ("b@x",), ("c@x",)]), (("phone",), [("2",)])]


def test_several_records_with_one_key_are_named_and_none_is_touched() -> None:
    for mode in ("upsert", "update", "create_if_missing"):
        shelf = Shelf(a=dict(ADA), b=dict(ADA))
        verdict = write(shelf, mode, ADA)
        assert isinstance(verdict, RecordError)
        assert (verdict.code, verdict.field, verdict.value) == ("DUPLICATE_RECORD", "email", "ada@x.example")
        assert "a, b" in verdict.message
        assert shelf.calls == ["search email"]
    gone = write(Shelf(a=dict(ADA), b=dict(ADA)), "upsert", ADA, deleted=True)
    assert isinstance(gone, RecordError)
    with pytest.raises(FluxError, match="several records"):
        LookupWrites(options(), Shelf(a=dict(ADA), b=dict(ADA))).find([WriteItem(ADA)])


def test_the_id_of_the_link_comes_before_every_search() -> None:
    shelf = Shelf(a=dict(ADA))
    assert write(shelf, "upsert", ADA | {"email": "new@x.example"}, "a") == Written("a")
    assert shelf.calls == ["change"]
    assert shelf.records["a"]["email"] == "new@x.example"


def test_a_link_that_holds_the_values_of_the_key_is_no_id() -> None:
    shelf = Shelf(a=dict(ADA))
    assert write(shelf, "upsert", ADA, '["ada@x.example"]') == Written("a")
    assert shelf.calls == ["search email", "change"]


@pytest.mark.parametrize(
    ("mode", "calls", "expected"),
    [
        ("upsert", ["change", "search email", "change"], Written("b")),
        ("update", ["change", "search email", "change"], Written("b")),
        ("create_if_missing", ["exists", "search email"], Written("b", kept=True)),
    ],
)
def test_a_record_that_was_deleted_and_made_again_is_found_by_its_key(
    mode: str, calls: list[str], expected: Written
) -> None:
    shelf = Shelf(b=dict(ADA))
    assert write(shelf, mode, ADA, "a") == expected
    assert shelf.calls == calls


def test_what_is_not_there_is_created_or_told() -> None:
    assert write(Shelf(), "upsert", ADA, "a") == Written("n0")
    assert write(Shelf(), "create_if_missing", ADA) == Written("n0")
    missing = write(Shelf(), "update", ADA, "a")
    assert isinstance(missing, RecordError)
    assert (missing.code, missing.field) == ("RECORD_NOT_FOUND", "email")
    for field in ("email = ada@x.example", "phone = 1", "name = Ada and zip = 94110"):
        assert field in missing.message


def test_an_update_without_a_value_for_any_key_says_so() -> None:
    verdict = write(Shelf(), "update", {"city": "Berlin"})
    assert isinstance(verdict, RecordError)
    assert (verdict.code, "email is empty" in verdict.message) == ("RECORD_NOT_FOUND", True)


def test_create_if_missing_changes_nothing_that_is_there() -> None:
    shelf = Shelf(a=dict(ADA))
    assert write(shelf, "create_if_missing", ADA | {"name": "Ada King"}, "a") == Written("a", kept=True)
    assert write(shelf, "create_if_missing", ADA | {"name": "Ada King"}) == Written("a", kept=True)
    assert shelf.records == {"a": ADA}


def test_create_looks_nothing_up() -> None:
    shelf = Shelf(a=dict(ADA))
    assert write(shelf, "create", ADA) == Written("n1")
    assert shelf.calls == ["create"]


def test_a_delete_takes_the_id_of_the_link_or_looks_for_the_record() -> None:
    for link in ("a", None):
        shelf = Shelf(a=dict(ADA))
        assert write(shelf, "upsert", {"email": ADA["email"]}, link, deleted=True) == Written("a")
        assert shelf.records == {}
    assert write(Shelf(), "create", {}, "a", deleted=True) == Written("a")
    assert write(Shelf(), "create", {"email": "b@x"}, deleted=True) == Written()


def test_a_create_after_a_look_up_whose_answer_was_lost_is_looked_up_by_the_retry() -> None:
    for mode, kind in (("upsert", FluxError), ("create", OutcomeUnknown)):
        shelf = Shelf()
        shelf.fails = OutcomeUnknown("OUTCOME_UNKNOWN", "the connection was lost")
        with pytest.raises(FluxError) as caught:
            write(shelf, mode, ADA)
        assert type(caught.value) is kind
    shelf = Shelf()
    shelf.fails = OutcomeUnknown("OUTCOME_UNKNOWN", "the connection was lost")
    with pytest.raises(FluxError) as caught:
        write(shelf, "upsert", ADA)
    assert caught.value.transient


def test_a_place_that_is_not_known_has_no_id() -> None:
    found = Lookup(options("update", key=None, fallback_keys=[]), lambda fields, wanted: []).place(WriteItem(ADA))
    assert found == Place()

"""Writing to Pipedrive: no upsert, no batch, no unique field, and a search that learns late."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from pydantic import ValidationError

from airflow_provider_flux.connectors.contract import Destination, WriteItem, Written
from airflow_provider_flux.errors import FluxError, OutcomeUnknown, RecordError
from tests.contracts.pipedrive_company import Company, company, keys, written
from tests.contracts.servers.wire import Call, Reply
from tests.contracts.vendors.pipedrive_api import CUSTOM

ADA = {"email": "ada@example.com", "name": "Ada Lovelace"}


@pytest.fixture
def crm() -> Iterator[Company]:
    with company() as crm:
        yield crm


def emails(crm: Company, key: int | str | None) -> list[tuple[str, bool]]:
    assert key is not None
    return [(entry["value"], entry["primary"]) for entry in crm.records()[int(key)]["emails"]]


def error(found: object) -> RecordError:
    assert isinstance(found, RecordError), found
    return found


# --- looking up ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "key", "record"),
    [
        ("persons", "email", {"name": "Ada", "email": "ADA@example.com"}),
        ("persons", "phone", {"name": "Ada", "phone": "+1 (415) 555-0101"}),
        ("persons", "name", {"name": "ada"}),
        ("persons", f"custom_fields.{CUSTOM}", {"name": "Ada", "custom_fields": {CUSTOM: "k-1"}}),
        ("organizations", "name", {"name": "ACME"}),
        ("deals", "title", {"title": "big deal"}),
        ("products", "code", {"name": "Chair", "code": "c-1"}),
    ],
)
def test_a_record_is_found_by_any_field_that_the_search_knows(
    crm: Company, name: str, key: str, record: dict[str, object]
) -> None:
    held = {
        "persons": {"emails": [{"value": "ada@example.com", "primary": True}], "custom_fields": {CUSTOM: "K-1"}},
        "products": {"name": "Seat", "code": "C-1"},
        "deals": {"title": "Big deal"},
        "organizations": {"name": "Acme"},
    }[name]
    if name == "persons":
        held |= {"name": "Ada", "phones": [{"value": "+1 (415) 555-0101", "primary": True}]}
    there = crm.have(name, **held)
    other = crm.have(name, **{"title" if name == "deals" else "name": "Somebody else"})
    assert keys(written(crm.destination(name, key=key), record)) == [str(there)]
    assert set(crm.records(name)) == {there, other}


def test_a_custom_field_is_compared_itself_and_not_another_with_the_same_value(crm: Company) -> None:
    """The search tells which records hold a value, and not in which of their custom fields."""
    other = crm.have("persons", name="Bob", custom_fields={"3f5b7f8a0b5c4e19b2d3c4f5a6b7c8d9e0f1a2b3": "K-1"})
    destination = crm.destination(key=f"custom_fields.{CUSTOM}")
    [key] = keys(written(destination, {"name": "Ada", "custom_fields": {CUSTOM: "K-1"}}))
    assert key != str(other)


def test_what_only_looks_like_the_record_is_not_changed(crm: Company) -> None:
    """The search may find by other rules than equality; what it found says which values the record has."""
    other = crm.have("persons", name="Bob", emails=[{"value": "ada@example.community", "primary": True}])
    item = {"id": other, "type": "person", "name": "Bob", "emails": ["ada@example.community"], "phones": []}
    crm.vendor.faults.append(Reply(200, {"success": True, "data": {"items": [{"result_score": 1, "item": item}]}}))
    [key] = keys(written(crm.destination(), ADA))
    assert key != str(other)
    assert crm.records()[other]["name"] == "Bob"


def test_several_records_with_the_key_are_a_duplicate_that_names_them(crm: Company) -> None:
    ids = [crm.have("persons", name=name, emails=[{"value": ADA["email"], "primary": True}]) for name in ("A", "B")]
    found = error(written(crm.destination(), ADA)[0])
    assert found.code == "DUPLICATE_RECORD"
    assert f"{ids[0]}, {ids[1]}" in found.message
    assert (found.field, found.value) == ("email", ADA["email"])
    assert {row["name"] for row in crm.records().values()} == {"A", "B"}


def test_the_link_saves_the_search_and_what_was_deleted_there_is_made_again(crm: Company) -> None:
    [key] = keys(written(crm.destination(), ADA))
    crm.vendor.calls.clear()
    keys(written(crm.destination(), {"name": "Ada King"}, key=int(key or 0)))
    assert crm.calls == [f"PATCH persons/{key}"]
    crm.vendor.records["persons"][int(key or 0)]["is_deleted"] = True
    [again] = keys(written(crm.destination(), ADA, key=int(key or 0)))
    assert again != key
    found = error(written(crm.destination(mode="update"), {"email": "no@example.com"}, key=int(key or 0))[0])
    assert found.code == "RECORD_NOT_FOUND"


def test_a_change_that_meets_a_tombstone_counts_as_not_there(crm: Company) -> None:
    """Should the API take a change of a deleted record and say so, nothing has arrived."""
    key = crm.have("persons", name="Ada", emails=[{"value": ADA["email"], "primary": True}])

    def answer(call: Call) -> Reply | None:
        if call.method != "PATCH":
            crm.vendor.faults.append(answer)
            return None
        return Reply(200, {"success": True, "data": {"id": key, "is_deleted": True}})

    crm.vendor.faults.append(answer)
    found = error(written(crm.destination(mode="update"), {"name": "Ada K."}, key=key)[0])
    assert found.code == "RECORD_NOT_FOUND"


def test_what_cannot_be_looked_up_is_refused_with_what_can(crm: Company) -> None:
    with pytest.raises(ValidationError, match="cannot look up persons by `org_id`, only by one of these: email"):
        crm.destination_options(key="org_id")
    with pytest.raises(ValidationError, match="cannot look up persons by `email` and `name`"):
        crm.destination_options(key=["email", "name"])
    with pytest.raises(ValidationError, match="cannot look up deals by `owner_id`"):
        crm.destination_options("deals", key="title", fallback_keys=[["owner_id"]])
    with pytest.raises(ValidationError, match="name the field by which persons are looked up"):
        crm.destination_options(key=None)
    with pytest.raises(ValidationError, match="`mode: upsert` is not possible here; possible are create, update"):
        crm.destination_options("activities", key="id")


def test_a_batch_is_a_row_of_calls(crm: Company) -> None:
    assert crm.destination().one_by_one
    assert [crm.destination_options().batch_size, crm.destination_options(batch_size=100).batch_size] == [20, 100]


# --- the search learns late ---------------------------------------------------------------------------


def test_two_records_with_one_key_make_one_person_although_the_search_knows_neither(crm: Company) -> None:
    first, second = keys(written(crm.destination(), ADA, {**ADA, "name": "Ada King"}))
    assert first == second
    assert [row["name"] for row in crm.records().values()] == ["Ada King"]


def test_two_batches_at_once_with_one_key_make_one_person(crm: Company) -> None:
    destination = crm.destination(in_flight=2)

    def slow(call: Call) -> Reply | None:
        if call.method == "GET":
            return replace(crm.vendor.handle(call), delay=0.05)
        return None

    crm.vendor.faults += [slow] * 4
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda name: written(destination, {**ADA, "name": name}), ("Ada", "Ada King")))
    assert keys(found[0]) == keys(found[1])
    assert len(crm.records()) == 1


def test_a_record_that_was_just_changed_is_not_found_by_its_old_key(crm: Company) -> None:
    destination = crm.destination()
    [key] = keys(written(destination, {**ADA, "emails": [{"value": ADA["email"], "primary": True}]}))
    moved = [{"value": "ada@king.example", "primary": True}]
    keys(written(destination, {"name": "Ada King", "emails": moved}, key=int(key or 0)))
    [another] = keys(written(destination, {**ADA, "name": "The other Ada"}))
    assert another != key
    assert emails(crm, key) == [("ada@king.example", True)]


def test_a_record_that_a_dead_process_made_is_found_before_the_search_knows_it(crm: Company) -> None:
    [first] = keys(written(crm.destination(), ADA))
    [again] = keys(written(crm.destination(), {**ADA, "name": "Ada King"}))  # another process
    assert again == first
    assert crm.calls[-4:] == ["GET persons/search", "GET persons", f"GET persons/{first}", f"PATCH persons/{first}"]


def test_the_newest_records_are_listed_once_and_no_further_than_a_quarter_of_an_hour(crm: Company) -> None:
    crm.vendor.seed(250)  # of March
    destination = crm.destination()
    keys(written(destination, ADA, {"email": "bob@example.com", "name": "Bob"}))
    [listed] = [call for call in crm.vendor.calls if call.path.endswith("/persons") and call.method == "GET"]
    assert (listed.param("sort_by"), listed.param("sort_direction")) == ("add_time", "desc")


def test_a_deleted_record_is_not_found_although_the_search_still_knows_it(crm: Company) -> None:
    destination = crm.destination(deletes="delete")
    [key] = keys(written(destination, ADA))
    crm.vendor.index()
    assert destination.write([WriteItem({"email": ADA["email"]}, deleted=True)]) == [Written(key)]
    [again] = keys(written(destination, ADA))
    assert again != key
    assert len(crm.records()) == 1


def lose_the_answer(crm: Company) -> None:
    """The next POST is executed, and its answer never comes."""

    def fault(call: Call) -> Reply | None:
        if call.method != "POST":
            crm.vendor.faults.append(fault)
            return None
        crm.vendor.handle(call)
        return Reply(reset=True)

    crm.vendor.faults.append(fault)


def other_process(crm: Company, destination: Destination) -> Destination:
    return crm.destination()


def same_process(crm: Company, destination: Destination) -> Destination:
    return destination


@pytest.mark.parametrize("next_attempt", [other_process, same_process])
def test_a_create_whose_answer_was_lost_is_found_and_not_repeated(
    crm: Company, next_attempt: Callable[[Company, Destination], Destination]
) -> None:
    destination = crm.destination(one_try=True)
    lose_the_answer(crm)
    with pytest.raises(FluxError) as caught:
        destination.write([WriteItem(dict(ADA))])
    assert caught.value.transient
    assert destination.idempotent
    keys(written(next_attempt(crm, destination), ADA))
    assert len(crm.records()) == 1


def test_mode_create_is_in_doubt_until_it_is_found(crm: Company) -> None:
    destination = crm.destination(mode="create", one_try=True)
    assert (destination.idempotent, destination.can_find) == (False, True)
    lose_the_answer(crm)
    with pytest.raises(OutcomeUnknown):
        destination.write([WriteItem(dict(ADA))])
    [made] = crm.records()
    stranger = WriteItem({"email": "bob@example.com", "name": "Bob"})
    assert destination.find([WriteItem(dict(ADA)), stranger]) == [str(made), None]
    without_key = crm.destination(mode="create", key=None)
    assert not without_key.can_find
    assert "held for a person" in crm.destination_options(mode="create", key=None).advice()[0]

"""What becomes of a record that is written, by mode. `docs/write-modes.md` promises it for every connector."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from pydantic import ValidationError

from airflow_provider_flux.connectors.contract import Verdict, Written
from airflow_provider_flux.errors import CATALOGUE, Category, FluxError, OutcomeUnknown, RecordError
from airflow_provider_flux.stages.deliver import deliver, find_or_deliver
from tests.contracts.suite.account import ADA, BOB, CYD, Account, changed, lost, verdicts

MODES = ("create", "update", "upsert", "create_if_missing")
DELETES = ("ignore", "archive", "delete")


def has(account: Account, mode: str) -> bool:
    """Whether the vendor has a mode; where it has not, the flow file is refused with those that it has."""
    if mode in account.vendor.modes:
        return True
    with pytest.raises(ValidationError, match="possible"):
        account.destination_options(mode)
    return False


def make(account: Account, *persons: dict[str, str]) -> None:
    """Have these persons, written through the connector itself."""
    assert all(isinstance(verdict, Written) for verdict in account.write(account.mode, *persons))


def test_the_declared_modes_and_deletes_are_those_of_the_options(account: Account) -> None:
    modes, deletes, fallback_keys = account.destination_options(next(iter(account.vendor.modes))).possible()
    assert set(modes) == account.vendor.modes
    assert set(deletes) == account.vendor.deletes
    assert fallback_keys == (account.vendor.fallback_key is not None)


@pytest.mark.parametrize("deletes", DELETES)
def test_what_cannot_become_of_a_deleted_record_is_refused(account: Account, deletes: str) -> None:
    mode = next(iter(sorted(account.vendor.modes)))
    if deletes in account.vendor.deletes:
        assert account.destination_options(mode, deletes).deletes == deletes
        return
    with pytest.raises(ValidationError, match="possible"):
        account.destination_options(mode, deletes)


def test_create_makes_records_and_says_their_keys(account: Account) -> None:
    if not has(account, "create"):
        return
    found = account.write("create", ADA, BOB)
    keys = [verdict.key for verdict in found if isinstance(verdict, Written)]
    assert len({key for key in keys if key}) == 2
    stored = account.vendor.stored()
    assert {email: one["name"] for email, one in stored.items()} == {who["email"]: who["name"] for who in (ADA, BOB)}


def test_create_of_what_is_there_is_a_duplicate_where_the_vendor_tells(account: Account) -> None:
    if not has(account, "create"):
        return
    make(account, ADA)
    (verdict,) = account.write("create", changed(ADA, name="Another Ada"))
    if account.vendor.unique_email:
        assert isinstance(verdict, RecordError)
        assert verdict.code == "DUPLICATE_RECORD"
        assert account.vendor.stored()[ADA["email"]]["name"] == ADA["name"]
        assert account.vendor.count() == 1
    else:
        assert isinstance(verdict, Written)
        assert account.vendor.count() == 2


def test_update_changes_what_is_there(account: Account) -> None:
    if not has(account, "update"):
        return
    make(account, ADA, BOB)
    (verdict,) = account.write("update", changed(ADA, name="Ada King"))
    assert isinstance(verdict, Written)
    assert not verdict.kept
    stored = account.vendor.stored()
    assert (stored[ADA["email"]]["name"], stored[BOB["email"]]["name"]) == ("Ada King", BOB["name"])


def test_update_of_a_missing_record_is_refused_and_makes_none(account: Account) -> None:
    if not has(account, "update"):
        return
    make(account, BOB)
    missing, there = account.write("update", ADA, changed(BOB, name="Bob M."))
    assert isinstance(missing, RecordError)
    assert missing.code == "RECORD_NOT_FOUND"
    assert isinstance(there, Written)
    assert set(account.vendor.stored()) == {BOB["email"]}


def test_upsert_makes_what_is_missing_and_changes_the_rest(account: Account) -> None:
    if not has(account, "upsert"):
        return
    make(account, ADA)
    found = account.write("upsert", changed(ADA, name="Ada King"), BOB)
    assert all(isinstance(verdict, Written) and not verdict.kept for verdict in found)
    assert {one["name"] for one in account.vendor.stored().values()} == {"Ada King", BOB["name"]}
    assert account.vendor.count() == 2


def test_upsert_of_the_same_batch_twice_leaves_the_same_records(account: Account) -> None:
    if not has(account, "upsert"):
        return
    destination = account.destination("upsert")
    assert destination.idempotent
    items = [account.item(who) for who in (ADA, BOB)]
    verdicts(destination, items)
    verdicts(destination, items)
    assert account.vendor.count() == 2


def test_create_if_missing_leaves_what_is_there_as_it_is(account: Account) -> None:
    if not has(account, "create_if_missing"):
        return
    make(account, ADA)
    before = dict(account.vendor.stored()[ADA["email"]])
    kept, made = account.write("create_if_missing", changed(ADA, name="Ada King"), BOB)
    assert isinstance(kept, Written)
    assert kept.kept
    assert isinstance(made, Written)
    assert not made.kept
    assert account.vendor.stored()[ADA["email"]] == before
    assert account.vendor.stored()[BOB["email"]]["name"] == BOB["name"]


@pytest.mark.parametrize("mode", MODES)
def test_what_the_vendor_demands_must_be_there(account: Account, mode: str) -> None:
    if not has(account, mode) or mode == "update" or account.vendor.required is None:
        return
    person = {name: value for name, value in ADA.items() if name != account.vendor.required}
    (verdict,) = account.write(mode, person)
    assert isinstance(verdict, RecordError)
    assert verdict.code == "REQUIRED_FIELD_MISSING"
    assert verdict.field
    assert account.vendor.count() == 0


@pytest.mark.parametrize("mode", ["upsert", "create_if_missing"])
def test_a_record_without_its_key_is_not_made(account: Account, mode: str) -> None:
    """Nothing would find it again, and a repeated write would make another."""
    if not has(account, mode):
        return
    destination = account.destination(mode)
    for _ in range(2):
        (verdict, fine) = verdicts(destination, [account.item(changed(ADA, email=None)), account.item(BOB)])
        assert isinstance(verdict, RecordError)
        assert verdict.code == "REQUIRED_FIELD_MISSING"
        assert isinstance(fine, Written)
    assert set(account.vendor.stored()) == {BOB["email"]}


@pytest.mark.parametrize("mode", MODES)
def test_a_bad_record_costs_no_other_and_verdicts_come_in_order(account: Account, mode: str) -> None:
    if not has(account, mode) or account.vendor.max_name is None:
        return
    persons = [{"email": f"p{number}@example.com", "name": f"P {number}"} for number in range(7)]
    if mode == "update":
        make(account, *persons)
    persons[3]["name"] = "x" * (account.vendor.max_name + 1)
    if mode == "update":
        persons = [who | {"name": who["name"].replace("P", "Q")} for who in persons]
    found = account.write(mode, *persons)
    bad = found.pop(3)
    assert isinstance(bad, RecordError)
    assert bad.code == "VALUE_TOO_LONG"
    assert bad.field
    account.assert_tells_no_secret(bad)
    assert all(isinstance(verdict, Written) for verdict in found)
    stored = account.vendor.stored()
    assert all(stored[who["email"]]["name"] == who["name"] for who in persons[:3] + persons[4:])
    assert mode == "update" or persons[3]["email"] not in stored


def test_a_record_is_found_by_the_key_of_its_link_when_its_email_has_changed(account: Account) -> None:
    if account.vendor.fallback_key is None:
        return
    destination = account.open(account.declared(account.vendor.with_fallback()))
    (made,) = verdicts(destination, [account.item(ADA)])
    assert isinstance(made, Written)
    (verdict,) = verdicts(destination, [account.item(changed(ADA, email="ada@king.example"), made.key)])
    assert isinstance(verdict, Written)
    assert set(account.vendor.stored()) == {"ada@king.example"}


def test_a_fallback_key_finds_what_the_key_does_not(account: Account) -> None:
    if account.vendor.fallback_key is None:
        with pytest.raises(ValidationError, match="fallback_keys"):
            account.declared(account.vendor.destination(account.mode) | {"fallback_keys": [["phone"]]})
        return
    make(account, ADA, BOB)
    destination = account.open(account.declared(account.vendor.with_fallback()))
    moved = changed(ADA, email="ada@king.example", name="Ada King")
    found = verdicts(destination, [account.item(moved), account.item(CYD)])
    assert all(isinstance(verdict, Written) for verdict in found)
    assert account.vendor.count() == 3
    assert account.vendor.stored()["ada@king.example"]["name"] == "Ada King"


@pytest.mark.parametrize("mode", MODES)
def test_a_write_whose_answer_was_lost_is_stored_once(account: Account, mode: str) -> None:
    if not has(account, mode):
        return
    if mode == "update":
        make(account, ADA)
    destination = account.destination(mode, credentials=account.credentials(one_try=True))
    items = [account.item(changed(ADA, name="Ada King"))]
    lost(account)
    try:
        (verdict,) = verdicts(destination, items)
    except OutcomeUnknown:
        # As a retry does it: ask, then send what is not there.
        assert destination.can_find
        (answer,) = find_or_deliver(destination, items)
        assert isinstance(answer, Written)
    except FluxError as error:
        assert error.transient
        assert destination.idempotent
        (again,) = verdicts(destination, items)
        assert isinstance(again, Written)
    else:
        assert isinstance(verdict, RecordError)
        assert verdict.code == "OUTCOME_UNKNOWN"
        assert not destination.idempotent
        assert not destination.can_find
    assert account.vendor.count() == 1
    assert account.vendor.stored()[ADA["email"]]["name"] == "Ada King"


@pytest.mark.parametrize("mode", MODES)
def test_no_record_of_a_batch_is_doubled_when_an_answer_is_lost(account: Account, mode: str) -> None:
    if not has(account, mode):
        return
    persons = (ADA, BOB, CYD)
    if mode == "update":
        make(account, *persons)
    # A create must not be sent twice by the client either, which may try again within a call.
    once = mode in ("update", "upsert")
    destination = account.destination(mode, credentials=account.credentials(one_try=once))
    items = [account.item(who) for who in persons]
    lost(account)
    try:
        found: Sequence[Verdict | None] = verdicts(destination, items)
    except FluxError as error:
        # As the task's retry does it.
        again = find_or_deliver if isinstance(error, OutcomeUnknown) else deliver
        found = again(destination, items)
        assert all(isinstance(verdict, Written) for verdict in found)
    stored = account.vendor.stored()
    assert account.vendor.count() == len(stored)
    for who, verdict in zip(persons, found, strict=True):
        if isinstance(verdict, RecordError):
            # In doubt, or not sent after one that is: never a duplicate of what was stored by this very write.
            assert mode == "create"
            assert verdict.code in ("OUTCOME_UNKNOWN", "DESTINATION_OUTAGE")
        else:
            assert who["email"] in stored


def test_errors_of_records_are_about_data(account: Account) -> None:
    """What a person must mend in a record is never told as the fault of a connection."""
    if not has(account, "create") or account.vendor.required is None:
        return
    (verdict,) = account.write("create", {"phone": ADA["phone"]})
    assert isinstance(verdict, RecordError)
    assert CATALOGUE[verdict.code].category is Category.DATA

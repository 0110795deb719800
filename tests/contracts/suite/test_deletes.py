"""What becomes of a record that is gone in the source, and in which order changes may come."""

from __future__ import annotations

import pytest

from airflow_provider_flux.connectors.contract import Written
from airflow_provider_flux.errors import RecordError
from tests.contracts.suite.account import ADA, BOB, Account, changed, verdicts
from tests.contracts.suite.test_modes import has

WAYS = ("archive", "delete")


def key_of(account: Account, deletes: str) -> str | None:
    """Ada and Bob are there; the key under which Ada was delivered."""
    destination = account.destination(account.mode, deletes)
    made, other = verdicts(destination, [account.item(ADA), account.item(BOB)])
    assert isinstance(made, Written)
    assert isinstance(other, Written)
    return made.key


def gone(account: Account, deletes: str) -> bool:
    """Whether Ada is not there any more, or is archived."""
    ada = account.vendor.stored().get(ADA["email"])
    return ada is None if deletes == "delete" else ada is None or bool(ada.get("archived"))


@pytest.mark.parametrize("deletes", WAYS)
@pytest.mark.parametrize("linked", [True, False])
def test_a_deleted_record_goes_and_no_other(account: Account, deletes: str, linked: bool) -> None:
    if deletes not in account.vendor.deletes:
        return
    key = key_of(account, deletes)
    destination = account.destination(account.mode, deletes)
    (verdict,) = verdicts(destination, [account.tombstone(ADA, key if linked else None)])
    assert isinstance(verdict, Written)
    assert gone(account, deletes)
    assert not account.vendor.stored()[BOB["email"]].get("archived")


@pytest.mark.parametrize("deletes", WAYS)
def test_the_delete_of_what_is_not_there_is_done(account: Account, deletes: str) -> None:
    if deletes not in account.vendor.deletes:
        return
    key = key_of(account, deletes)
    destination = account.destination(account.mode, deletes)
    stranger = {"email": "stranger@example.com"}
    for items in (
        [account.tombstone(ADA, key)],
        [account.tombstone(ADA, key)],
        [account.tombstone(ADA), account.tombstone(stranger)],
    ):
        assert all(isinstance(verdict, Written) for verdict in verdicts(destination, items))
    assert gone(account, deletes)


@pytest.mark.parametrize("deletes", WAYS)
def test_a_batch_holds_deletes_and_changes(account: Account, deletes: str) -> None:
    if deletes not in account.vendor.deletes or "upsert" not in account.vendor.modes:
        return
    key = key_of(account, deletes)
    destination = account.destination("upsert", deletes)
    cyd = {"email": "cyd@example.com", "name": "Cyd Charisse"}
    items = [account.item(changed(BOB, name="Bob M.")), account.tombstone(ADA, key), account.item(cyd)]
    assert all(isinstance(verdict, Written) for verdict in verdicts(destination, items))
    stored = account.vendor.stored()
    assert gone(account, deletes)
    assert (stored[BOB["email"]]["name"], stored[cyd["email"]]["name"]) == ("Bob M.", cyd["name"])


@pytest.mark.parametrize("deletes", WAYS)
def test_an_upsert_after_the_delete_has_the_record_again(account: Account, deletes: str) -> None:
    if deletes not in account.vendor.deletes or "upsert" not in account.vendor.modes:
        return
    key = key_of(account, deletes)
    destination = account.destination("upsert", deletes)
    verdicts(destination, [account.tombstone(ADA, key)])
    (verdict,) = verdicts(destination, [account.item(changed(ADA, name="Ada Again"), key)])
    assert isinstance(verdict, Written)
    ada = account.vendor.stored()[ADA["email"]]
    assert (ada["name"], bool(ada.get("archived"))) == ("Ada Again", False)


def test_an_update_after_the_delete_is_refused(account: Account) -> None:
    if "delete" not in account.vendor.deletes or not has(account, "update"):
        return
    key = key_of(account, "delete")
    destination = account.destination("update", "delete")
    verdicts(destination, [account.tombstone(ADA, key)])
    (verdict,) = verdicts(destination, [account.item(changed(ADA, name="Ada Again"), key)])
    assert isinstance(verdict, RecordError)
    assert verdict.code == "RECORD_NOT_FOUND"
    assert set(account.vendor.stored()) == {BOB["email"]}


def test_an_update_after_the_archive_is_refused_or_changes_what_is_archived(account: Account) -> None:
    if "archive" not in account.vendor.deletes or not has(account, "update"):
        return
    key = key_of(account, "archive")
    destination = account.destination("update", "archive")
    verdicts(destination, [account.tombstone(ADA, key)])
    before = account.vendor.stored().get(ADA["email"])
    (verdict,) = verdicts(destination, [account.item(changed(ADA, name="Ada Again"), key)])
    after = account.vendor.stored().get(ADA["email"])
    if isinstance(verdict, RecordError):
        assert verdict.code == "RECORD_NOT_FOUND"
        assert after == before
    else:
        assert after is not None
        assert after["name"] == "Ada Again"
    assert len(account.vendor.stored()) == 2

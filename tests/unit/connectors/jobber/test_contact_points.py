"""Whatever a client has and whatever a record says: no e-mail is doubled, none is dropped that nobody wants gone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_flux.connectors.jobber.contact_points import created, edited, same

ADDRESSES = ("a@x.example", "b@x.example", "c@x.example", "d@x.example")

_there = st.lists(st.sampled_from(ADDRESSES), unique=True, max_size=4).map(
    lambda found: [
        {"id": f"id-{address}", "address": address, "description": "Main", "primary": place == 0}
        for place, address in enumerate(found)
    ]
)
_spelt = st.sampled_from([*ADDRESSES, *(address.upper() for address in ADDRESSES)])
_listed = st.lists(
    st.fixed_dictionaries({"address": _spelt}, optional={"description": st.sampled_from(["MAIN", "WORK"])}), max_size=4
)


def applied(there: list[dict[str, Any]], changes: dict[str, Any]) -> dict[str, bool]:
    """Address -> whether it is primary, after `clientEdit`; as lower case, and once for each entry."""
    entries = [dict(entry) for entry in there if entry["id"] not in changes.get("emailsToDelete", [])]
    known = {entry["id"]: entry for entry in entries}
    for edit in changes.get("emailsToEdit", []):
        known[edit["id"]].update({name: value for name, value in edit.items() if name != "id"})
        if edit.get("primary"):
            for entry in entries:
                entry["primary"] = entry["id"] == edit["id"]
    for new in changes.get("emailsToAdd", []):
        for entry in entries if new.get("primary") else ():
            entry["primary"] = False
        entries.append({"primary": False, **new})
    found = [(entry["address"].lower(), entry["primary"]) for entry in entries]
    assert len({address for address, _ in found}) == len(found), "no address is there twice"
    return dict(found)


@given(_there, _listed, st.booleans())
def test_every_address_of_the_record_is_there_once(
    there: list[dict[str, Any]], wanted: list[dict[str, Any]], replace: bool
) -> None:
    after = applied(there, edited({"emails": wanted}, {"emails": there}, replace=replace))
    named = {entry["address"].lower() for entry in wanted}
    kept = set() if replace else {entry["address"] for entry in there}
    assert set(after) == named | kept


@given(_there, _spelt)
def test_one_email_is_the_primary_one_and_no_other_but_the_primary_goes(there: list[dict[str, Any]], text: str) -> None:
    after = applied(there, edited({"email": text}, {"emails": there}, replace=False))
    assert after[text.lower()]
    assert sum(after.values()) == 1
    others = {entry["address"] for entry in there if not entry["primary"]}
    assert others <= set(after)
    assert len(after) == max(len(there), 1), "the new address takes the place of the primary one"


@given(_there, _listed.map(lambda entries: entries[:1]), st.booleans())
def test_an_edit_that_was_done_leaves_nothing_to_do(
    there: list[dict[str, Any]], wanted: list[dict[str, Any]], replace: bool
) -> None:
    after = applied(there, edited({"emails": wanted}, {"emails": there}, replace=replace))
    descriptions = {entry["address"].lower(): entry.get("description", "Main") for entry in [*there, *wanted]}
    now = [
        {"id": address, "address": address, "description": descriptions[address].capitalize(), "primary": primary}
        for address, primary in after.items()
    ]
    assert edited({"emails": wanted}, {"emails": now}, replace=replace) == {}


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        ("+1 (415) 555-0101", "415.555.0101", True),
        ("+14155550101", "14155550101", True),
        ("+44 20 7946 0958", "020 7946 0958", False),
        ("", "", False),
        ("extension", "extension", False),
    ],
)
def test_numbers_are_compared_by_their_digits(one: str, other: str, are_same: bool) -> None:
    assert same("phones", one, other) is are_same


def test_the_input_of_a_new_client_says_which_email_is_primary() -> None:
    data = {"email": "B@x.example", "emails": [{"address": "a@x.example"}, {"address": "b@x.example"}], "id": "no"}
    assert created(data) == {"emails": [{"address": "a@x.example"}, {"address": "b@x.example", "primary": True}]}
    assert data["emails"] == [{"address": "a@x.example"}, {"address": "b@x.example"}], "the record itself is left alone"
    assert created({"lastName": "X", "email": None, "phone": ""}) == {"lastName": "X"}

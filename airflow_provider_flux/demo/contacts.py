"""The contacts of the demo's CRM: the same ones in every run, with a known set of bad ones among them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Contact = dict[str, Any]

COUNT = 2000
_SEED = 20250106
_FIRST_CHANGE = datetime(2025, 1, 6, 8, 0, tzinfo=UTC)

_FIRST_NAMES = (
    "Ada", "Bruno", "Chiara", "Deniz", "Elif", "Farid", "Grace", "Hana", "Ivan", "Júlia",
    "Kofi", "Lena", "Mateo", "Noor", "Olga", "Paolo", "Quinn", "Rosa", "Sven", "Tomás",
)  # fmt: skip
_LAST_NAMES = (
    "Abbott", "Brandt", "Castillo", "Duarte", "Eriksen", "Fischer", "Gupta", "Hughes", "Ito", "Jensen",
    "Kowalski", "Lindqvist", "Moreau", "Nakamura", "O'Brien", "Petrov", "Rossi", "Silva", "Tanaka", "Weber",
)  # fmt: skip
_COMPANIES = ("Acme Tools", "Blue Harbor", "Cedar & Sons", "Delta Freight", "Evergreen Dental", "Foxglove Media")
_AREA_CODES = ("206", "212", "303", "312", "404", "415", "512", "617")
_PHONE_STYLES = ("({0}) {1}-{2}", "{0}-{1}-{2}", "{0}.{1}.{2}", "+1 {0} {1} {2}", " {0}{1}{2} ")
_LIFECYCLES = ("lead", "customer", "lead", "customer", "partner")


@dataclass(frozen=True)
class Defect:
    """One way in which contacts of the demo are bad.

    :param name: what a person would call it
    :param count: how many contacts have it
    :param spoil: makes a contact bad; it also gets another contact, which stays good, and the turn (0, 1, 2, ...)
    """

    name: str
    count: int
    spoil: Callable[[Contact, Contact, int], None]


def _set(name: str, *values: Any) -> Callable[[Contact, Contact, int], None]:
    """A spoiler that writes one of `values` into a property, by turns."""

    def spoil(contact: Contact, good: Contact, turn: int) -> None:
        contact["properties"][name] = values[turn % len(values)]

    return spoil


def _same_email(contact: Contact, good: Contact, turn: int) -> None:
    contact["properties"]["email"] = good["properties"]["email"].upper()


def _no_key(contact: Contact, good: Contact, turn: int) -> None:
    contact["id"] = None


_DEFECTS = (
    Defect("letters in the phone", 14, _set("phone", "(555) ABC-1234", "call me maybe", "415-555-O132")),
    Defect("no e-mail", 9, _set("email", None)),
    Defect("bad e-mail", 7, _set("email", "not-an-address", "kim@", "two@signs@example.com")),
    Defect("too long", 6, _set("company", "The Very Long Name of a Company " * 3)),
    Defect("duplicate", 4, _same_email),
    Defect("wrong type", 5, _set("score", {"value": 61}, "n/a")),
    Defect("null key", 1, _no_key),
)
_SPAM = 20
_RELISTED = 5
_LONG_NAMES = 3


@dataclass(frozen=True)
class Book:
    """The contacts, and what is known about them.

    :param contacts: in the order of their last change, which is the order in which the API lists them
    :param bad: by defect: the ids of the contacts that have it (None for the one without an id)
    :param spam: ids of contacts that the CRM marks as spam
    :param relisted: ids that are listed twice, because the contact changed while the list was read
    :param long_names: ids of contacts whose name fits the warehouse, but not Ledger
    """

    contacts: list[Contact]
    bad: dict[str, list[str | None]]
    spam: list[str]
    relisted: list[str]
    long_names: list[str]


def make_book() -> Book:
    """Make the contacts. Two calls give equal books: there is no clock and no chance in them."""
    chance = random.Random(_SEED)  # noqa: S311 - the same contacts every time is the point
    contacts = [_contact(number, chance) for number in range(1, COUNT - _RELISTED + 1)]
    special = sum(defect.count for defect in _DEFECTS) + _SPAM + _RELISTED + _LONG_NAMES
    chosen = chance.sample(range(1, len(contacts)), special)
    taken = set(chosen)
    good = [contact for place, contact in enumerate(contacts) if place not in taken]
    places = iter(chosen)
    bad: dict[str, list[str | None]] = {}
    for defect in _DEFECTS:
        bad[defect.name] = []
        for turn in range(defect.count):
            contact = contacts[next(places)]
            defect.spoil(contact, chance.choice(good), turn)
            bad[defect.name].append(contact["id"])
    spam, relisted, long_names = (
        [contacts[next(places)] for _ in range(number)] for number in (_SPAM, _RELISTED, _LONG_NAMES)
    )
    for contact in spam:
        contact["properties"]["lifecycle"] = "spam"
    for contact in long_names:
        contact["properties"].update(lifecycle="customer", firstname="Maria Isabel Fernanda Guadalupe de la Concepción")
    contacts += [_changed_later(contact, contacts[-1], number) for number, contact in enumerate(relisted, 1)]
    return Book(contacts, bad, _ids(spam), _ids(relisted), _ids(long_names))


def _ids(contacts: list[Contact]) -> list[str]:
    return [contact["id"] for contact in contacts]


def _contact(number: int, chance: random.Random) -> Contact:
    first, last = chance.choice(_FIRST_NAMES), chance.choice(_LAST_NAMES)
    company = chance.choice(_COMPANIES)
    mailbox = f"{first}.{last}.{number}".replace("'", "").replace("ú", "u").replace("á", "a")
    email = f"{mailbox}@{company.split()[0].lower()}.example.com"
    phone = chance.choice(_PHONE_STYLES).format(chance.choice(_AREA_CODES), "555", f"01{chance.randrange(100):02d}")
    return {
        "id": f"c-{number:05d}",
        "updated_at": _instant(_FIRST_CHANGE + timedelta(minutes=3 * number)),
        "properties": {
            "firstname": _untidy(first, chance),
            "lastname": _untidy(last, chance),
            "email": f" {email}" if chance.random() < 0.1 else email,
            "phone": phone if chance.random() < 0.9 else None,
            "company": company,
            "lifecycle": chance.choice(_LIFECYCLES),
            "score": chance.choice((None, chance.randrange(100), str(chance.randrange(100)))),
        },
    }


def _untidy(name: str, chance: random.Random) -> str:
    return chance.choice((name, name, name, name.lower(), name.upper(), f" {name} "))


def _changed_later(contact: Contact, last: Contact, number: int) -> Contact:
    moment = datetime.fromisoformat(last["updated_at"]) + timedelta(minutes=number)
    return {**contact, "updated_at": _instant(moment), "properties": {**contact["properties"], "score": 100}}


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

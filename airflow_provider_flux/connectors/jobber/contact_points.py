"""E-mails and phone numbers of a client: what must be added, changed and deleted to reach what a record says.

`clientEdit` takes differences: `emailsToAdd`, `emailsToEdit`, `emailsToDelete`. An entry is recognised by its address,
whatever its case, or by the digits of its number, so that none is ever doubled; what a record does not know is kept
unless the flow says `lists: replace`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

Entry = dict[str, Any]

_TEXT = {"emails": "address", "phones": "number"}
_SHORT = {"emails": "email", "phones": "phone"}


def created(data: Mapping[str, Any]) -> Entry:
    """The input of a new client: `email` and `phone` as lists of one."""
    made = {name: value for name, value in data.items() if name not in (*_SHORT.values(), "id")}
    for name, short in _SHORT.items():
        entries = [dict(entry) for entry in made.get(name) or ()]
        if data.get(short):
            found = _find(entries, name, data[short])
            if found is not None:
                found["primary"] = True
            else:
                entries.insert(0, {_TEXT[name]: data[short], "primary": True})
        if entries:
            made[name] = entries
    return made


def edited(data: Mapping[str, Any], current: Mapping[str, Any], *, replace: bool) -> Entry:
    """The input of `clientEdit`.

    :param current: the client as it is: `emails` and `phones` with their ids
    :param replace: whether entries that the record does not have are deleted
    """
    changed = {name: value for name, value in data.items() if name not in (*_TEXT, *_SHORT.values(), "id")}
    for name, short in _SHORT.items():
        there: Sequence[Entry] = current.get(name) or ()
        add, edit, gone = _of_list(name, data.get(name), there, replace=replace)
        if data.get(short):
            _set_primary(name, data[short], there, add, edit, gone)
        parts = {"ToAdd": add, "ToEdit": list(edit.values()), "ToDelete": gone}
        changed.update({f"{name}{part}": entries for part, entries in parts.items() if entries})
    return changed


def same(name: str, one: str, other: str) -> bool:
    """Whether two addresses (`emails`) or numbers (`phones`) are the same."""
    if name == "emails":
        return one.strip().casefold() == other.strip().casefold()
    return bool(_digits(one)) and _digits(one) == _digits(other)


def _of_list(
    name: str, wanted: Any, there: Sequence[Entry], *, replace: bool
) -> tuple[list[Entry], dict[str, Entry], list[str]]:
    """What to add, what to change (by id) and what to delete, so that the entries of a list are there."""
    add: list[Entry] = []
    edit: dict[str, Entry] = {}
    if not isinstance(wanted, list):
        return add, edit, []
    kept = set()
    for entry in wanted:
        found = _find(there, name, entry.get(_TEXT[name]) or "")
        if found is None:
            if _find(add, name, entry.get(_TEXT[name]) or "") is None:
                add.append(dict(entry))
            continue
        kept.add(found["id"])
        differing = {key: value for key, value in entry.items() if not _says(found.get(key), value)}
        if differing:
            edit[found["id"]] = {"id": found["id"], **differing}
    gone = [entry["id"] for entry in there if replace and entry["id"] not in kept]
    return add, edit, gone


def _set_primary(
    name: str, text: str, there: Sequence[Entry], add: list[Entry], edit: dict[str, Entry], gone: list[str]
) -> None:
    """Make this address the primary one: that entry if it is there, else the primary one under its new text."""
    found = _find(there, name, text)
    primary = next((entry for entry in there if entry.get("primary")), None)
    if found is not None:
        if not found.get("primary"):
            edit.setdefault(found["id"], {"id": found["id"]})["primary"] = True
        if found["id"] in gone:
            gone.remove(found["id"])
    elif (added := _find(add, name, text)) is not None:
        added["primary"] = True
    elif primary is not None and primary["id"] not in edit:
        edit[primary["id"]] = {"id": primary["id"], _TEXT[name]: text}
        if primary["id"] in gone:
            gone.remove(primary["id"])
    else:
        add.append({_TEXT[name]: text, "primary": True})


def _find(entries: Sequence[Entry], name: str, text: str) -> Entry | None:
    return next((entry for entry in entries if same(name, str(entry.get(_TEXT[name]) or ""), text)), None)


def _says(there: Any, wanted: Any) -> bool:
    """Whether an entry says so already: a description is written as `MAIN` and read as `Main`."""
    if isinstance(there, str) and isinstance(wanted, str):
        return there.strip().casefold() == wanted.strip().casefold()
    return bool(there == wanted)


def _digits(number: str) -> str:
    digits = re.sub(r"\D", "", number)
    return digits[1:] if len(digits) == 11 and digits.startswith("1") else digits

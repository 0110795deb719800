"""The systems of the scenarios: a CRM to read, a billing system to write, and what may be wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.contracts.servers.saas import Contact, Saas, error
from tests.contracts.servers.wire import Call, Reply

Trouble = Callable[[Call], Reply | None]
"""An answer in place of the usual one; None lets the call through."""


class System(Saas):
    """A SaaS that can be made to fail, and that keeps its calls apart from what others think of them."""

    def __init__(self) -> None:
        super().__init__()
        self.key = "k-live-1"
        self.trouble: Trouble = lambda call: None
        self.wants_email = True
        self.wants_e164 = True
        self.wants_valid_email = False
        self.wants_phone_object = False
        self.calls = 0
        self.url = ""

    def answer(self, call: Call) -> Reply:
        with self.lock:
            self.calls += 1
            return self.trouble(call) or super().answer(call)

    def put(self, *contacts: Contact) -> None:
        """Create or change records, as a person does in the system itself."""
        with self.lock:
            self.contacts |= {contact["id"]: contact for contact in contacts}

    def change(self, key: str, minute: int = 0, **fields: Any) -> None:
        """Change a record, as a person does in the system itself: it gets a new time of change."""
        moment = f"2026-03-02T00:{minute:02d}:00Z"
        with self.lock:
            self.contacts[key] = {**self.contacts[key], **fields, "updated_at": moment}

    # The CRM's list, and the customers of the billing system.
    _head_people = _get_people = Saas._get_cursor
    _get_customers = Saas._get_contacts
    _post_customers = Saas._post_contacts
    _put_customers = Saas._put_contacts
    _patch_customers = Saas._patch_contacts
    _delete_customers = Saas._delete_contacts

    def _get_person(self, call: Call, rest: str) -> Reply:
        return self._get_contacts(call, rest)

    def _found(self, call: Call) -> list[Contact]:
        since, until = call.param("updated_since"), call.param("updated_before", "~")
        return [row for row in self._rows() if since <= row["updated_at"] < until]

    def _refusal(self, contact: Contact) -> Reply | None:
        if not contact.get("email") and not self.wants_email:
            return None
        phone = contact.get("phone")
        if self.wants_phone_object:
            changed = "The type of the field phone has changed: an object is needed"
            return None if isinstance(phone, dict) else error(422, "type_changed", changed, "phone")
        if phone and self.wants_e164 and not (phone.startswith("+") and phone[1:].isdigit()):
            return error(422, "invalid_phone", "Invalid phone number format", "phone")
        if self.wants_valid_email and "@" not in (contact.get("email") or ""):
            return error(422, "invalid", "email is not a valid email address", "email")
        return super()._refusal(contact)


def person(number: int, **fields: Any) -> Contact:
    """A contact of the CRM without faults."""
    return {
        "id": f"c{number}",
        "name": f"Person {number}",
        "email": f"person{number}@example.com",
        "phone": f"+1415555{number:04d}",
        "updated_at": f"2026-03-01T00:{number // 60:02d}:{number % 60:02d}Z",
        **fields,
    }


def always(status: int, body: Any = None, **headers: str) -> Trouble:
    """Every call is answered so."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda call: Reply(status, body if body is not None else {"error": {"message": "no"}}, named)

"""What mapping costs a record: 12 fields in, 15 out, 3 % bad; the same records for everyone, in one process.

    python -m benchmarks mapping [--records 50000]

The bare loop is one function written by hand for just these records: a regular expression for the phone numbers that
are common among them, `phonenumbers` for the rest. Flux must give the same values and refuse the same records.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import jinja2
import phonenumbers
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError
from rich.console import Console
from rich.table import Table

from airflow_provider_flux.flow.loader import load_mapping
from benchmarks.contacts import AREAS, contact

RECORDS = 50_000
REPEATS = 5
TARGET = 2.3
"""CPU of Flux over that of the bare loop."""

Record = dict[str, Any]
Map = Callable[[Record], Record | None]
"""A record in, the mapped one out; None for one that is refused."""

_STAGES = {"lead": "prospect", "customer": "client"}
_EMAIL = re.compile(r"[a-z0-9._+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}")
_AMERICAN = re.compile(r"\((" + "|".join(map(str, AREAS)) + r")\) ([2-9]\d\d)-(\d{4})")
_LONDON = re.compile(r"\+44 20 (7\d{3}) (\d{4})")


def _phone(text: str) -> str:
    if found := _AMERICAN.fullmatch(text):
        return f"+1{found[1]}{found[2]}{found[3]}"
    if found := _LONDON.fullmatch(text):
        return f"+4420{found[1]}{found[2]}"
    if any(character.isalpha() for character in text):
        raise ValueError("letters")
    number = phonenumbers.parse(text, "US")
    if not phonenumbers.is_valid_number(number):
        raise ValueError("no such number")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _email(text: str) -> str:
    cleaned = text.strip().lower()
    if not _EMAIL.fullmatch(cleaned):
        raise ValueError("not an address")
    return cleaned


def _instant(text: str) -> str:
    return datetime.fromisoformat(text).isoformat().replace("+00:00", "Z")


def bare_loop(record: Record) -> Record | None:
    """What somebody writes for this one job."""
    try:
        address = record["address"]
        return {
            "id": record["id"],
            "email": _email(record["email"]),
            "phone": _phone(record["phone"].strip()),
            "first_name": record["firstname"].strip().title(),
            "last_name": record["lastname"].strip().title(),
            "company": record["company"],
            "stage": _STAGES.get(record["lifecycle"], "other"),
            "score": int(record["score"]),
            "street": address["street"],
            "city": address["city"],
            "zip": address["zip"],
            "country": address["country"],
            "owner": record["owner"],
            "created_at": _instant(record["created_at"]),
            "updated_at": _instant(record["updated_at"]),
        }
    except (ValueError, AttributeError, phonenumbers.NumberParseException):
        return None


def flux() -> Map:
    """The mapping file of the pipeline benchmark."""
    mapping = load_mapping(Path(__file__).parent / "include", "contacts", 1)

    def apply(record: Record) -> Record | None:
        values, errors = mapping.apply(record)
        return None if errors else values

    return apply


class _Address(BaseModel):
    street: str
    city: str
    zip: str
    country: str


def _titled(text: str) -> str:
    return text.strip().title()


_Name = Annotated[str, AfterValidator(_titled)]
_Instant = Annotated[str, AfterValidator(_instant)]


class _Contact(BaseModel):
    id: int
    email: Annotated[str, AfterValidator(_email)]
    phone: Annotated[str, AfterValidator(_phone)]
    first_name: _Name = Field(alias="firstname")
    last_name: _Name = Field(alias="lastname")
    company: str
    stage: Annotated[str, BeforeValidator(lambda text: _STAGES.get(text, "other"))] = Field(alias="lifecycle")
    score: int
    address: _Address
    owner: str
    created_at: _Instant
    updated_at: _Instant


def pydantic_model(record: Record) -> Record | None:
    """A model with the functions of the bare loop as validators."""
    try:
        values = _Contact.model_validate(record).model_dump()
    except (ValidationError, phonenumbers.NumberParseException):
        return None
    values.update(values.pop("address"))
    return values


def jinja_fields() -> Map:
    """One compiled expression per field, as tools do that take mappings as templates."""
    environment = jinja2.Environment(autoescape=False)
    environment.filters |= {"phone": _phone, "email": _email, "instant": _instant}
    texts = {
        "id": "r.id", "email": "r.email | email", "phone": "r.phone | phone",
        "first_name": "r.firstname | trim | title", "last_name": "r.lastname | trim | title", "company": "r.company",
        "stage": "{'lead': 'prospect', 'customer': 'client'}.get(r.lifecycle, 'other')", "score": "r.score | int",
        "street": "r.address.street", "city": "r.address.city", "zip": "r.address.zip", "country": "r.address.country",
        "owner": "r.owner", "created_at": "r.created_at | instant", "updated_at": "r.updated_at | instant",
    }  # fmt: skip
    compiled = [(name, environment.compile_expression(text)) for name, text in texts.items()]

    def apply(record: Record) -> Record | None:
        try:
            return {name: expression(r=record) for name, expression in compiled}
        except (ValueError, AttributeError, phonenumbers.NumberParseException):
            return None

    return apply


def main(count: int = RECORDS) -> int:
    """Print the table; 1 when Flux is slower than the target, or does not do what the bare loop does."""
    records = [contact(number) for number in range(count)]
    contenders: dict[str, Map] = {
        "bare loop": bare_loop,
        "Flux": flux(),
        "pydantic": pydantic_model,
        "jinja, one expression per field": jinja_fields(),
    }
    expected = [bare_loop(record) for record in records]
    table = Table("mapping", "us per record", "x bare loop", "refused")
    ratios: dict[str, float] = {}
    best = _best(contenders, records)
    for name, apply in contenders.items():
        results = [apply(record) for record in records]
        for number, (result, wanted) in enumerate(zip(results, expected, strict=True)):
            if result != wanted:
                Console().print(f"{name} differs in record {number}: {result} instead of {wanted}")
                return 1
        ratios[name] = best[name] / best["bare loop"]
        table.add_row(name, f"{best[name] / count * 1e6:.1f}", f"{ratios[name]:.2f}", str(results.count(None)))
    Console().print(table)
    Console().print(f"Flux: {ratios['Flux']:.2f} of the bare loop (target: at most {TARGET})")
    return 0 if ratios["Flux"] <= TARGET else 1


def _best(contenders: dict[str, Map], records: list[Record]) -> dict[str, float]:
    """CPU seconds of the best of several rounds, in each of which everyone has a turn."""
    best: dict[str, float] = {}
    for _ in range(REPEATS):
        for name, apply in contenders.items():
            started = time.process_time()
            for record in records:
                apply(record)
            best[name] = min(best.get(name, 1e9), time.process_time() - started)
    return best

"""Postal addresses: the parts as one line, and one line as its parts.

A line is taken apart only where commas or line breaks and the country's own rules leave no doubt. A guess would write
a wrong address without anybody knowing, so what cannot be told apart is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from airflow_provider_flux.connectors.options import Model
from airflow_provider_flux.mapping.kinds import kind
from airflow_provider_flux.mapping.transforms.base import Apply, Example, Failure, Transform, text_of
from airflow_provider_flux.mapping.transforms.postal import Country, country, country_codes, known_country

Part = Literal["street", "city", "state", "postal_code", "country"]
PARTS: tuple[Part, ...] = ("street", "city", "state", "postal_code", "country")

_LONGEST = 1000

_SYNONYMS: dict[str, Part] = {
    "street": "street", "street1": "street", "street2": "street", "line1": "street", "line2": "street",
    "address": "street", "address1": "street", "address2": "street", "street_address": "street", "city": "city",
    "town": "city", "locality": "city", "state": "state", "province": "state", "region": "state", "county": "state",
    "state_code": "state", "province_code": "state", "postal_code": "postal_code", "postalcode": "postal_code",
    "postcode": "postal_code", "zip": "postal_code", "zip_code": "postal_code", "zipcode": "postal_code",
    "country": "country", "country_code": "country",
}  # fmt: skip
_LETTER = {"street": "%A", "city": "%C", "state": "%S", "postal_code": "%Z"}
_TOKEN = re.compile("%[A-Z]")

_CountryCode = Annotated[str, AfterValidator(known_country)]


class AddressSingleLine(Model):
    """Arguments of `address_single_line`."""

    parts: tuple[Part, ...] = Field(
        default=PARTS, min_length=1, description="What the paths of the rule hold, in their order; for several paths."
    )
    country: _CountryCode | None = Field(
        default=None, description="Whose way of writing holds for an address that names no country, for example US."
    )


class AddressParse(Model):
    """Arguments of the `address_parse_` transforms."""

    country: _CountryCode | None = Field(
        default=None, description="Country of an address that names none, for example US."
    )


def address_single_line(arguments: AddressSingleLine) -> Apply:
    def apply(value: Any) -> str | None:
        if isinstance(value, str):
            return ", ".join(_segments(value)) or None
        parts = _of_object(value) if isinstance(value, dict) else _of_list(value, arguments.parts)
        return ", ".join(_written(parts, arguments.country)) or None

    return apply


def address_parse(part: Part, arguments: AddressParse) -> Apply:
    def apply(value: Any) -> str | None:
        if isinstance(value, dict):
            return _of_object(value).get(part)
        text = text_of(value)
        if len(text) > _LONGEST:
            raise Failure("The text is longer than any address.")
        segments = _segments(text)
        return _taken_apart(segments, arguments.country, part) if segments else None

    return apply


def _of_object(value: dict[str, Any]) -> dict[str, str]:
    parts: dict[str, str] = {}
    for key, item in value.items():
        part = _SYNONYMS.get(str(key).lower().replace(" ", "_").replace("-", "_"))
        text = "" if item is None or part is None else _clean(item)
        if part is None or not text:
            continue
        # A street has several lines; of the rest, the first name that holds a value counts.
        parts[part] = f"{parts[part]}, {text}" if part == "street" and part in parts else parts.get(part, text)
    return parts


def _of_list(value: Any, names: tuple[Part, ...]) -> dict[str, str]:
    if not isinstance(value, list):
        raise Failure(f"The value is {kind(value)}; an address is text, an object, or several paths.")
    if len(value) > len(names):
        raise Failure(f"The rule has {len(value)} paths and `parts` names {len(names)}.")
    parts: dict[str, str] = {}
    for name, item in zip(names, value, strict=False):
        text = "" if item is None else _clean(item)
        if text:
            parts[name] = f"{parts[name]}, {text}" if name in parts else text
    return parts


def _clean(value: Any) -> str:
    return ", ".join(_segments(text_of(value)))


def _segments(text: str) -> list[str]:
    """What stands between commas and line breaks."""
    return [cleaned for piece in re.split(r"[,\n\r;]", text) if (cleaned := " ".join(piece.split()))]


def _written(parts: dict[str, str], default: str | None) -> list[str]:
    code = country_codes().get(parts.get("country", "").lower()) or default
    lines = country(code).lines if code else ("%A", "%C, %S %Z")
    written = [_fill(line, parts) for line in lines]
    # What this country's addresses do not have must not be lost.
    missing = [text for name, text in parts.items() if name in _LETTER and _LETTER[name] not in "".join(lines)]
    return [line for line in (*written, *missing, parts.get("country", "")) if line]


def _fill(line: str, parts: dict[str, str]) -> str:
    by_letter = {letter: parts.get(name, "") for name, letter in _LETTER.items()}
    if not any(by_letter.get(token) for token in _TOKEN.findall(line)):
        return ""
    filled = _TOKEN.sub(lambda match: by_letter.get(match[0], ""), line)
    return ", ".join(_segments(filled))


def _taken_apart(segments: list[str], default: str | None, part: Part) -> str | None:
    code = country_codes().get(segments[-1].lower()) if len(segments) > 1 else None
    if code is not None:
        segments.pop()
    if part == "country":
        return code or default
    if code is None and default is None:
        raise Failure("The address names no country, and the rule has no `country`.")
    rules = country(code or default or "")
    postal_code = _take(segments, partial(_postal_code, rules))
    if part == "postal_code":
        return postal_code
    state = _take(segments, partial(_state, rules)) if rules.states else None
    if part == "state":
        return state
    if len(segments) < 2:
        raise Failure("Street and city cannot be told apart: no comma or line break stands between them.")
    return segments[-1] if part == "city" else ", ".join(segments[:-1])


def _take(segments: list[str], find: Callable[[str], tuple[str, str] | None]) -> str | None:
    """Take what `find` finds (what it is, what is left) out of one of the last two segments.

    Never out of the first of several: that is the street, and a house number looks like a postal code.
    """
    first = min(1, len(segments) - 1)
    for place in range(len(segments) - 1, max(first, len(segments) - 2) - 1, -1):
        found = find(segments[place])
        if found is not None:
            segments[place : place + 1] = [found[1]] if found[1] else []
            return found[0]
    return None


def _postal_code(rules: Country, segment: str) -> tuple[str, str] | None:
    match = rules.postal_code_last.search(segment) or rules.postal_code_first.match(segment)
    if match is None:
        return None
    return match[0], (segment[: match.start()] + segment[match.end() :]).strip()


def _state(rules: Country, segment: str) -> tuple[str, str] | None:
    words = segment.split()
    # The longest name first: Western Australia before Australia; the city in front of it may be empty.
    for count in range(min(4, len(words)), 0, -1):
        state = rules.states.get(" ".join(words[-count:]).lower())
        if state is not None:
            return state, " ".join(words[:-count])
    return None


_PARSED = {
    "street": ("350 Fifth Ave", "Hauptstr. 1"),
    "city": ("New York", "Berlin"),
    "state": ("NY", None),
    "postal_code": ("10118", "10115"),
    "country": ("US", "DE"),
}


def _parsing(part: Part) -> Transform:
    american, german = _PARSED[part]
    refused = (
        Example("350 Fifth Ave New York NY 10118", arguments={"country": "US"}, fails="cannot be told apart")
        if part in ("street", "city")
        else Example(["350 Fifth Ave"], fails="is a list; text is needed")
    )
    return Transform(
        f"address_parse_{part}",
        f"Takes the {part.replace('_', ' ')} out of an address of one line, or of an object; empty text becomes null.",
        partial(address_parse, part),
        (
            Example("350 Fifth Ave, New York, NY 10118, USA", american),
            Example("Hauptstr. 1\n10115 Berlin", german, {"country": "DE"}),
            Example("", None),
            refused,
        ),
        arguments=AddressParse,
    )


TRANSFORMS = (
    Transform(
        "address_single_line",
        "Writes an address in one line, as its country does: from several paths, an object, or text of several lines.",
        address_single_line,
        (
            Example(["350 Fifth Ave", "New York", "NY", "10118", "US"], "350 Fifth Ave, New York, NY 10118, US"),
            Example({"street": "Weg 1", "zip": "10115", "city": "Berlin"}, "Weg 1, 10115 Berlin", {"country": "DE"}),
            Example(["1 Main St", None, "Rome"], "1 Main St, Rome", {"parts": ["street", "street", "city"]}),
            Example("Hauptstr. 1\n10115 Berlin", "Hauptstr. 1, 10115 Berlin"), Example([None, None], None),
            Example(42, fails="is a number; an address is text"),
        ),
        arguments=AddressSingleLine, whole_list=True,
    ),
    *(_parsing(part) for part in PARTS),
)  # fmt: skip

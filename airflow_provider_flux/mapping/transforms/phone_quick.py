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

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumberDesc

_PLAIN = re.compile(r"\+[1-9][0-9 ().-]{5,24}[0-9]|[0-9(][0-9 ().-]{4,24}[0-9]")
_TYPES = (
    *("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost"),
    *("voip", "personal_number", "pager", "uan", "voicemail"),
)
_NEVER = "(?!)"

Match = Callable[[str], Any]


class QuickReader:
    """:param country: region of numbers without a plus, None to accept only numbers with one"""

    def __init__(self, country: str | None) -> None:
        metadata = None if country is None else PhoneMetadata.metadata_for_region(country, None)
        self._country_code = 0
        self._accepts: Match = re.compile(_NEVER).fullmatch
        if metadata is not None:
            self._country_code = metadata.country_code or 0
            # A number that begins with the prefix for calls abroad would be taken for an international one.
            self._accepts = _acceptor(metadata, metadata.international_prefix)

    def read(self, text: str) -> str | None:
        """The number in E.164, or None when the library has to decide."""
        if _PLAIN.fullmatch(text) is None:
            return None
        digits = text.replace(" ", "").replace("-", "").replace("(", "").replace(")", "").replace(".", "")
        if digits[0] == "+":
            return _read_international(digits)
        return f"+{self._country_code}{digits}" if self._accepts(digits) else None


def _read_international(digits: str) -> str | None:
    for length in (1, 2, 3):
        country_code = int(digits[1 : 1 + length])
        if country_code in COUNTRY_CODE_TO_REGION_CODE:
            return digits if _international(country_code)(digits[1 + length :]) else None
    return None


@cache
def _international(country_code: int) -> Match:
    metadata = PhoneMetadata.metadata_for_region(COUNTRY_CODE_TO_REGION_CODE[country_code][0], None)
    return re.compile(_NEVER).fullmatch if metadata is None else _acceptor(metadata, None)


def _acceptor(parsing: PhoneMetadata, prefix_abroad: str | None) -> Match:
    """One regular expression for all the conditions on a national number, made of the library's own.

    :param parsing: the region whose rules the library parses the number by
    """
    regions = COUNTRY_CODE_TO_REGION_CODE[parsing.country_code or 0]
    main = PhoneMetadata.metadata_for_region(regions[0], None)
    # With leading digits the main region takes only a part of the numbers: left to the library.
    if main is None or (len(regions) > 1 and main.leading_digits is not None):
        return re.compile(_NEVER).fullmatch
    refused = [pattern for pattern in ("0", prefix_abroad, parsing.national_prefix_for_parsing) if pattern]
    types = [_whole(getattr(main, name)) for name in _TYPES]
    return re.compile(
        "".join(f"(?!{pattern})" for pattern in refused)
        + f"(?={_whole(parsing.general_desc)})(?={_whole(main.general_desc)})"
        + f"(?:{'|'.join(types)})"
    ).fullmatch


def _whole(description: PhoneNumberDesc | None) -> str:
    """A pattern for the whole of a number that matches the description, in one of its lengths."""
    if description is None or not description.national_number_pattern:
        return _NEVER
    lengths = "|".join(rf"\d{{{length}}}" for length in description.possible_length if length > 0)
    return rf"(?=(?:{lengths})\Z)(?:{description.national_number_pattern})\Z" if lengths else _NEVER

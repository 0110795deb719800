"""JSON answers as Python values, however broken one record in them is.

The fast decoder is strict. What it refuses is read again by a patient one, which keeps what is wrong with a value in
the value's place: `mend` then says it for the one record that holds it, so that a bad record never costs its page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from airflow_provider_flux.errors import RecordError, preview

MAX_DEPTH = 100
"""Levels of nesting beyond which a record counts as broken. Only looked at where the fast decoder gave up."""

_TOO_DEEP = "-0.0e00000000000000000000"  # stands for what was cut out; a number that no system writes
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
_CHARSET = re.compile(r"charset=[\"']?([\w.:-]+)", re.IGNORECASE)
_MOST_DIGITS = 4300  # of an integer; Python refuses to read a longer one


class NotJson(ValueError):
    """The body is not JSON: cut off, HTML, or something else."""


@dataclass(frozen=True)
class Decoded:
    """The value of an answer.

    :param clean: everything in it is sound; otherwise records must go through `mend`
    """

    value: Any
    clean: bool


class _Unfit(str):
    """The text of a number that no system can store, in the number's place."""


def decode(body: bytes, content_type: str = "") -> Decoded:
    """Read a JSON body.

    :raises NotJson: when it is not JSON, even to a patient reader
    """
    try:
        return Decoded(msgspec.json.decode(body), clean=True)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # the patient decoder says what is wrong, and where
    return Decoded(_decode_patiently(_text(body, content_type)), clean=False)


def mend(record: Any) -> tuple[Any, RecordError | None]:
    """The record with U+FFFD for unreadable characters and null for numbers that are none, and the first flaw found."""
    mender = _Mender()
    return mender.clean(record, "", 0), mender.flaw


def storable(text: str) -> str:
    """The text with everything escaped that a log or a database cannot hold: NUL, lone surrogates, raw bytes."""
    return _readable(text).replace("\x00", "\\x00")


def excerpt(body: bytes, limit: int = 4000) -> str:
    """The beginning of a body as text that every database can store, to be kept with an error."""
    text = storable(body[: 4 * limit].decode("utf-8", "replace"))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def kept(body: bytes, mask: Callable[[str], str], limit: int = 4000) -> str:
    """The beginning of a body with its secrets masked, to be kept with an error."""
    # Masked before it is cut: a secret cut in two would not be recognised.
    return mask(excerpt(body, 2 * limit))[:limit]


def looks_like_html(body: bytes) -> bool:
    """Whether a page for people came back: a proxy's, a login form, a maintenance notice."""
    beginning = body[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return beginning.startswith((b"<!doctype html", b"<html", b"<head", b"<body"))


def _text(body: bytes, content_type: str) -> str:
    """The text of a body; bytes that are none become lone surrogates.

    JSON is UTF-8, whatever its content type says (RFC 8259, 8.1 and 11): only a body that is none is read as declared.
    """
    try:
        if b"\x00" not in body[:4]:  # as every UTF-16 or UTF-32 has
            return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    declared = _CHARSET.search(content_type)
    try:
        return body.decode(declared[1] if declared is not None else "utf-8")
    except (UnicodeError, LookupError):  # it is not in that charset either, or that is no charset of texts
        return body.decode("utf-8-sig", "surrogateescape")


def _decode_patiently(text: str) -> Any:
    decoder = json.JSONDecoder(strict=False, parse_constant=_Unfit, parse_int=_integer, parse_float=_number)
    try:
        try:
            return decoder.decode(text)
        except RecursionError:
            return decoder.decode(_cut_deep_parts(text))
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from None


def _integer(digits: str) -> Any:
    return int(digits) if len(digits) <= _MOST_DIGITS else _Unfit(digits)


def _number(text: str) -> Any:
    number = float(text)
    if text == _TOO_DEEP or number in (float("inf"), float("-inf")):
        return _Unfit(text)
    return number


def _cut_deep_parts(text: str) -> str:
    """Replace whatever is nested deeper than MAX_DEPTH by a mark."""
    kept: list[str] = []
    depth = done = 0
    for token in _TOKEN.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth == MAX_DEPTH + 1:
                kept += (text[done : token.start()], _TOO_DEEP)
        elif token[0] in "]}":
            depth -= 1
            if depth == MAX_DEPTH:
                done = token.end()
    if depth > MAX_DEPTH:
        raise NotJson(f"it is cut off inside a value that is nested deeper than {MAX_DEPTH} levels")
    kept.append(text[done:])
    return "".join(kept)


class _Mender:
    """Walks one record and notes the first flaw."""

    def __init__(self) -> None:
        self.flaw: RecordError | None = None

    def clean(self, value: Any, path: str, depth: int) -> Any:
        if isinstance(value, _Unfit):
            return self._number(value, path)
        if isinstance(value, str):
            return self._text(value, path)
        if isinstance(value, (dict, list)) and depth >= MAX_DEPTH:
            return self._deep(path)
        if isinstance(value, dict):
            cleaned = {}
            for name, item in value.items():
                sound = self._text(name, f"{path}.{name}" if path else name)
                cleaned[sound] = self.clean(item, f"{path}.{sound}" if path else sound, depth + 1)
            return cleaned
        if isinstance(value, list):
            return [self.clean(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(value)]
        return value

    def _text(self, text: str, path: str) -> str:
        if text.isascii() or _SURROGATE.search(text) is None:
            return text
        readable = _SURROGATE.sub("�", text)
        self._note("INVALID_ENCODING", "holds characters that are not valid UTF-8", _readable(path), _readable(text))
        return readable

    def _number(self, text: _Unfit, path: str) -> None:
        if text == _TOO_DEEP:
            self._deep(path)
        elif text.lstrip("-")[:1].isdigit():
            self._note("VALUE_OUT_OF_RANGE", "holds a number that is too large for any system", path, str(text))
        else:
            self._note("INVALID_ENCODING", f"holds {text}, which is not a number", path, str(text))

    def _deep(self, path: str) -> None:
        # The path itself would be hundreds of names long.
        self._note("INVALID_FORMAT", f"is nested deeper than {MAX_DEPTH} levels", re.split(r"[.\[]", path)[0], None)

    def _note(self, code: str, message: str, path: str, value: str | None) -> None:
        if self.flaw is None:
            shown = None if value is None else preview(value)
            self.flaw = RecordError(code, f"'{path}' {message}", source_path=path, value=shown)


def _readable(text: str) -> str:
    """Bytes that were not UTF-8 as `\\xff`, lone surrogates as `\\ud800`."""
    return _SURROGATE.sub(lambda match: _escaped(ord(match[0])), text)


def _escaped(code: int) -> str:
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"

"""Transforms of text."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from airflow_provider_flux.connectors.options import Model
from airflow_provider_flux.mapping.transforms.base import Apply, Example, Failure, Transform, plain, text_of

PATTERN_SECONDS = 0.25
"""How long a pattern may work on one value."""


def trim(value: Any) -> str:
    return (value if type(value) is str else text_of(value)).strip()


def lowercase(value: Any) -> str:
    return (value if type(value) is str else text_of(value)).lower()


def uppercase(value: Any) -> str:
    return (value if type(value) is str else text_of(value)).upper()


class Truncate(Model):
    """Arguments of `truncate`."""

    length: int = Field(ge=1, le=1_000_000, description="Most characters that are kept.")


def truncate(arguments: Truncate) -> Apply:
    length = arguments.length

    def apply(value: Any) -> str:
        return (value if type(value) is str else text_of(value))[:length]

    return apply


class Replace(Model):
    """Arguments of `replace`."""

    find: str | None = Field(default=None, min_length=1, max_length=200, description="Text to look for, as it stands.")
    pattern: str | None = Field(
        default=None, min_length=1, max_length=200, description="Regular expression to look for, instead of `find`."
    )
    replacement: str = Field(
        default="",
        alias="with",
        max_length=200,
        description=r"What stands there afterwards; `\1` is a group of `pattern`.",
    )

    @model_validator(mode="after")
    def _check(self) -> Replace:
        if (self.find is None) == (self.pattern is None):
            raise ValueError("write either `find` or `pattern`")
        if self.pattern is not None:
            _check_pattern(self.pattern, self.replacement)
        return self


def _check_pattern(pattern: str, replacement: str) -> None:
    import regex  # here and below: 80 ms that a mapping without patterns need not pay

    try:
        compiled = regex.compile(pattern)
        # The empty alternative matches empty text, so that a reference to a group that does not exist shows now.
        regex.compile(f"(?:{pattern})|").sub(replacement, "")
    except regex.error as error:
        raise ValueError(f"{pattern!r} with {replacement!r} is not a regular expression: {error}") from None
    if compiled.search("") is not None:
        raise ValueError(f"{pattern!r} matches empty text, so it would match between all characters")


def replace(arguments: Replace) -> Apply:
    if arguments.pattern is not None:
        return _replace_pattern(arguments.pattern, arguments.replacement)
    find, replacement = arguments.find or "", arguments.replacement

    def apply(value: Any) -> str:
        return (value if type(value) is str else text_of(value)).replace(find, replacement)

    return apply


def _replace_pattern(pattern: str, replacement: str) -> Apply:
    import regex

    compiled = regex.compile(pattern)

    def apply(value: Any) -> str:
        try:
            return compiled.sub(replacement, text_of(value), timeout=PATTERN_SECONDS)
        except TimeoutError:
            raise Failure(
                f"The pattern needed more than {PATTERN_SECONDS} s for this value; write it without nested repetition.",
                code="TRANSFORM_FAILED",
            ) from None

    return apply


class Concatenate(Model):
    """Arguments of `concatenate`."""

    separator: str = Field(default=" ", max_length=200, description="What stands between two values.")


def concatenate(arguments: Concatenate) -> Apply:
    separator = arguments.separator

    def apply(value: Any) -> str | None:
        items = value if isinstance(value, list) else [value]
        texts = [text_of(item) for item in items if item is not None and item != ""]
        return separator.join(texts) if texts else None

    return apply


TRANSFORMS = (
    Transform(
        "trim", "Removes white space at both ends.", plain(trim),
        (Example("  Ada \n", "Ada"), Example(42, "42"), Example({"a": 1}, fails="is an object; text is needed")),
    ),
    Transform(
        "lowercase", "Makes all letters small.", plain(lowercase),
        (Example("Ada@Example.COM", "ada@example.com"), Example(["A"], fails="is a list; text is needed")),
    ),
    Transform(
        "uppercase", "Makes all letters capital.", plain(uppercase),
        (Example("de", "DE"), Example(True, fails="is a boolean; text is needed")),
    ),
    Transform(
        "truncate", "Cuts text after `length` characters.", truncate, arguments=Truncate,
        examples=(
            Example("Analytical Engine", "Analytical", {"length": 10}), Example("short", "short", {"length": 10}),
            Example([], arguments={"length": 1}, fails="is a list; text is needed"),
        ),
    ),
    Transform(
        "replace", "Replaces text, or what a regular expression matches, everywhere in the value.", replace,
        arguments=Replace,
        examples=(
            Example("a-b-c", "a b c", {"find": "-", "with": " "}), Example("SKU 0042", "0042", {"pattern": "^SKU +"}),
            Example("2024/05", "05.2024", {"pattern": r"(\d+)/(\d+)", "with": r"\2.\1"}),
            Example({}, arguments={"find": "a"}, fails="is an object; text is needed"),
        ),
    ),
    Transform(
        "concatenate", "Joins the values of several paths, or the items of a list; null and empty ones are left out.",
        concatenate, arguments=Concatenate, whole_list=True,
        examples=(
            Example(["Ada", None, "Lovelace"], "Ada Lovelace"), Example(["a", "b"], "a, b", {"separator": ", "}),
            Example([None, ""], None), Example([{"a": 1}], fails="is an object; text is needed"),
        ),
    ),
)

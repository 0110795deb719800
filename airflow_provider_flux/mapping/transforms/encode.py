"""Transforms that write a value in another notation: a digest, or JSON text."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

from pydantic import Field

from airflow_provider_flux.connectors.options import Model
from airflow_provider_flux.mapping.transforms.base import Apply, Example, Failure, Transform, text_of

_LONGEST_JSON = 1_000_000


class Hash(Model):
    """Arguments of `hash`."""

    algorithm: Literal["sha256", "sha512", "sha1", "md5"] = Field(
        default="sha256", description="sha1 and md5 only where the destination asks for them: they protect nothing."
    )


def hash_(arguments: Hash) -> Apply:
    digest = getattr(hashlib, arguments.algorithm)

    def apply(value: Any) -> str | None:
        text = text_of(value)
        if not text:
            return None
        try:
            return str(digest(text.encode(), usedforsecurity=False).hexdigest())
        except UnicodeEncodeError:  # half of a surrogate pair, from broken JSON escapes
            raise Failure("The text holds characters that cannot be encoded.") from None

    return apply


class Json(Model):
    """Arguments of `json`."""

    to: Literal["text", "value"] = Field(
        default="text", description="`text` writes the value as JSON; `value` reads JSON text, and leaves others alone."
    )


def json_(arguments: Json) -> Apply:
    return _write_json if arguments.to == "text" else _read_json


def _write_json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=text_of)
    except ValueError:
        raise Failure("The value holds a number that is not finite, or has too many digits.") from None
    except TypeError:
        raise Failure("The value has a key that JSON cannot hold.") from None
    except RecursionError:
        raise Failure("The value is nested too deeply.") from None


def _read_json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    if len(value) > _LONGEST_JSON:
        raise Failure(f"The text is longer than {_LONGEST_JSON:,} characters.")
    try:
        return json.loads(value, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise Failure(f"The text is not JSON: {error.msg} at character {error.pos + 1}.") from None
    except ValueError:  # a number of more than 4,300 digits
        raise Failure("The text holds a number with too many digits.") from None
    except RecursionError:
        raise Failure("The text is nested too deeply.") from None


def _refuse_constant(name: str) -> Any:
    raise Failure(f"The text is not JSON: {name} is not a number.")


TRANSFORMS = (
    Transform(
        "hash", "Writes the digest of the text in hexadecimal; empty text becomes null.", hash_, arguments=Hash,
        examples=(
            Example("ada@example.com", "b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72"),
            Example("a", "0cc175b9c0f1b6a831c399e269772661", {"algorithm": "md5"}), Example("", None),
            Example([1], fails="is a list; text is needed"),
        ),
    ),
    Transform(
        "json", "Writes a value as JSON text, or reads JSON text.", json_, arguments=Json, code="TRANSFORM_FAILED",
        examples=(
            Example({"a": [1, None]}, '{"a":[1,null]}'), Example("é", '"é"'),
            Example('{"a": 1}', {"a": 1}, {"to": "value"}), Example({"a": 1}, {"a": 1}, {"to": "value"}),
            Example("", None, {"to": "value"}),
            Example("{a: 1}", arguments={"to": "value"}, fails="is not JSON: Expecting property name"),
            Example(float("nan"), fails="not finite"),
        ),
    ),
)

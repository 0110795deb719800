"""Records as JSON bodies."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from airflow_provider_flux.connectors.rest.placeholders import Unfit
from airflow_provider_flux.errors import RecordError

_encoder = msgspec.json.Encoder(decimal_format="number")


def encode(value: Any) -> bytes:
    """A body without records, or with records that `encode_item` made."""
    return _encoder.encode(value)


def encode_item(value: Any) -> msgspec.Raw:
    """One record, ready to be put into a body.

    :raises Unfit: when JSON cannot hold it
    """
    try:
        return msgspec.Raw(_encoder.encode(value))
    except (UnicodeEncodeError, OverflowError, TypeError, ValueError, RecursionError):
        pass  # integers beyond 64 bits are among these, and JSON can hold them
    try:
        return msgspec.Raw(json.dumps(value, allow_nan=False, default=_plain).encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise Unfit(RecordError("INVALID_FORMAT", f"the record cannot be written as JSON: {error}")) from None


def _plain(value: Any) -> Any:
    """What only the fast encoder knows: dates, decimals, UUIDs, bytes."""
    return json.loads(_encoder.encode(value))

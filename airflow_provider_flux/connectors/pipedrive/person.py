"""E-mails and phones of a person: lists in Pipedrive, mostly a single text in everything else.

A mapped record may hold `emails` and `phones` as the API has them, and then they replace what is there. Or it holds
`email` and `phone`: a text, or a list of texts of which the first is the primary one; what else the person has is kept.
"""

from __future__ import annotations

from typing import Any

SHORT = {"email": "emails", "phone": "phones"}


def is_short(data: dict[str, Any]) -> bool:
    """Whether a change of a person needs to know what the person has now."""
    return any(short in data and full not in data for short, full in SHORT.items())


def written(data: dict[str, Any], now: dict[str, Any] | None = None) -> dict[str, Any]:
    """The body of a write.

    :param now: the person as it is; None for one that is made
    """
    body = {name: value for name, value in data.items() if name not in SHORT}
    for short, full in SHORT.items():
        if short not in data or full in data:
            continue
        wanted = data[short] if isinstance(data[short], list) else [data[short]]
        entries = _merged(full, [value for value in wanted if value not in (None, "")], (now or {}).get(full) or [])
        if entries is not None:
            body[full] = entries
    return body


def _merged(field: str, wanted: list[Any], there: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """The wanted ones first, then the others that are there; None where nothing is to be changed."""
    if not wanted:
        return None
    by_value = {plain(field, entry.get("value")): entry for entry in there}
    kept = dict(by_value)
    first = [{**kept.pop(plain(field, value), {}), "value": value} for value in wanted]
    entries = [{**entry, "primary": place == 0} for place, entry in enumerate([*first, *kept.values()])]
    return None if entries == there else entries


def plain(field: str, value: Any) -> str:
    """A value as two that mean the same are equal: letters of either case, phones by their digits."""
    if isinstance(value, dict):
        value = value.get("value")  # money, addresses
    text = str(value).strip().casefold()
    if field in ("phone", "phones"):
        return "".join(sign for sign in text if sign.isdigit())
    return text


def values(record: dict[str, Any], field: str) -> set[str]:
    """What a record of the API holds in a field by which it may be looked up."""
    if field in SHORT:
        entries = record.get(SHORT[field]) or []
        return {plain(field, entry.get("value")) for entry in entries if isinstance(entry, dict)}
    if field.startswith("custom_fields."):
        found = (record.get("custom_fields") or {}).get(field.removeprefix("custom_fields."))
    else:
        found = record.get(field)
    return set() if found is None else {plain(field, found)}

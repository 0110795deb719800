"""What the destination would do with mapped records, found out without writing: for a test sync."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from airflow_provider_flux.connectors.contract import Destination, WriteItem
from airflow_provider_flux.connectors.options import DestinationOptions
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.stages.transform import encoded, fingerprint
from airflow_provider_flux.store import Store
from airflow_provider_flux.store.rows import Link

Effect = Literal["create", "update", "no change", "left as it is", "refused", "not known"]


@dataclass(frozen=True)
class Foreseen:
    """What a write would do.

    :param why: how that is known, or why it is not
    """

    effect: Effect
    why: str


def foresee(
    store: Store, flow: str, destination: Destination, options: DestinationOptions, mapped: Sequence[tuple[str, Any]]
) -> list[Foreseen]:
    """What the destination would do with each of these records. It is asked where it can be, and never written to.

    :param mapped: source key and mapped record of each
    """
    links = store.links(flow, [key for key, _ in mapped])
    items = [WriteItem(data, destination_key=_destination_key(links.get(key))) for key, data in mapped]
    there, silence = _look(destination, items) if options.key is not None else (None, "it has no `key` to look for")
    found = []
    for place, (key, data) in enumerate(mapped):
        link = links.get(key)
        if there is not None:
            found.append(_asked(options, there[place], link, data))
        elif link is not None and not link.deleted:
            found.append(_linked(options, link, data))
        elif options.mode == "create":
            found.append(Foreseen("create", "this flow has not delivered it before"))
        else:
            found.append(Foreseen("not known", silence))
    return found


def _look(destination: Destination, items: Sequence[WriteItem]) -> tuple[list[str | None] | None, str]:
    """The destination's keys of the records that are there; None, with the reason, where it does not tell."""
    if not destination.can_find:
        return None, "the destination cannot be asked without writing"
    try:
        return destination.find(items), ""
    except FluxError as error:
        return None, f"the destination does not say: {error.message}"


def _asked(options: DestinationOptions, there: str | None, link: Link | None, data: dict[str, Any]) -> Foreseen:
    if there is None:
        if options.mode == "update":
            return Foreseen("refused", "the destination has no such record, and `mode: update` makes none")
        return Foreseen("create", "the destination has no such record")
    if options.mode == "create":
        return Foreseen("refused", f"the destination has it already, as {there}")
    if options.mode == "create_if_missing":
        return Foreseen("left as it is", f"the destination has it already, as {there}")
    if link is not None and _same(link, data):
        return Foreseen("no change", f"this flow delivered the same record before, as {there}")
    return Foreseen("update", f"the destination has it, as {there}")


def _linked(options: DestinationOptions, link: Link, data: dict[str, Any]) -> Foreseen:
    if options.mode == "create":
        return Foreseen("no change", "this flow has delivered it before, and never makes it twice")
    if _same(link, data):
        return Foreseen("no change", "this flow delivered the same record before")
    return Foreseen("update", "this flow delivered another version of it before")


def _same(link: Link, data: dict[str, Any]) -> bool:
    return not link.deleted and link.hash == fingerprint(encoded(data))


def _destination_key(link: Link | None) -> str | None:
    return None if link is None or link.deleted else link.destination_key

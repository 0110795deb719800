"""Checks between the parts of a flow, each valid by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.flow.problems import Finding
from airflow_provider_flux.flow.suggest import allowed, did_you_mean, listing
from airflow_provider_flux.flow.yaml_file import Where
from airflow_provider_flux.mapping.engine import Mapping
from airflow_provider_flux.mapping.paths import parse_path


def source_findings(source: SourceOptions) -> list[Finding]:
    """A cursor, version, key or tombstone field that the source does not read; a lookback that could not work."""
    findings = []
    cursor = source.cursor
    if cursor is not None and cursor.lookback and cursor.type != "timestamp":
        message = f"a lookback needs a cursor of type timestamp, this one is of type {cursor.type}"
        findings.append(Finding(("cursor", "lookback"), message))
    if cursor is not None and cursor.settle and cursor.type != "timestamp":
        message = f"`settle` needs a cursor of type timestamp, this one is of type {cursor.type}"
        findings.append(Finding(("cursor", "settle"), message))
    selected = source.selected_fields()
    for where, name in _fields_used(source):
        head = _head(name)
        if head is None:
            findings.append(Finding(where, _bad_path(name)))
        elif selected is not None and head not in selected:
            message = f"the source does not read the field `{name}`.{allowed(name, sorted(selected))}"
            findings.append(Finding(where, message))
    return findings


def _fields_used(source: SourceOptions) -> Iterable[tuple[Where, str]]:
    if source.cursor is not None:
        yield ("cursor", "field"), source.cursor.field
    if source.version is not None:
        yield ("version",), source.version
    if source.deleted is not None:
        yield ("deleted", "field"), source.deleted.field
    for index, name in enumerate(source.key):
        yield (("key", index) if len(source.key) > 1 else ("key",)), name


def destination_findings(destination: DestinationOptions, mapping: Mapping | None) -> list[Finding]:
    """A write by key without a key, or with one that the mapping does not write."""
    if destination.key is None:
        if destination.mode == "create" and destination.deletes == "ignore":
            return []
        need = f"mode {destination.mode}" if destination.mode != "create" else f"deletes: {destination.deletes}"
        return [Finding(("key",), f"is required for {need}: the target field that identifies a record", on_key=True)]
    if mapping is None:
        return []
    findings = _unwritten(("key",), destination.key, mapping)
    for number, fields in enumerate(destination.fallback_keys):
        findings += _unwritten(("fallback_keys", number), fields, mapping)
    return findings


def _unwritten(path: Where, fields: Sequence[str], mapping: Mapping) -> list[Finding]:
    """The fields of a key that the mapping does not write."""
    targets = sorted(mapping.targets)
    return [
        Finding(
            (*path, index) if len(fields) > 1 else path,
            f"mapping {mapping.label} does not write the field `{name}`.{did_you_mean(name, targets)} "
            f"It writes: {listing(targets)}.",
        )
        for index, name in enumerate(fields)
        if not _written(name, targets)
    ]


def unread(source: SourceOptions, paths: frozenset[str], reader: str) -> list[str]:
    """A sentence per field that `reader` (the mapping, the filter) takes from a record and the source does not read."""
    selected = source.selected_fields()
    if selected is None:
        return []
    return [
        f"{reader} needs the field `{path}`, which the source does not read."
        f"{did_you_mean(path, selected)} The source reads: {listing(sorted(selected))}."
        for path in sorted(paths)
        if _head(path) not in selected
    ]


def delete_findings(source: SourceOptions, destination: DestinationOptions) -> list[Finding]:
    """Deletes that can never come."""
    if destination.deletes != "ignore" and source.deleted is None:
        how = "`source.deleted` does not say how a deleted record is recognised"
        message = f"nothing will be {destination.deletes}d: {how}"
        return [Finding(("deletes",), message)]
    return []


def _head(path: str) -> str | None:
    """The field of the record that a path begins with; None where it is not a path."""
    try:
        head = parse_path(path)[0]
    except ValueError:
        return None
    return head if isinstance(head, str) else None


def _bad_path(path: str) -> str:
    try:
        parse_path(path)
    except ValueError as error:
        return str(error)
    return f"'{path}' is not a field of a record: a path begins with a name"


def _written(name: str, targets: Iterable[str]) -> bool:
    """Whether a mapping writes the field, a part of it, or what holds it."""
    return any(target == name or target.startswith(f"{name}.") or name.startswith(f"{target}.") for target in targets)

"""What a connector declares of its system: objects, fields, and the form of its connection.

`connectors describe` prints it, `check` compares flows with it, Airflow shows the form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_flux.connectors.options import Cursor, Deletes, Mode


@dataclass(frozen=True)
class FieldInfo:
    """One field of an object.

    :param type: string, integer, number, boolean, date, datetime, object or array; any where it is not known
    :param required: a create without it is refused
    :param max_length: in characters
    :param enum: the values that are allowed; empty where any is
    :param read_only: the system sets it and refuses or ignores what is written
    :param custom: made by a customer, not by the vendor
    """

    name: str
    type: str = "any"
    label: str | None = None
    required: bool = False
    max_length: int | None = None
    enum: tuple[str, ...] = ()
    read_only: bool = False
    custom: bool = False


@dataclass(frozen=True)
class ObjectType:
    """One object of a system, as far as it is the same for all accounts.

    :param key: fields that identify a record when it is read
    :param cursor: the field by which only changes are read; None where the system has no such filter
    :param incremental: how the filter works, in words
    :param paging: how long lists are handed out, in words
    :param modes: how it can be written; empty: it can only be read
    :param match: fields by which a record is found when it is written; empty: any unique one
    :param deletes: what can become of a record that is gone in the source
    :param batch_size: most records in one call
    :param doubt: what happens to a write whose answer was lost, in words (design D4)
    :param cost: what its calls take from a budget of the system, in words
    :param fields: those that every account has; `connectors describe --online` asks the system itself
    """

    name: str
    key: tuple[str, ...] = ("id",)
    cursor: Cursor | None = None
    incremental: str = ""
    paging: str = ""
    modes: tuple[Mode, ...] = ()
    match: tuple[str, ...] = ()
    fallback_keys: bool = False
    deletes: tuple[Deletes, ...] = ("ignore",)
    batch_size: int = 1
    doubt: str = ""
    cost: str = ""
    fields: tuple[FieldInfo, ...] = ()


@dataclass(frozen=True)
class Description:
    """What a system says of one of its objects.

    :param complete: whether these are all fields: a field that is not among them does not exist
    """

    object: str
    fields: tuple[FieldInfo, ...]
    complete: bool = True


@dataclass(frozen=True)
class FormField:
    """A field of our own in a connection form; it is stored in the extra field.

    :param schema: JSON Schema, as Airflow's forms take it
    """

    label: str
    description: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": ["string", "null"]})


SECRET: Mapping[str, Any] = {"type": ["string", "null"], "format": "password"}
"""The schema of a field whose value is not shown."""


@dataclass(frozen=True)
class Form:
    """The connection form of a connector.

    :param title: as the list of connection types shows it
    :param hidden: Airflow's own fields that have no meaning here
    :param labels: Airflow's own fields under other names
    :param placeholders: examples
    """

    title: str
    hidden: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    placeholders: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, FormField] = field(default_factory=dict)

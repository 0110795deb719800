"""What a flow file may say of HubSpot."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, model_validator

from airflow_provider_flux.connectors.declare import ObjectType
from airflow_provider_flux.connectors.hubspot.objects import (
    OBJECTS,
    OWN_FIELDS,
    modified_property,
    object_type,
    property_names,
)
from airflow_provider_flux.connectors.object_options import ObjectDestinationOptions, ObjectSourceOptions
from airflow_provider_flux.connectors.options import Deleted

ID_FIELDS = frozenset({"id", "hs_object_id"})
"""The record's own id, which HubSpot makes."""


class HubspotSourceOptions(ObjectSourceOptions):
    """Reads records of one object. Their properties stand beside `id`, `createdAt`, `updatedAt` and `archived`."""

    OBJECTS = OBJECTS

    archived: bool = Field(
        default=False,
        description="Also read what is in HubSpot's recycle bin, as deletes. The whole bin is listed in every run.",
    )

    @classmethod
    def object_type(cls, name: Any) -> ObjectType | None:
        """What is declared of an object; custom ones too."""
        return object_type(name)

    @property
    def properties(self) -> tuple[str, ...]:
        """The properties to ask for; empty: HubSpot's own choice."""
        declared = object_type(self.object)
        assert declared is not None
        own = {field.name for field in OWN_FIELDS}
        named = tuple(name for name in self.fields if name not in own) or property_names(declared.fields)
        return tuple(dict.fromkeys((*named, modified_property(self.object)))) if named else ()

    def selected_fields(self) -> frozenset[str] | None:
        """The properties, and what every record has beside them."""
        return frozenset((*self.properties, *(field.name for field in OWN_FIELDS))) if self.properties else None

    def can_fetch(self) -> bool:
        """By the record's id."""
        return self.key == ("id",)

    @model_validator(mode="before")
    @classmethod
    def _archived_are_deletes(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("archived") is True and data.get("deleted") is None:
            return {**data, "deleted": Deleted(field="archived")}
        return data


class HubspotDestinationOptions(ObjectDestinationOptions):
    """Writes records of one object, up to 100 in one call. The target fields are HubSpot's properties."""

    OBJECTS: ClassVar = OBJECTS

    @classmethod
    def object_type(cls, name: Any) -> ObjectType | None:
        """What is declared of an object; custom ones too."""
        return object_type(name)

    @property
    def by_id(self) -> bool:
        """Whether records are known by HubSpot's own id."""
        return self.key is not None and self.key[0] in ID_FIELDS

    @model_validator(mode="before")
    @classmethod
    def _contacts_have_an_email(cls, data: Any) -> Any:
        """The property by which HubSpot tells the object's records apart, where there is one."""
        declared = object_type(data.get("object")) if isinstance(data, dict) else None
        return data if declared is None or not declared.match else {"key": declared.match[0], **data}

    @model_validator(mode="after")
    def _key_is_one_property(self) -> HubspotDestinationOptions:
        if self.key is not None and len(self.key) > 1:
            raise ValueError(
                "`key`: HubSpot finds records by one property whose values are unique; write the others into "
                "`fallback_keys`"
            )
        if self.by_id and self.mode != "update":
            raise ValueError(
                f"`key: {self.key[0] if self.key else ''}`: HubSpot makes the ids of its records itself; "
                "use `mode: update`, or another unique property as the key"
            )
        return self

"""What a flow file may say when it writes to Pipedrive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import model_validator

from airflow_provider_flux.connectors.declare import ObjectType
from airflow_provider_flux.connectors.object_options import ObjectDestinationOptions
from airflow_provider_flux.connectors.options import Fields
from airflow_provider_flux.connectors.pipedrive.objects import RESOURCES


class PipedriveDestinationOptions(ObjectDestinationOptions):
    """Writes one object of a Pipedrive account, record by record."""

    OBJECTS: ClassVar[Mapping[str, ObjectType]] = {
        resource.type.name: resource.type for resource in RESOURCES if resource.type.modes
    }
    IN_A_ROW: ClassVar[int | None] = 20

    def advice(self) -> tuple[str, ...]:
        """Pipedrive has no unique field: what it cannot be asked for stays in doubt."""
        if self.mode == "create" and self.key is None:
            return (
                "records whose answer was lost in a crash are held for a person to decide; name in `key` the field by "
                "which they can be looked up",
            )
        return ()

    @model_validator(mode="after")
    def _can_be_looked_up(self) -> PipedriveDestinationOptions:
        if self.key is None and self.mode != "create":
            raise ValueError(f"`key`: name the field by which {self.object} are looked up: {self._searchable()}")
        for keys in (self.key, *self.fallback_keys):
            if keys is not None:
                self._check_key(keys)
        return self

    def _check_key(self, keys: Fields) -> None:
        custom = len(keys) == 1 and keys[0].startswith("custom_fields.") and len(keys[0]) > len("custom_fields.")
        possible = self.OBJECTS[self.object].match
        if len(keys) > 1 or not (keys[0] in possible or (custom and "custom_fields.<code>" in possible)):
            named = " and ".join(f"`{name}`" for name in keys)
            raise ValueError(
                f"Pipedrive cannot look up {self.object} by {named}, only by one of these: {self._searchable()}"
            )

    def _searchable(self) -> str:
        return ", ".join(self.OBJECTS[self.object].match)

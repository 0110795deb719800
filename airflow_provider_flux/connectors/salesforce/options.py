"""What a flow file may say about Salesforce."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, model_validator

from airflow_provider_flux.connectors.declare import ObjectType
from airflow_provider_flux.connectors.object_options import ObjectDestinationOptions, ObjectSourceOptions
from airflow_provider_flux.connectors.options import Fields
from airflow_provider_flux.connectors.salesforce import objects
from airflow_provider_flux.connectors.salesforce.soql import check_name, check_path

ObjectName = Annotated[str, AfterValidator(check_name)]
Path = Annotated[str, AfterValidator(check_path)]


class SalesforceSourceOptions(ObjectSourceOptions):
    """Reads one object by SOQL."""

    OBJECTS: ClassVar[Mapping[str, ObjectType]] = objects.OBJECTS

    object: ObjectName = Field(description="API name of a standard or custom object: Contact, Region__c.")
    key: Fields = Field(default=("Id",), description="Field(s) that identify a record; Id unless given.")
    fields: tuple[Path, ...] = Field(
        default=(),
        description="Fields to read, those of related records too (`Account.Name`). Needed for objects of your own; of "
        "Account, Contact, Lead, Opportunity and Case the common ones unless given.",
    )
    page_size: int = Field(default=2000, ge=200, le=2000, description="Records in one answer.")

    @classmethod
    def object_type(cls, name: Any) -> ObjectType | None:
        """Every object, standard or custom, can be read alike."""
        return objects.object_type(name)

    @property
    def queried(self) -> tuple[str, ...]:
        """The fields of the query: those that are asked for, and those that the run needs to tell records apart."""
        asked = self.fields or tuple(one.name for one in objects.OBJECTS[self.object].fields)
        needed = [*self.key, *([self.cursor.field] if self.cursor else []), self.version]
        needed.append(self.deleted.field if self.deleted else None)
        return tuple(dict.fromkeys((*asked, *(name for name in needed if name is not None))))

    def selected_fields(self) -> frozenset[str] | None:
        """The top-level names of a record."""
        return frozenset(name.partition(".")[0] for name in self.queried)

    def can_fetch(self) -> bool:
        """A query by the key."""
        return True

    @model_validator(mode="after")
    def _names_are_names(self) -> SalesforceSourceOptions:
        if not self.fields and self.object not in objects.OBJECTS:
            raise ValueError(
                f"`fields` is required for {self.object}: name the fields to read; `airflow-flux connectors describe "
                f"{self.connection} {self.object}` lists them"
            )
        for name in self.queried:
            check_path(name)
        return self


class SalesforceDestinationOptions(ObjectDestinationOptions):
    """Writes one object, up to 200 records in a call."""

    OBJECTS: ClassVar[Mapping[str, ObjectType]] = objects.OBJECTS

    object: ObjectName = Field(description="API name of a standard or custom object: Contact, Region__c.")

    @classmethod
    def object_type(cls, name: Any) -> ObjectType | None:
        """Every object, standard or custom, can be written alike."""
        return objects.object_type(name)

    @property
    def external_id(self) -> str | None:
        """The field by which Salesforce itself upserts. Only fields of an org's own can be external ids."""
        if self.key is None or len(self.key) != 1 or not self.key[0].lower().endswith("__c"):
            return None
        return self.key[0]

    @model_validator(mode="after")
    def _keys_fit(self) -> SalesforceDestinationOptions:
        for name in (name for names in (self.key or (), *self.fallback_keys) for name in names):
            check_name(name)
        if self.key is not None and "Id" in self.key and (len(self.key) > 1 or self.mode != "update"):
            raise ValueError("a record that has Salesforce's own Id can only be changed: write `mode: update`")
        return self

"""What flow files say about systems whose objects the connector declares: `object: contacts` is enough to begin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from airflow_provider_flux.connectors.declare import ObjectType
from airflow_provider_flux.connectors.options import Deletes, DestinationOptions, Duration, Fields, Mode, SourceOptions

_Timeout = Annotated[
    Duration | None, Field(description="How long the API may be silent; the connection's `timeout`, or 30s.")
]


class ObjectSourceOptions(SourceOptions):
    """Reads one object of the system; its key and its cursor are known."""

    OBJECTS: ClassVar[Mapping[str, ObjectType]] = {}

    object: str = Field(min_length=1, description="What to read; see `airflow-flux connectors describe`.")
    key: Fields = Field(default=("id",), description="Field path(s) that identify a record; the object's own id.")
    fields: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=(), description="Fields to read; those that every account has unless given."
    )
    timeout: _Timeout = None

    @classmethod
    def object_type(cls, name: Any) -> ObjectType | None:
        """What is declared of an object; a connector with custom objects answers for these too."""
        return cls.OBJECTS.get(name) if isinstance(name, str) else None

    @model_validator(mode="before")
    @classmethod
    def _known_of_the_object(cls, data: Any) -> Any:
        """Key and cursor of the object, where the flow says nothing. `cursor: null` reads everything each time."""
        declared = cls.object_type(data.get("object")) if isinstance(data, dict) else None
        if declared is None:
            return data
        defaults: dict[str, Any] = {"key": declared.key}
        if declared.cursor is not None:
            defaults["cursor"] = declared.cursor
        return {**defaults, **data}

    @model_validator(mode="after")
    def _object_exists(self) -> ObjectSourceOptions:
        _expect_object(self.object, self.object_type(self.object), self.OBJECTS)
        return self


class ObjectDestinationOptions(DestinationOptions):
    """Writes one object of the system."""

    OBJECTS: ClassVar[Mapping[str, ObjectType]] = {}
    IN_A_ROW: ClassVar[int | None] = None
    """Where every record is a call of its own: how many a batch holds unless the flow says how many."""

    object: str = Field(min_length=1, description="What to write; see `airflow-flux connectors describe`.")
    timeout: _Timeout = None

    @classmethod
    def object_type(cls, name: Any) -> ObjectType | None:
        """What is declared of an object; a connector with custom objects answers for these too."""
        return cls.OBJECTS.get(name) if isinstance(name, str) else None

    @model_validator(mode="before")
    @classmethod
    def _known_of_the_object(cls, data: Any) -> Any:
        """The largest batch of the object, where the flow says nothing."""
        declared = cls.object_type(data.get("object")) if isinstance(data, dict) else None
        return data if declared is None else {"batch_size": cls.IN_A_ROW or declared.batch_size, **data}

    def possible(self) -> tuple[tuple[Mode, ...], tuple[Deletes, ...], bool]:
        """As the object allows; what is wrong with the object itself is said once, by `_object_exists`."""
        declared = self.object_type(self.object)
        if declared is None:
            return (self.mode,), (self.deletes,), True
        return declared.modes, declared.deletes, declared.fallback_keys

    @model_validator(mode="after")
    def _object_exists(self) -> ObjectDestinationOptions:
        declared = self.object_type(self.object)
        _expect_object(self.object, declared, self.OBJECTS)
        assert declared is not None
        if self.IN_A_ROW is None and self.batch_size > declared.batch_size:
            raise ValueError(f"`batch_size`: {self.object} takes at most {declared.batch_size} records in one call")
        return self


def _expect_object(name: str, declared: ObjectType | None, objects: Mapping[str, ObjectType]) -> None:
    if declared is None:
        raise ValueError(f"there is no object `{name}` here; there are {', '.join(sorted(objects))}")

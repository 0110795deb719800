"""The shortest way to a connector: one file that declares it, and no code.

    class Acme(DeclaredConnector):
        name = "acme"
        conn_type = "flux_acme"
        form = Form("Acme")
        profile = ApiProfile(base_url="https://api.acme.example")
        resources = (Resource(ObjectType("contacts"), read={"path": "/contacts"}),)

How an object is read and written is said in the words of a flow file of the connector `rest` (docs/flow-file.md), and
the REST engine does it. Where a vendor truly differs, override `source`, `destination`, `test` or `describe`.
docs/new-connector.md walks through one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeVar

from pydantic import ValidationError, model_validator

from airflow_provider_flux.connectors.api.profile import ANY_API
from airflow_provider_flux.connectors.contract import Connector, Destination, Source
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.declare import Description, ObjectType
from airflow_provider_flux.connectors.object_options import ObjectDestinationOptions, ObjectSourceOptions
from airflow_provider_flux.connectors.options import Deleted, DestinationOptions, Mode, Model, SourceOptions
from airflow_provider_flux.connectors.rest.destination_options import RestDestinationOptions
from airflow_provider_flux.connectors.rest.source_options import RestSourceOptions
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.tally import Tally


@dataclass(frozen=True)
class Resource:
    """One object of a system: what is declared of it, and how the REST engine reads and writes it.

    :param type: its `modes` are those of `write`, they need not be declared
    :param read: keys of `source:` of the connector `rest`: `path`, `records`, `page`, `incremental`, `item` ...;
        empty: it cannot be read
    :param write: by mode, keys of `destination:` of the connector `rest`: `path`, `body`, `batch`, `results`, `find`
        ...; a mode that is missing is not possible
    :param deleted: how the list shows that a record is gone, where it does
    :param fields_param: the parameter that takes the names of the fields to read, separated by commas; None where the
        system always answers whole records
    """

    type: ObjectType
    read: Mapping[str, Any] = field(default_factory=dict)
    write: Mapping[Mode, Mapping[str, Any]] = field(default_factory=dict)
    deleted: Deleted | None = None
    fields_param: str | None = None

    @property
    def declared(self) -> ObjectType:
        """The object with the modes in which it can be written."""
        return replace(self.type, modes=tuple(self.write)) if self.write else self.type


class DeclaredSourceOptions(ObjectSourceOptions):
    """Reads one of the declared objects."""

    RESOURCES: ClassVar[Mapping[str, Resource]] = {}

    def rest(self) -> RestSourceOptions:
        """The same in the words of the REST engine.

        :raises ValueError: the flow says what the object has not
        """
        resource = self.RESOURCES[self.object]
        read = dict(resource.read)
        declared = resource.type.cursor
        if self.cursor is None or declared is None or self.cursor.field != declared.field:
            read.pop("incremental", None)  # the system's filter is about another field: everything is read
        if not self.can_fetch():
            read.pop("item", None)
        if self.fields:
            if resource.fields_param is None:
                raise ValueError(f"`fields`: {self.object} always come whole")
            read["params"] = {**read.get("params", {}), resource.fields_param: ",".join(self._wanted())}
        common = ("connector", "connection", "key", "cursor", "version", "deleted", "timeout")
        return _engine(RestSourceOptions, {**{name: getattr(self, name) for name in common}, **read})

    def selected_fields(self) -> frozenset[str] | None:
        """Those that the flow names, and those that the run itself needs."""
        return frozenset(self._wanted()) if self.fields else None

    def can_fetch(self) -> bool:
        """Where the object declares how it is read by its key, and the flow knows records by that key."""
        resource = self.RESOURCES[self.object]
        return "item" in resource.read and self.key == resource.type.key

    def advice(self) -> tuple[str, ...]:
        """As the engine: some ways of paging have a price."""
        return self.rest().advice()

    def _wanted(self) -> tuple[str, ...]:
        own = [*self.fields, *self.key, self.version]
        own += [self.cursor.field if self.cursor else None, self.deleted.field if self.deleted else None]
        return tuple(dict.fromkeys(name for name in own if name))

    @model_validator(mode="before")
    @classmethod
    def _tombstones_of_the_object(cls, data: Any) -> Any:
        """How a record is recognised that is gone, where the flow says nothing."""
        resource = cls.RESOURCES.get(str(data.get("object"))) if isinstance(data, dict) else None
        return data if resource is None or resource.deleted is None else {"deleted": resource.deleted, **data}

    @model_validator(mode="after")
    def _possible_for_the_engine(self) -> DeclaredSourceOptions:
        self.rest()
        return self


class DeclaredDestinationOptions(ObjectDestinationOptions):
    """Writes one of the declared objects."""

    RESOURCES: ClassVar[Mapping[str, Resource]] = {}

    def rest(self) -> RestDestinationOptions:
        """The same in the words of the REST engine.

        :raises ValueError: the flow says what the object has not
        """
        common = (
            "connector", "connection", "key", "fallback_keys", "mode", "deletes", "batch_size", "in_flight",
            "skip_unchanged", "timeout",
        )  # fmt: skip
        write = self.RESOURCES[self.object].write[self.mode]
        return _engine(RestDestinationOptions, {**{name: getattr(self, name) for name in common}, **write})

    def advice(self) -> tuple[str, ...]:
        """As the engine: some ways of writing have a price."""
        return self.rest().advice()

    @model_validator(mode="before")
    @classmethod
    def _key_of_the_object(cls, data: Any) -> Any:
        """The field by which the system finds a record, where there is one and the flow says nothing."""
        resource = cls.RESOURCES.get(str(data.get("object"))) if isinstance(data, dict) else None
        return data if resource is None or not resource.type.match else {"key": resource.type.match[0], **data}

    @model_validator(mode="after")
    def _possible_for_the_engine(self) -> DeclaredDestinationOptions:
        self.rest()
        return self


class DeclaredConnector(Connector):
    """A connector whose objects are declared in `resources`; everything else follows from them."""

    resources: ClassVar[tuple[Resource, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Derive objects and option models from the resources, where the class has none of its own."""
        super().__init_subclass__(**kwargs)
        if "resources" not in cls.__dict__:
            return
        cls.objects = tuple(resource.declared for resource in cls.resources)
        readable = {resource.type.name: resource for resource in cls.resources if resource.read}
        writable = {resource.type.name: resource for resource in cls.resources if resource.write}
        if readable and "source_options" not in cls.__dict__:
            cls.source_options = _model(cls, "SourceOptions", DeclaredSourceOptions, readable)
        if writable and "destination_options" not in cls.__dict__:
            cls.destination_options = _model(cls, "DestinationOptions", DeclaredDestinationOptions, writable)

    @classmethod
    def source(cls, options: SourceOptions, credentials: Credentials) -> Source:
        """Open the REST engine's source."""
        from airflow_provider_flux.connectors.rest.source import RestSource

        assert isinstance(options, DeclaredSourceOptions)
        return RestSource(options.rest(), credentials, cls.profile or ANY_API)

    @classmethod
    def destination(cls, options: DestinationOptions, credentials: Credentials) -> Destination:
        """Open the REST engine's destination."""
        from airflow_provider_flux.connectors.rest.destination import RestDestination

        assert isinstance(options, DeclaredDestinationOptions)
        return RestDestination(options.rest(), credentials, cls.profile or ANY_API)

    @classmethod
    def test(
        cls,
        credentials: Credentials,
        options: SourceOptions | DestinationOptions | None = None,
        tally: Tally | None = None,
    ) -> str:
        """GET the profile's `test_path`, else the path that a flow reads, else the base URL."""
        from airflow_provider_flux.connectors.rest.probe import probe

        assert options is None or isinstance(options, (DeclaredSourceOptions, DeclaredDestinationOptions))
        return probe(credentials, options.rest() if options else None, tally, cls.profile or ANY_API)

    @classmethod
    def describe(
        cls,
        credentials: Credentials,
        options: SourceOptions | DestinationOptions | None = None,
        object_name: str | None = None,
        tally: Tally | None = None,
    ) -> Description | None:
        """The declared fields; None where none are declared. A system that can be asked has its own `describe`."""
        declared = cls.object_type(object_name or getattr(options, "object", None))
        return Description(declared.name, declared.fields, complete=False) if declared.fields else None

    @classmethod
    def object_type(cls, name: str | None) -> ObjectType:
        """What is declared of an object.

        :raises FluxError: NOT_FOUND when there is no such object
        """
        for declared in cls.objects:
            if declared.name == name:
                return declared
        known = ", ".join(sorted(declared.name for declared in cls.objects))
        raise FluxError(
            "NOT_FOUND", f"connector {cls.name} has no object '{name}'", next_step=f"Choose one of these: {known}."
        )


_Options = TypeVar("_Options", DeclaredSourceOptions, DeclaredDestinationOptions)
_Engine = TypeVar("_Engine", bound=Model)


def _model(
    connector: type[Connector], suffix: str, base: type[_Options], resources: Mapping[str, Resource]
) -> type[_Options]:
    """The option model of a connector: the base, knowing the connector's objects."""
    objects = {name: resource.declared for name, resource in resources.items()}
    declared = {
        "__module__": connector.__module__,
        "__doc__": base.__doc__,
        "OBJECTS": objects,
        "RESOURCES": resources,
    }
    return type(f"{connector.__name__}{suffix}", (base,), declared)


def _engine(model: type[_Engine], data: Mapping[str, Any]) -> _Engine:
    """:raises ValueError: what the engine does not take, in its words"""
    try:
        return model.model_validate(dict(data))
    except ValidationError as error:
        found = [detail["msg"].removeprefix("Value error, ") for detail in error.errors(include_url=False)]
        raise ValueError("; ".join(found)) from None

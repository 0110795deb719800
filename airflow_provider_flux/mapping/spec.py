"""What a mapping file may say."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, create_model, model_validator

from airflow_provider_flux.connectors.options import Fields, Model
from airflow_provider_flux.mapping.transforms import BROKEN, REGISTRY
from airflow_provider_flux.mapping.transforms.base import Transform
from airflow_provider_flux.mapping.transforms.values import Scalar

_FIELD = "use_"  # a transform may be called like a method of pydantic, as `json` is


class TransformUse(Model):
    """One entry of `transforms`: the arguments of exactly one transform. The fields are made from the registry."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    @property
    def name(self) -> str:
        (field,) = self.model_fields_set  # `_named` lets through exactly one
        return field.removeprefix(_FIELD)

    @property
    def arguments(self) -> Model:
        arguments = getattr(self, f"{_FIELD}{self.name}")
        assert isinstance(arguments, Model)
        return arguments

    @property
    def transform(self) -> Transform:
        return REGISTRY[self.name]

    def in_country(self, country: str) -> TransformUse:
        """The same, with a country where the arguments can hold one and do not."""
        if getattr(self.arguments, "country", country) is not None:
            return self
        arguments = self.arguments.model_copy(update={"country": country})
        return self.model_copy(update={f"{_FIELD}{self.name}": arguments})


_FIELDS: dict[str, Any] = {
    f"{_FIELD}{name}": Annotated[
        transform.arguments | None, Field(default=None, alias=name, description=transform.summary)
    ]
    for name, transform in REGISTRY.items()
}
_AnyTransform: Any = create_model(
    "Transform", __base__=TransformUse, __doc__="One transform with its arguments.", **_FIELDS
)


def _named(entry: Any) -> Any:
    """`trim` is short for `{trim: {}}`; a name that is not a transform is refused with the nearest one."""
    if isinstance(entry, str):
        entry = {entry: {}}
    if not isinstance(entry, dict) or len(entry) != 1:
        raise ValueError("write one transform per entry of the list, as `- trim` or `- truncate: {length: 40}`")
    ((name, arguments),) = entry.items()
    if name in BROKEN:
        raise ValueError(f"{BROKEN[name]}; mend or remove that package")
    if name not in REGISTRY:
        near = get_close_matches(str(name), REGISTRY, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(REGISTRY)}"
        raise ValueError(f"there is no transform {name!r}; {hint}")
    return {name: {} if arguments is None else arguments}


_PLAIN_NAMES = tuple(transform.name for transform in REGISTRY.values() if transform.needs_no_arguments)
_Entry = Annotated[_AnyTransform, BeforeValidator(_named, json_schema_input_type=Literal[_PLAIN_NAMES] | _AnyTransform)]


class Rule(Model):
    """How one target field comes about: from a source path, an expression or a constant."""

    source: Fields | None = Field(
        default=None,
        alias="from",
        description="Path(s) in the source record: `a.b`, `a[0]`, `a[*].b`; several for `concatenate`.",
    )
    expression: str | None = Field(default=None, description="Jinja expression over `record`.")
    value: Scalar = Field(default=None, description="A constant.")
    target: str = Field(alias="to", min_length=1, description="Path of the target field: `email`, `address.city`.")
    transforms: tuple[_Entry, ...] = Field(
        default=(), description="Applied in this order."
    )
    required: bool = Field(default=False, description="A record without a value here fails.")
    default: Scalar = Field(
        default=None, description="Stands in when there is no value after the transforms (null or empty text)."
    )
    skip_invalid: bool = Field(
        default=False, description="A value that a transform refuses is left out; the record is delivered without it."
    )
    empty_for_null: bool = Field(default=False, description="Empty text is written instead of null.")

    @model_validator(mode="after")
    def _one_origin(self) -> Rule:
        given = self.model_fields_set & {"source", "expression", "value"}
        if len(given) != 1:
            raise ValueError("write exactly one of `from`, `expression` and `value`")
        return self

    def in_country(self, country: str) -> Rule:
        """The same rule, in which transforms that name no country use this one."""
        return self.model_copy(update={"transforms": tuple(use.in_country(country) for use in self.transforms)})


def _not_empty(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    # Not `min_length`: pydantic counts the valid rules only, and adds "too short" to the error of a single bad rule.
    if not rules:
        raise ValueError("a mapping needs at least one rule")
    return rules


class MappingFile(Model):
    """The content of a mapping file, `include/mappings/<name>/v<N>.yaml`."""

    description: str = ""
    rules: Annotated[tuple[Rule, ...], AfterValidator(_not_empty), Field(json_schema_extra={"minItems": 1})]

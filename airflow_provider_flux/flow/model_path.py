"""Where in the file a location of pydantic is.

A location names keys and list indexes, but also the members of the unions on the way (`("paging", "cursor", "path")`
for `paging.path`). Only the model knows which is which, so the location is followed through the model's annotations.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, Tag
from pydantic.fields import FieldInfo

from airflow_provider_flux.flow.yaml_file import Where, stands_in


@dataclass(frozen=True)
class Located:
    """:param path: keys and indexes that stand in the file
    :param owner: the model that holds the last key, where that is known
    :param union: path of the innermost union without a discriminator on the way, and
    :param member: the name of the member of it that complains
    :param key_of_table: the complaint is about a key of a free table
    :param tags: what may be chosen, where the path leads to a union that is decided by the value of one key
    """

    path: Where
    owner: type[BaseModel] | None
    union: Where | None
    member: str
    key_of_table: bool = False
    tags: tuple[str, ...] = ()


def key_names(model: type[BaseModel]) -> list[str]:
    """The keys that a file may write for this model."""
    return [info.alias or name for name, info in model.model_fields.items()]


def locate(model: type[BaseModel], location: Sequence[str | int], data: Any, *, missing: bool = False) -> Located:
    """Follow `location` of an error of `model`, which was given `data`.

    :param missing: the last step is a key that is not there
    """
    path: list[str | int] = []
    owner: type[BaseModel] | None = None
    union: Where | None = None
    member = ""
    at: Any = model
    for number, step in enumerate(location):
        last = number == len(location) - 1
        if step == "[key]" and last:
            return Located(tuple(path), None, union, member, key_of_table=True)
        at = _bare(at)
        choices = _choices(at)
        if len(choices) > 1 or isinstance(at, _Tagged):
            if not isinstance(at, _Tagged):
                union, member = tuple(path), str(step)
            at = _member(at, choices, str(step))
            continue
        if at is None and not stands_in(data, (*path, step)) and not (missing and last):
            continue  # an unknown annotation: whatever is not in the file is a name of pydantic's
        owner = at if _is_model(at) else None
        path.append(step)
        at = _next(at, step)
    return Located(tuple(path), owner, union, member, tags=_all_tags(_bare(at)))


@dataclass(frozen=True)
class _Tagged:
    """A union that is decided by the value of one key."""

    union: Any
    key: str


def _bare(at: Any) -> Any:
    """Without `Annotated`, `type` aliases and `| None`; discriminated unions are marked."""
    while True:
        if isinstance(at, FieldInfo):
            key = at.discriminator if isinstance(at.discriminator, str) else None
            at = _Tagged(at.annotation, key) if key else at.annotation
        elif isinstance(at, _Tagged):
            return at
        elif get_origin(at) is Annotated:
            inner, *extras = get_args(at)
            key = next((e.discriminator for e in extras if isinstance(getattr(e, "discriminator", None), str)), None)
            at = _Tagged(inner, key) if key else inner
        elif hasattr(at, "__value__"):
            at = at.__value__
        elif _is_union(at) and len(_choices(at)) == 1:
            at = _choices(at)[0]
        else:
            return at


def _is_union(at: Any) -> bool:
    return get_origin(at) in (Union, types.UnionType)


def _choices(at: Any) -> list[Any]:
    union = at.union if isinstance(at, _Tagged) else at
    return [choice for choice in get_args(union) if choice is not type(None)] if _is_union(union) else []


def _member(at: Any, choices: Sequence[Any], label: str) -> Any:
    for choice in choices:
        bare = _bare(choice)
        if isinstance(at, _Tagged) and _is_model(bare) and label in _tags_of(bare, at.key):
            return choice
        if _label_tag(choice) == label or (_is_model(bare) and bare.__name__ in (label, _inner(label))):
            return choice
        if get_origin(bare) is not None and getattr(get_origin(bare), "__name__", "") == label.partition("[")[0]:
            return choice
    return None


def _inner(label: str) -> str:
    """`Paging` of `function-before[_check(), Paging]`."""
    return label.rpartition(", ")[2].rstrip("]")


def _label_tag(choice: Any) -> str | None:
    extras: Iterator[Any] = iter(get_args(choice)[1:] if get_origin(choice) is Annotated else ())
    return next((extra.tag for extra in extras if isinstance(extra, Tag)), None)


def _tags_of(model: type[BaseModel], key: str) -> tuple[str, ...]:
    info = model.model_fields.get(key) or next((i for i in model.model_fields.values() if i.alias == key), None)
    if info is None or get_origin(info.annotation) is not Literal:
        return ()
    return tuple(str(tag) for tag in get_args(info.annotation))


def _all_tags(at: Any) -> tuple[str, ...]:
    if not isinstance(at, _Tagged):
        return ()
    models = [bare for choice in _choices(at) if _is_model(bare := _bare(choice))]
    return tuple(tag for model in models for tag in _tags_of(model, at.key))


def _next(at: Any, step: str | int) -> Any:
    if _is_model(at):
        return next((i for name, i in at.model_fields.items() if (i.alias or name) == step), None)
    arguments = get_args(at)
    origin = get_origin(at)
    if isinstance(step, int):
        return arguments[0] if arguments and origin in (list, tuple, set, frozenset, Sequence) else None
    return arguments[1] if len(arguments) == 2 and origin in (dict, Mapping) else None


def _is_model(at: Any) -> bool:
    return isinstance(at, type) and issubclass(at, BaseModel)

"""Fills the tables of docs/flow-file.md from the models: `python -m tools.flow_docs`.

The page holds `<!-- table: NAME -->` ... `<!-- end -->`; what stands between is made here, the rest is written by hand.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.flow.models import FlowFile

PAGE = Path(__file__).parents[1] / "docs" / "flow-file.md"

_TABLE = re.compile(r"<!-- table: ([\w ]+) -->\n.*?<!-- end -->", re.DOTALL)
_WORDS: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "`true` or `false`",
    date: "date",
    timedelta: "duration",
    Any: "anything",
}
_COMMON: dict[str, type[BaseModel]] = {"source": SourceOptions, "destination": DestinationOptions}


def render(text: str) -> str:
    """The page with its tables made anew."""
    return _TABLE.sub(lambda found: f"<!-- table: {found[1]} -->\n{_table(found[1])}\n<!-- end -->", text)


def table_names() -> list[str]:
    """Every table that the page must have."""
    names = ["flow", "source", "destination"]
    for name in registry.names():
        connector = registry.get(name)
        names += [f"source {name}"] if connector.source_options else []
        names += [f"destination {name}"] if connector.destination_options else []
    return names


def _table(name: str) -> str:
    if name == "flow":
        return _sections(FlowFile, "", stop=(SourceOptions, DestinationOptions))
    side, _, connector = name.partition(" ")
    common = _COMMON[side]
    if not connector:
        return _sections(common, side)
    options = getattr(registry.get(connector), f"{side}_options")
    return _sections(options, f"{side} {connector}", without=tuple(common.model_fields))


def _sections(
    model: type[BaseModel], prefix: str, *, without: tuple[str, ...] = (), stop: tuple[type[BaseModel], ...] = ()
) -> str:
    """The table of a model, then those of the blocks in it, each once."""
    parts = [_rows(model, prefix, without)]
    for path, block in _blocks(model, (), without, stop):
        title = f"{prefix}: {path}" if prefix else path
        parts.append(f"#### {title}\n\n{_summary(block)}\n\n{_rows(block, prefix, ())}")
    return "\n\n".join(parts)


def _blocks(
    model: type[BaseModel], path: tuple[str, ...], without: tuple[str, ...], stop: tuple[type[BaseModel], ...]
) -> Iterator[tuple[str, type[BaseModel]]]:
    for name, info in model.model_fields.items():
        if name in without:
            continue
        for block in _models_in(info.annotation):
            if block not in stop:
                inner = (*path, info.alias or name)
                yield ".".join(inner), block
                yield from _blocks(block, inner, (), stop)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_in(argument)]


def _summary(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def _rows(model: type[BaseModel], prefix: str, without: tuple[str, ...]) -> str:
    lines = ["| key | value | unless given | meaning |", "|---|---|---|---|"]
    for name, info in model.model_fields.items():
        if name not in without:
            value = _value(info.annotation, info.metadata)
            cells = (f"`{info.alias or name}`", value, _default(info), info.description or "")
            lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines)


def _value(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    """What may be written. A validator that takes more than the type says so by `json_schema_input_type`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _value(arguments[0], arguments[1:])
    written = [item.json_schema_input_type for item in metadata if isinstance(item, BeforeValidator)]
    if written and written[0] is not PydanticUndefined and annotation is not timedelta:
        return _value(written[0])
    if origin in (Union, types.UnionType):
        return _or([_value(argument) for argument in arguments if argument is not type(None)])
    if origin is Literal:
        return _or([f"`{_shown(argument)}`" for argument in arguments])
    if origin in (tuple, list):
        return f"list of {_value(arguments[0])}"
    if origin in (dict, Mapping) or (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return "keys with values"
    return _WORDS[annotation]


def _or(words: list[str]) -> str:
    *first, last = dict.fromkeys(words)
    return f"{', '.join(first)} or {last}" if first else last


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "**required**"
    value = info.get_default(call_default_factory=True)
    if value is None or value in ((), {}, "") or isinstance(value, BaseModel):
        return ""
    return f"`{_shown(value)}`"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}s"
    return str(value)


def main() -> None:
    """Rewrite the page."""
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()

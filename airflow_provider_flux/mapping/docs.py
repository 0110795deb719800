"""The table of transforms for the docs, printed from the registry."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from airflow_provider_flux.mapping.transforms import BUILT_IN
from airflow_provider_flux.mapping.transforms.base import Example, Transform

_HEAD = """\
# Transforms

What a rule's `transforms:` may list, in the order in which they are applied. This page is printed from the code
(`airflow_provider_flux/mapping/transforms/`), and every example on it is run as a test.

Null passes through every transform untouched, except `default`. Empty text counts as no value: the transforms that
read a form (`phone_e164`, `email`, `date_iso`, `number`, `boolean`, `value_map`) make it null. After `from:` with `[*]`
a transform is applied to every item of the list. A value that a transform refuses fails the record with the
transform's code, unless the rule says `skip_invalid: true`.
"""


def transforms_markdown() -> str:
    """The page `docs/transforms.md`."""
    sections = [_HEAD, "\n".join(_overview())]
    sections += ["\n".join(_section(transform)) for transform in BUILT_IN.values()]
    return "\n".join(section if section.endswith("\n") else section + "\n" for section in sections)


def _overview() -> Iterator[str]:
    yield "| transform | does | refused values |"
    yield "|---|---|---|"
    for transform in BUILT_IN.values():
        yield f"| [`{transform.name}`](#{transform.name}) | {transform.summary} | {_code(transform)} |"


def _code(transform: Transform) -> str:
    return "none" if not any(example.fails for example in transform.examples) else f"`{transform.code}`"


def _section(transform: Transform) -> Iterator[str]:
    yield f"## {transform.name}"
    yield ""
    yield transform.summary
    yield ""
    arguments = list(_arguments(transform))
    if arguments:
        yield from ("| argument | type | default | |", "|---|---|---|---|", *arguments, "")
    yield from ("| rule | value | result |", "|---|---|---|")
    yield from (_example(transform, example) for example in transform.examples)


def _arguments(transform: Transform) -> Iterator[str]:
    properties = transform.arguments.model_json_schema()["properties"]
    for name, field in transform.arguments.model_fields.items():
        schema = properties[field.alias or name]
        default = "required" if field.is_required() else _default(field.default)
        yield f"| `{field.alias or name}` | {_type(schema)} | {default} | {field.description or ''} |"


def _default(value: Any) -> str:
    return "none" if value is None else f"`{_literal(value)}`"


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(f"`{_literal(value)}`" for value in schema["enum"])
    if "anyOf" in schema:
        kinds = [_type(one) for one in schema["anyOf"] if one.get("type") != "null"]
        return "text, number or boolean" if len(kinds) > 1 else kinds[0]
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    names = {"string": "text", "integer": "whole number", "object": "object", "boolean": "boolean", "number": "number"}
    return names[schema["type"]]


def _example(transform: Transform, example: Example) -> str:
    rule = f"{{{transform.name}: {_flow(example.arguments)}}}" if example.arguments else transform.name
    result = f"refused: … {example.fails} …" if example.fails else f"`{_literal(example.result)}`"
    return f"| `{_cell(rule)}` | `{_literal(example.value)}` | {_cell(result)} |"


def _flow(arguments: Any) -> str:
    """As YAML in one line; quotes only where they are needed."""
    if isinstance(arguments, dict):
        return "{" + ", ".join(f"{_flow(name)}: {_flow(value)}" for name, value in arguments.items()) + "}"
    if isinstance(arguments, list):
        return "[" + ", ".join(map(_flow, arguments)) + "]"
    if isinstance(arguments, str) and arguments.replace("_", "").isalnum() and not arguments.isdigit():
        return arguments
    return _literal(arguments)


def _literal(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, tuple):
        value = list(value)
    return _cell(json.dumps(value, ensure_ascii=False).replace("Infinity", ".inf"))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(transforms_markdown())

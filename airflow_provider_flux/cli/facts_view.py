"""How the facts of a connector, an object and its fields look on a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from airflow_provider_flux.cli.output import Output
from airflow_provider_flux.connectors.declare import Description, FieldInfo, ObjectType
from airflow_provider_flux.connectors.facts import Facts, KnownAnswer, limit_text

_WORDS = re.compile(r"\^?(?:\(\?:)?((?:[\w ]+\|)*[\w ]+)\)?\$?")
"""A pattern that is a list of words: `^(?:ONE|OTHER)$`."""
_GROUP = re.compile(r"\(\?P<(\w+)>[^()]*\)")

_MOST_VALUES = 12
"""Allowed values of a field that are shown; `--json` has all."""


def print_connector(facts: Facts, out: Output) -> None:
    """Everything that a connector declares; its objects as a table."""
    does = " and ".join(word for word, true in (("reads", facts.reads), ("writes", facts.writes)) if true)
    out.line(f"{facts.connector} {does}; its connection type is {facts.connection_type}")
    out.line(f"  sign-in  {', '.join(facts.sign_in) or 'as the flow or the connection says'}")
    for place, limit in enumerate(facts.limits):
        out.line(f"  {'' if place else 'limits':<8} {limit_text(limit)}")
    if not facts.limits:
        out.line("  limits   none declared; what the system answers is obeyed")
    out.line(f"  fields   {_fields_from(facts)}")
    out.line()
    rows = [object_row(one, one.name) for one in facts.objects]
    if facts.others is not None:
        rows.append(object_row(facts.others, "any other" if rows else "any"))
    out.table(("object", "key", "changes by", "modes", "deletes", "#in one call"), rows)
    if facts.answers:
        out.line()
        out.table(("error", "is recognised by"), [(code, "; ".join(signs)) for code, signs in _signs(facts.answers)])
    if facts.objects:
        out.note(f"More of one object: airflow-flux connectors describe {facts.connector} {facts.objects[0].name}")


def object_row(one: ObjectType, name: str) -> tuple[str, ...]:
    """The facts of an object that fit into a row."""
    return (
        name,
        ", ".join(one.key),
        one.cursor.field if one.cursor is not None else one.incremental or "read whole",
        ", ".join(one.modes) or "read only",
        ", ".join(one.deletes) if one.modes else "",
        str(one.batch_size) if one.modes else "",
    )


def print_object(connector: str, one: ObjectType, out: Output) -> None:
    """Everything that is declared of an object."""
    out.line(f"{connector}: {one.name}")
    for name, text in object_facts(one):
        out.line(f"  {name:<13} {text}")
    if one.fields:
        out.line()
        print_table(one.fields, out)
    out.note("These are the fields that every account has; a connection's id in place of the connector asks the system")


def object_facts(one: ObjectType) -> list[tuple[str, str]]:
    """The facts of an object, each in a line of its own."""
    cursor = f"cursor {one.cursor.field}" if one.cursor is not None else "no cursor"
    facts = [
        ("key", ", ".join(one.key)),
        ("incremental", f"{cursor}; {one.incremental}" if one.incremental else cursor),
        ("paging", one.paging),
        ("modes", ", ".join(one.modes) or "none: it can only be read"),
    ]
    if one.modes:
        facts += [
            ("match keys", ", ".join(one.match) or "any field that is unique there"),
            ("fallback keys", "yes" if one.fallback_keys else "no"),
            ("deletes", ", ".join(one.deletes)),
            ("in one call", str(one.batch_size)),
            ("in doubt", one.doubt),
        ]
    facts.append(("cost", one.cost))
    return [(name, text) for name, text in facts if text]


def print_fields(title: str, found: Description, out: Output) -> None:
    """What a system says of the fields of an object."""
    out.line(title if found.complete else f"{title} (a part of its fields: the system does not tell all)")
    print_table(found.fields, out)


def print_table(fields: Iterable[FieldInfo], out: Output) -> None:
    """Fields, the required ones first, then by name."""
    ordered = sorted(fields, key=lambda one: (not one.required, one.custom, one.name))
    rows = [
        (one.name, one.type, _marks(one), "" if one.max_length is None else str(one.max_length), _values(one.enum))
        for one in ordered
    ]
    out.table(("field", "type", "is", "#longest", "allowed"), rows)


def _signs(answers: Iterable[KnownAnswer]) -> Iterable[tuple[str, list[str]]]:
    """By code, the words and statuses by which its answers are known, each once; `--json` has the patterns whole."""
    found: dict[str, list[str]] = {}
    for answer in answers:
        status = ", ".join(f"HTTP {one}" for one in answer.status)
        words = _WORDS.fullmatch(answer.pattern)
        text = ", ".join(words[1].split("|")) if words is not None else _readable(answer.pattern)
        sign = " ".join(part for part in (status, text) if part)
        signs = found.setdefault(answer.code, [])
        if sign and sign not in signs:
            signs.append(sign)
    return found.items()


def _readable(pattern: str) -> str:
    """A pattern without its anchors and escapes, and with the name of what it looks for in place of a named group."""
    named = _GROUP.sub(r"<\1>", pattern).removeprefix("^").removesuffix("$")
    return re.sub(r"\\(\W)", r"\1", named.replace(r"\b", ""))


def _fields_from(facts: Facts) -> str:
    if facts.describes_itself:
        return "the system tells them: airflow-flux connectors describe CONNECTION [OBJECT]"
    return "such a system does not describe itself; those below and in flows are known"


def _marks(one: FieldInfo) -> str:
    marks = (("required", one.required), ("read-only", one.read_only), ("custom", one.custom))
    return ", ".join(word for word, true in marks if true)


def _values(values: Sequence[str]) -> str:
    more = f" and {len(values) - _MOST_VALUES} more" if len(values) > _MOST_VALUES else ""
    return ", ".join(values[:_MOST_VALUES]) + more

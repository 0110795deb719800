"""Whatever the mapping and the record: values or errors, and the record as it was."""

from __future__ import annotations

import copy
import pickle
from datetime import date, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_flux.errors import CATALOGUE
from airflow_provider_flux.mapping.engine import compile_mapping
from airflow_provider_flux.mapping.spec import MappingFile
from airflow_provider_flux.mapping.transforms import REGISTRY

NAMES = st.sampled_from(["a", "b", "c", "d"])
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.decimals(), st.uuids(), st.binary(max_size=5), st.dates(),
    st.datetimes(), st.text(max_size=20), st.emails(), st.text(alphabet="+0123456789 ()-.,eE", max_size=16),
    st.sampled_from(["", " ", "yes", "2024-05-01", "2024-05-01T10:00Z", "1714557600000", "Ada King", "\x00", "\ud800"]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=8
)
RECORDS = st.dictionaries(NAMES, VALUES, max_size=4)

STEPS = st.one_of(NAMES.map(lambda name: f".{name}"), st.sampled_from(["[0]", "[1]", "[*]"]))
PATHS = st.builds(lambda first, rest: first + "".join(rest), NAMES, st.lists(STEPS, max_size=3))
USES = st.sampled_from(
    [{declared.name: dict(example.arguments)} for declared in REGISTRY.values() for example in declared.examples]
)
EXPRESSIONS = st.sampled_from(
    [
        *("record.a", "record.a.b ~ record.c", "record.a | upper", "record.b | join(',')", "record.a + record.b"),
        *("record.a[0]", "record.c | map('trim') | list", "record | tojson", "record.a.strip()", "record.a * record.b"),
        *(
            "record.a ** record.b",
            "record.d | sort | first",
            "record.a if record.b else record.c",
            "record.a < record.b",
        ),
        *(
            "record.a | int | string",
            "record.d | sum",
            "record.a | round(1)",
            "record.b | unique | list",
            "record.a in record.b",
        ),
    ]
)
ORIGINS = st.one_of(
    st.builds(lambda path: {"from": path}, PATHS),
    st.builds(lambda paths: {"from": paths}, st.lists(PATHS, min_size=2, max_size=3)),
    st.builds(lambda text: {"expression": text}, EXPRESSIONS),
    st.builds(lambda value: {"value": value}, st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5))),
)


@st.composite
def treatments(draw: st.DrawFn) -> dict[str, Any]:
    """What a rule does with its value."""
    rule: dict[str, Any] = {"transforms": draw(st.lists(USES, max_size=4))}
    for flag in ("required", "skip_invalid", "empty_for_null"):
        rule[flag] = draw(st.booleans())
    if draw(st.booleans()):
        rule["default"] = draw(st.one_of(st.none(), st.integers(), st.text(max_size=3)))
    return rule


@st.composite
def mapping_files(draw: st.DrawFn) -> dict[str, Any]:
    rules = []
    for number in range(draw(st.integers(1, 5))):
        rule = dict(draw(ORIGINS))
        rule["to"] = draw(st.sampled_from([f"t{number}", f"o.t{number}", f"o.list[0].t{number}"]))
        if "value" not in rule:  # a constant that its rule refuses is a problem of the file
            rule |= draw(treatments())
        if isinstance(rule.get("from"), list):
            rule["transforms"] = [*rule["transforms"], "concatenate"]
        rules.append(rule)
    return {"rules": rules}


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mapping_files(), RECORDS)
def test_applying_never_raises_never_changes_its_input_and_gives_values_or_errors(
    file: dict[str, Any], record: dict[str, Any]
) -> None:
    compiled = compile_mapping(MappingFile.model_validate(file), "any", 1)
    before = pickle.dumps(copy.deepcopy(record))
    values, errors = compiled.apply(record)
    assert pickle.dumps(copy.deepcopy(record)) == before
    for error in errors:
        assert error.code in CATALOGUE
        assert error.field in compiled.targets
        assert error.message.endswith(".") and "does not know" not in error.message
    if not errors:
        assert {target.partition(".")[0].partition("[")[0] for target in compiled.targets} == set(values)
        assert compiled.apply(record)[0] == values or _has_nan(values)
    if all(rule.get("skip_invalid") and not rule.get("required") for rule in file["rules"]):
        assert errors == []


def _has_nan(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_nan, value.values()))
    if isinstance(value, list):
        return any(map(_has_nan, value))
    return not isinstance(value, (str, bytes, date, datetime)) and value != value


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(list(REGISTRY)),
    st.dictionaries(st.sampled_from(["length", "map", "find", "x"]), VALUES, max_size=2),
)
def test_any_arguments_are_valid_or_refused(name: str, arguments: dict[str, Any]) -> None:
    document = {"rules": [{"from": "a", "to": "b", "transforms": [{name: arguments}]}]}
    try:
        compile_mapping(MappingFile.model_validate(document), "any", 1).apply({"a": "x"})
    except ValueError as error:
        assert "transforms" in str(error)

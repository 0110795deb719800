from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_flux.errors import RecordError
from airflow_provider_flux.mapping import rules
from airflow_provider_flux.mapping.spec import Rule

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.sampled_from(["", " ", "0", "lead", "Ada@Example.com", " 4155552671 ", "2024-05-01", "n/a", 0.0, 1.5]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.sampled_from(["b", "c"]), st.integers(), max_size=2),
)
RECORDS = st.dictionaries(
    st.sampled_from(["a", "b"]),
    VALUES | st.dictionaries(st.sampled_from(["b", "c"]), VALUES, max_size=2),
    max_size=2,
)
TRANSFORMS = st.lists(
    st.sampled_from(
        [
            "trim", "lowercase", "number", "email", "date_iso", {"default": {"value": "none"}},
            {"value_map": {"map": {"lead": "", "0": 0}, "default": None}}, {"phone_e164": {"country": "US"}},
        ]
    ),
    max_size=3,
)  # fmt: skip
RULES = st.fixed_dictionaries(
    {"from": st.sampled_from(["a", "b", "a.b", "a.c", "b.b.c", "a[0]"]), "transforms": TRANSFORMS},
    optional={"required": st.just(True), "skip_invalid": st.booleans(), "default": st.sampled_from(["", "x", 0])},
)


@given(RULES, RECORDS)
def test_the_quick_way_and_the_careful_way_agree_on_every_record(file: dict[str, Any], record: dict[str, Any]) -> None:
    rule = Rule.model_validate({**file, "to": "out"})
    origin = rules.path_origin(file["from"])
    careful = rules._careful(rule, origin, rules._applied(rule, origin.many))
    assert _outcome(rules.compile_rule(rule, origin), record) == _outcome(careful, record)


def _outcome(run: rules.Run, record: dict[str, Any]) -> tuple[str, Any, Any]:
    try:
        value = run(record)
    except rules.RuleFailure as failure:
        return "error", RecordError, failure.error
    return "value", type(value), value

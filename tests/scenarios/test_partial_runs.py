"""Lots of partial runs: one field path again and again, and one rule that ends them."""

from __future__ import annotations

from tests.scenarios.conftest import Desk
from tests.scenarios.systems import System, person


def test_the_field_path_that_most_errors_share_is_found_and_mended_within_one_tick(desk: Desk, crm: System) -> None:
    desk.change_mapping("[{from: name, to: name, required: true}]")
    partial = []
    for tick in range(4):
        first = 10 * tick
        crm.put(*[person(number, updated_at=f"2026-03-01T0{tick}:00:00Z") for number in range(first, first + 8)])
        crm.put(person(first + 8, name=None, updated_at=f"2026-03-01T0{tick}:01:00Z"))
        if tick == 2:
            crm.put(person(first + 9, phone="call me maybe", updated_at=f"2026-03-01T0{tick}:02:00Z"))
        partial.append(desk.tick().run.state)
    assert partial == ["partial"] * 4
    desk.do("frequency").shows("frequency")
    desk.fix("required-default")
    desk.do("retry-flow")
    assert sum(row["name"] == "unknown" for row in desk.rows().values()) == 4
    crm.put(person(90, name=None, updated_at="2026-03-01T09:00:00Z"))
    assert desk.tick().run.state == "succeeded"
    assert desk.states() == {"c8": "resolved", "c18": "resolved", "c28": "resolved", "c29": "open", "c38": "resolved"}


def test_a_new_version_of_the_mapping_lets_the_next_full_read_deliver_what_failed(desk: Desk, crm: System) -> None:
    desk.change_mapping("[{from: name, to: name, required: true}]")
    desk.change_flow("source: {cursor: null, incremental: null}")
    crm.put(person(1), person(2, name=None))
    assert desk.tick().run.state == "partial"
    desk.fix("required-default")
    assert desk.tick().run.state == "succeeded"
    assert desk.rows()["c2"]["name"] == "unknown"
    assert desk.states() == {"c2": "resolved"}

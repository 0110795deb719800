"""The data looks old: the last run that succeeded, and what holds up the flow."""

from __future__ import annotations

from tests.scenarios.conftest import Desk
from tests.scenarios.systems import System, always, person


def test_the_last_run_that_succeeded_and_the_one_that_holds_up_the_data(desk: Desk, crm: System) -> None:
    crm.put(person(1))
    desk.tick()
    crm.trouble = always(503, {"error": "down for maintenance"})
    crm.put(person(2, updated_at="2026-03-02T00:00:00Z"))
    desk.tick()
    desk.tick()
    desk.do("last-runs").shows("last-runs")
    crm.trouble = lambda call: None
    desk.tick()
    assert set(desk.rows()) == {"c1", "c2"}

"""Rate limits and quotas: the mitigations of the page, counted by the system that sets the limit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from croniter import croniter

from airflow_provider_flux.flow.loader import load_flow
from tests.contracts.servers.wire import Call, Reply
from tests.scenarios.conftest import Desk
from tests.scenarios.systems import System, person

MIDNIGHT = datetime(2026, 3, 5, tzinfo=UTC)


@dataclass
class Quota:
    """A limit of calls per period; the test says when the next period begins.

    A read makes one call for each page, and one for the system's clock.

    :param left: calls left in this period
    """

    calls: int
    left: int = 0

    def renew(self) -> None:
        self.left = self.calls

    def __call__(self, call: Call) -> Reply | None:
        if not self.left:
            return Reply(429, {"error": {"message": "call limit reached"}}, {"Retry-After": "3600"})
        self.left -= 1
        return None


def minutes(desk: Desk, flow: str) -> set[int]:
    """The minutes after an hour at which Airflow starts a flow."""
    schedule = load_flow(desk.folder / "include", flow).file.schedule
    assert schedule is not None
    if schedule.every is not None:
        return {minute for minute in range(60) if not timedelta(minutes=minute) % schedule.every}
    ticks = croniter(schedule.cron, MIDNIGHT - timedelta(seconds=1))
    return {ticks.get_next(datetime).minute for _ in range(24)}


def an_hour(desk: Desk, *flows: str, each_minute: Quota | None = None) -> list[str]:
    """The states of the runs of one hour, as the schedules of the flows have them."""
    states = []
    starts = {flow: minutes(desk, flow) for flow in flows}
    for minute in range(60):
        if each_minute is not None:
            each_minute.renew()
        states += [desk.tick(flow).run.state for flow in flows if minute in starts[flow]]
    return states


def test_a_flow_that_runs_less_often_keeps_within_the_limit_of_an_hour(desk: Desk, crm: System) -> None:
    crm.put(person(1))
    crm.trouble = quota = Quota(4)
    quota.renew()
    assert an_hour(desk, "contacts") == ["succeeded", "succeeded", "failed", "failed"]
    desk.do("look-3").shows("rate-limit")
    desk.do("connector").shows("connector-rate-limit")
    desk.fix("less-often")
    crm.put(person(2))
    for _ in range(3):
        quota.renew()
        assert an_hour(desk, "contacts") == ["succeeded"]
    assert set(desk.rows()) == {"c1", "c2"}


def test_a_flow_that_reads_what_changed_needs_fewer_calls(desk: Desk, crm: System) -> None:
    desk.change_flow("source: {incremental: null}")
    for number in range(250):  # one an hour
        day, hour = divmod(number, 24)
        crm.put(person(number, updated_at=f"2026-02-{day + 1:02d}T{hour:02d}:00:00Z"))
    crm.trouble = quota = Quota(4)
    quota.renew()
    assert desk.tick().run.state == "succeeded"
    crm.put(*[person(number, updated_at="2026-03-01T08:00:00Z") for number in range(250, 350)])
    quota.renew()
    assert desk.tick().run.state == "failed"  # the list has a fourth page now
    desk.do("look-2").shows("rate-limit")
    desk.fix("incremental")
    quota.renew()
    assert desk.tick().run.state == "succeeded"
    assert len(desk.rows()) == 350


def test_flows_that_share_a_system_start_at_different_minutes(desk: Desk, crm: System, billing: System) -> None:
    crm.put(person(1))
    crm.trouble = quota = Quota(2)
    assert "failed" in an_hour(desk, "contacts", "customers", each_minute=quota)
    desk.do("look-2").shows("rate-limit")
    desk.fix("staggered", "customers")
    assert set(an_hour(desk, "contacts", "customers", each_minute=quota)) == {"succeeded"}
    assert set(desk.rows()) == set(billing.contacts) == {"c1"}


def test_a_higher_limit_lets_the_cleared_run_go_through(desk: Desk, crm: System) -> None:
    crm.put(*[person(number) for number in range(250)])
    crm.trouble = quota = Quota(2)
    quota.renew()
    desk.tick()
    desk.do("look").shows("rate-limit")
    quota.calls = 10
    quota.renew()
    assert desk.clear("scheduled__1").run.state == "succeeded"
    assert len(desk.rows()) == 250


def test_a_throttle_of_seconds_is_waited_out_and_is_a_line_of_the_log(
    desk: Desk, crm: System, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    desk.connect_system("crm", crm.url, crm.key, retry_budget=10)
    crm.put(person(1))
    answers = iter([Reply(429, {"error": "slow down"}, {"Retry-After": "1"})])
    crm.trouble = lambda call: next(answers, None) if call.method == "GET" else None
    assert desk.tick().run.state == "succeeded"
    assert set(desk.rows()) == {"c1"}
    assert [line for line in caplog.messages if "429" in line and "/people" in line]

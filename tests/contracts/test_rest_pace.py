"""Limits, throttles and quotas as a connection and a flow declare them, by the server's own count."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from airflow_provider_flux.connectors.api.connection import open_client
from airflow_provider_flux.connectors.api.profile import ApiProfile
from airflow_provider_flux.connectors.contract import WriteItem, Written
from airflow_provider_flux.errors import CATALOGUE, Disposition, FluxError, RecordError
from airflow_provider_flux.transport.messages import Request
from airflow_provider_flux.transport.pace import Limit
from tests.contracts.conftest import Bench, credentials, ids, pages
from tests.contracts.servers.wire import Call, Reply, script

LIST = "{path: /x, page: {kind: page, size_param: limit, size: 1}}"
DAILY = {"policyName": "DAILY", "message": "You have reached your daily limit."}
QUOTA = "errors: [{status: 429, path: policyName, match: DAILY, code: QUOTA_EXHAUSTED}]"
GRAPHQL = "path: /q, method: POST, mode: create, key: id, body: {query: 'mutation { x }', variables: {id: '{key}'}}"


@dataclass
class Pages:
    """A list of so many pages, and when they were asked for."""

    count: int
    arrivals: list[float] = field(default_factory=list)

    def __call__(self, call: Call) -> Reply:
        self.arrivals.append(time.monotonic())
        number = int(call.param("page", "1"))
        return Reply(200, [{"id": number}] if number <= self.count else [])


def test_a_flow_keeps_the_limit_of_its_connection(bench: Bench) -> None:
    wire = Pages(12)
    source = bench.source(bench.server(wire), LIST, extra={"limit": "5/0.2s"})
    assert ids(pages(source)) == [*range(1, 13)]
    assert max(sum(1 for one in wire.arrivals if first <= one < first + 0.2) for first in wire.arrivals) <= 5


@pytest.mark.parametrize(("limit", "made"), [(None, 2), ("", 2), ("3/1h", 3), (["3/1h"], 3), ("none", 4)])
def test_the_limit_of_the_connection_goes_before_that_of_the_vendor(bench: Bench, limit: Any, made: int) -> None:
    wire = bench.server(script(Reply(200, [])))
    profile = ApiProfile(limits=(Limit(2, 3600),))
    extra = {"retry_budget": 0.1} if limit is None else {"retry_budget": 0.1, "limit": limit}
    client = open_client(credentials(wire, extra=extra), None, profile=profile)
    for _ in range(made):
        client.send(Request("GET", "/x"))
    if limit != "none":
        with pytest.raises(FluxError, match="was not made: no call is left of the limit"):
            client.send(Request("GET", "/x"))
    client.close()
    assert len(wire.calls) == made


def test_an_automatic_retry_waits_for_its_turn_but_not_where_the_system_says_so(bench: Bench) -> None:
    throttled = Reply(429, headers={"Retry-After": "1"})
    wire = bench.server(script(Reply(200, []), Reply(200, []), throttled, Reply(200, [])))
    client = open_client(credentials(wire, extra={"limit": "2/0.2s"}, one_try=True), None)
    started = time.monotonic()
    assert [client.send(Request("GET", "/x")).status for _ in range(4)] == [200, 200, 429, 200]
    assert 0.15 < time.monotonic() - started < 1
    client.close()


# --- quotas -----------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "0"}])
def test_a_quota_that_a_row_of_the_flow_names_is_asked_once(bench: Bench, headers: dict[str, str]) -> None:
    wire = bench.server(script(Reply(429, DAILY, headers)))
    source = bench.source(wire, f"{{path: /x, {QUOTA}}}")
    with pytest.raises(FluxError, match="daily limit") as caught:
        pages(source)
    assert caught.value.code == "QUOTA_EXHAUSTED"
    assert CATALOGUE[caught.value.code].disposition is Disposition.STOP
    assert len(wire.calls) == 1
    assert source.calls().trouble is not None
    assert source.calls().trouble.kind == "rate limit"
    assert json.loads(caught.value.answer or "") == DAILY


def test_a_quota_is_a_quota_for_a_write_too(bench: Bench) -> None:
    wire = bench.server(script(Reply(429, DAILY)))
    batches = "path: /x, mode: create, batch_size: 2, batch: {records: records}, results: all_or_nothing"
    destination = bench.destination(wire, f"{{{batches}, {QUOTA}}}")
    with pytest.raises(FluxError) as caught:
        destination.write([WriteItem({"id": 1}), WriteItem({"id": 2})])
    assert (caught.value.code, len(wire.calls)) == ("QUOTA_EXHAUSTED", 1)


# --- throttles in a 200 -----------------------------------------------------------------------


def test_a_throttled_mutation_is_sent_again_when_the_bucket_holds_it(bench: Bench) -> None:
    status = {"maximumAvailable": 1000, "currentlyAvailable": 60, "restoreRate": 100}
    cost = {"cost": {"requestedQueryCost": 70, "actualQueryCost": None, "throttleStatus": status}}
    throttled = Reply(200, {"errors": [{"message": "Throttled"}], "extensions": cost})
    wire = bench.server(script(throttled, Reply(200, {"data": {"x": {"id": "7"}}})))
    [verdict] = bench.destination(wire, f"{{{GRAPHQL}, results: {{id: data.x.id}}}}").write([WriteItem({"id": 1})])
    assert isinstance(verdict, Written)
    assert [call.body for call in wire.calls] == [wire.calls[0].body] * 2


def test_a_query_that_costs_too_much_is_asked_once(bench: Bench) -> None:
    told = {"code": "MAX_COST_EXCEEDED", "cost": 2003, "maxCost": 1000}
    wire = bench.server(script(Reply(200, {"errors": [{"message": "Query cost is 2003", "extensions": told}]})))
    [verdict] = bench.destination(wire, f"{{{GRAPHQL}}}").write([WriteItem({"id": 1})])
    assert isinstance(verdict, RecordError)
    assert (verdict.code, len(wire.calls)) == ("BAD_REQUEST", 1)

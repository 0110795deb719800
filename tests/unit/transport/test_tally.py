"""Calls are counted by how they ended, also those that the transport made again by itself."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from airflow_provider_flux.errors import FluxError, RecordError
from airflow_provider_flux.transport.classify import SOURCE
from airflow_provider_flux.transport.client import HttpClient
from airflow_provider_flux.transport.failures import Judgement
from airflow_provider_flux.transport.messages import Request
from airflow_provider_flux.transport.tally import AUTH, OK, OUTAGE, RATE_LIMIT, REFUSED, Tally, kind_of_status
from tests.contracts.servers.wire import Reply, script, unused_port
from tests.unit.transport.conftest import Lab

GET = Request("GET", "/v1/contacts")


def numbers(tally: Tally) -> dict[str, int]:
    """Calls by kind, whatever the hour."""
    found: dict[str, int] = {}
    for (_, kind), count in tally.counts.items():
        found[kind] = found.get(kind, 0) + count.number
    return found


@pytest.mark.parametrize(
    ("status", "kind"),
    [(200, OK), (304, OK), (400, REFUSED), (401, AUTH), (403, AUTH), (404, REFUSED), (407, "connection"), (408, OUTAGE),
     (422, REFUSED), (429, RATE_LIMIT), (500, OUTAGE), (503, OUTAGE)],
)  # fmt: skip
def test_a_status_has_a_kind(status: int, kind: str) -> None:
    assert kind_of_status(status) == kind


def test_a_throttle_that_was_overcome_is_counted(lab: Lab) -> None:
    wire = lab.server(script(Reply(429, headers={"Retry-After": "0"}), Reply(503), Reply(200, {"ok": True})))
    client = lab.client(wire.url)
    assert client.send(GET).status == 200
    assert numbers(client.tally) == {RATE_LIMIT: 1, OUTAGE: 1, OK: 1}
    trouble = client.tally.trouble
    assert trouble is not None and client.tally.good_at is not None
    assert (trouble.kind, trouble.message) == (OUTAGE, "GET /v1/contacts answered HTTP 503")
    assert client.tally.good_at > trouble.at


def test_no_answer_at_all_is_an_outage(lab: Lab) -> None:
    client = lab.client(f"http://127.0.0.1:{unused_port()}", budget=0.0)
    with pytest.raises(FluxError):
        client.send(GET)
    assert numbers(client.tally) == {OUTAGE: 1}
    assert client.tally.trouble is not None and client.tally.trouble.code == "CONNECTION_TIMEOUT"
    assert client.tally.good_at is None


def judged(client: HttpClient) -> Judgement:
    return Judgement("crm", client.mask, (), SOURCE, client.tally)


def test_a_page_for_people_with_status_200_is_no_good_call(lab: Lab) -> None:
    wire = lab.server(script(Reply(200, {}), Reply(200, b"<html><title>Maintenance</title></html>")))
    client = lab.client(wire.url)
    client.send(GET)
    good_at = client.tally.good_at
    with pytest.raises(FluxError):
        judged(client).value(client.send(GET))
    assert numbers(client.tally) == {OK: 1, OUTAGE: 1}
    assert client.tally.good_at == good_at
    assert client.tally.trouble is not None and "Maintenance" in client.tally.trouble.message


def test_what_the_system_says_replaces_the_bare_status_and_counts_once(lab: Lab) -> None:
    wire = lab.server(script(Reply(401, {"message": "token expired"})))
    client = lab.client(wire.url)
    assert judged(client).failed(client.send(GET)).code == "AUTHENTICATION_FAILED"
    assert numbers(client.tally) == {AUTH: 1}
    trouble = client.tally.trouble
    assert trouble is not None
    assert (trouble.code, trouble.message[-13:]) == ("AUTHENTICATION_FAILED", "token expired")


def test_a_server_error_about_one_record_is_no_outage(lab: Lab) -> None:
    wire = lab.server(script(Reply(429), Reply(500, {"message": "value too long"}), Reply(500, {})))
    client = lab.client(wire.url)
    client.send(GET, once=True)
    judgement = judged(client)
    judgement.about_record(client.send(GET, once=True), RecordError("VALUE_TOO_LONG", "value too long"))
    assert numbers(client.tally) == {RATE_LIMIT: 1, REFUSED: 1}
    assert client.tally.trouble is not None and client.tally.trouble.kind == RATE_LIMIT
    judgement.about_record(client.send(GET, once=True), RecordError("DESTINATION_OUTAGE", "HTTP 500"))
    assert numbers(client.tally) == {RATE_LIMIT: 1, REFUSED: 1, OUTAGE: 1}
    assert client.tally.trouble.kind == OUTAGE


def test_a_followed_redirect_is_one_call_with_its_target(lab: Lab) -> None:
    wire = lab.server(script(Reply(301, headers={"Location": "/v2/contacts"}), Reply(200, [])))
    client = lab.client(wire.url)
    client.send(GET)
    assert numbers(client.tally) == {OK: 1}


def test_threads_lose_no_call() -> None:
    tally = Tally()

    def count(_: int) -> None:
        tally.good()
        tally.bad(RATE_LIMIT, "429")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(2000)))
    assert numbers(tally) == {OK: 2000, RATE_LIMIT: 2000}

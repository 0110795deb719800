"""The one request path, against real servers."""

from __future__ import annotations

import gzip
import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from airflow_provider_flux.errors import FluxError, OutcomeUnknown
from airflow_provider_flux.transport import auth
from airflow_provider_flux.transport.client import MAX_BODY
from airflow_provider_flux.transport.messages import Request
from tests.contracts.servers.wire import Reply, Wire, script, unused_port
from tests.unit.transport.conftest import Lab

GET = Request("GET", "/v1/contacts")
POST = Request("POST", "/v1/contacts", body=b"{}")
TOKEN = "t0ken-that-nobody-may-see"


def test_a_path_is_joined_to_the_base_url_and_keeps_its_own_query(lab: Lab) -> None:
    wire = lab.server(script(Reply(200, {"ok": True})))
    client = lab.client(f"{wire.url}/api/v2/")
    client.send(Request("GET", "/contacts?fixed=1", params={"tag": ["a", "b"], "n": 5, "on": True}))
    client.send(Request("GET", ""))
    assert wire.paths() == ["GET /api/v2/contacts", "GET /api/v2"]
    assert wire.calls[0].query == {"fixed": ["1"], "tag": ["a", "b"], "n": ["5"], "on": ["true"]}


def test_credentials_and_headers_go_with_every_request(lab: Lab) -> None:
    wire = lab.server(script(Reply(200)))
    lab.client(wire.url, auth=auth.bearer(TOKEN), headers={"X-Team": "7"}).send(GET)
    lab.client(wire.url, auth=auth.api_key(TOKEN, query="api_key")).send(Request("GET", "/x", params={"a": "1"}))
    assert wire.calls[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert wire.calls[0].headers["x-team"] == "7"
    assert wire.calls[1].query == {"a": ["1"], "api_key": [TOKEN]}


def test_an_answer_of_any_status_comes_back(lab: Lab) -> None:
    wire = lab.server(script(Reply(418, {"error": "teapot"})))
    response = lab.client(wire.url).send(GET)
    assert (response.status, response.endpoint) == (418, "GET /v1/contacts")


def test_a_compressed_answer_is_read(lab: Lab) -> None:
    wire = lab.server(script(Reply(200, gzip.compress(b'{"ok":1}'), {"Content-Encoding": "gzip"})))
    assert lab.client(wire.url).send(GET).body == b'{"ok":1}'


def test_a_redirect_on_the_same_host_is_followed_for_a_read(lab: Lab) -> None:
    wire = lab.server(script(Reply(301, headers={"Location": "/v2/contacts?page=1"}), Reply(200, [1])))
    response = lab.client(wire.url, auth=auth.bearer(TOKEN)).send(GET)
    assert (response.status, wire.paths()) == (200, ["GET /v1/contacts", "GET /v2/contacts"])
    assert wire.calls[1].headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("by", ["redirect", "link"])
def test_another_host_is_refused_and_never_called(lab: Lab, by: str) -> None:
    thief = lab.server(script(Reply(200, {})))
    wire = lab.server(script(Reply(302, headers={"Location": f"{thief.url}/steal?key={TOKEN}"})))
    client = lab.client(wire.url, auth=auth.api_key(TOKEN, query="key"))
    with pytest.raises(FluxError) as caught:
        client.send(GET if by == "redirect" else Request("GET", f"{thief.url}/steal"))
    assert caught.value.code == "CONNECTION_INVALID"
    assert thief.url in str(caught.value)
    assert TOKEN not in caught.value.message
    assert "'crm'" in caught.value.next_step
    assert thief.calls == []


def test_redirects_without_end_are_refused(lab: Lab) -> None:
    wire = lab.server(script(Reply(302, headers={"Location": "/v1/contacts"})))
    with pytest.raises(FluxError, match="more than 5 redirects"):
        lab.client(wire.url).send(GET)
    assert len(wire.calls) == 6


@pytest.mark.parametrize(
    ("status", "repeatable", "kind"), [(307, None, FluxError), (303, None, OutcomeUnknown), (303, True, FluxError)]
)
def test_a_redirected_write_is_not_followed(lab: Lab, status: int, repeatable: bool | None, kind: type) -> None:
    wire = lab.server(script(Reply(status, headers={"Location": "/v2/contacts"})))
    with pytest.raises(FluxError) as caught:
        lab.client(wire.url).send(Request("POST", "/v1/contacts", body=b"{}", repeatable=repeatable))
    assert type(caught.value) is kind
    assert len(wire.calls) == 1


def test_a_server_that_does_not_listen_is_named_with_its_connection(lab: Lab) -> None:
    url = f"http://127.0.0.1:{unused_port()}"
    with pytest.raises(FluxError) as caught:
        lab.client(url, budget=0.1).send(POST)
    assert (caught.value.code, caught.value.transient) == ("CONNECTION_TIMEOUT", True)
    assert "connection 'crm'" in caught.value.message
    assert url.removeprefix("http://") in caught.value.message
    assert "refused" in caught.value.message


def test_an_unknown_host_name_says_so(lab: Lab) -> None:
    with pytest.raises(FluxError, match=r"the host name nowhere\.invalid is not known"):
        lab.client("http://nowhere.invalid", budget=0.1).send(GET)


def test_a_silent_server_is_given_up(lab: Lab) -> None:
    wire = lab.server(script(Reply(200, delay=2)))
    with pytest.raises(FluxError, match="did not answer in time") as caught:
        lab.client(wire.url, timeout=0.2, budget=0.3).send(GET)
    assert caught.value.code == "CONNECTION_TIMEOUT"


def test_an_answer_that_drips_for_ever_is_given_up(lab: Lab) -> None:
    wire = lab.server(script(Reply(200, stream=_drip())))
    with pytest.raises(FluxError, match="did not answer in time"):
        lab.client(wire.url, timeout=0.1, budget=0.1).send(GET)


def _drip() -> Iterator[bytes]:
    while True:
        time.sleep(0.05)
        yield b" "


@pytest.mark.parametrize("reply", [Reply(reset=True), Reply(200, b'{"data": [1, 2]}', cut=6)], ids=["reset", "cut off"])
def test_a_broken_answer_is_asked_for_again_when_it_was_a_read(lab: Lab, reply: Reply) -> None:
    wire = lab.server(script(reply, Reply(200, [1])))
    assert lab.client(wire.url).send(GET).body == b"[1]"
    assert len(wire.calls) == 2


@pytest.mark.parametrize(
    "reply",
    [Reply(reset=True), Reply(200, b'{"id": 1}', cut=3), Reply(500), Reply(502), Reply(504), Reply(200, delay=2)],
    ids=["reset", "cut off", "500", "502", "504", "silent"],
)
def test_a_write_of_unknown_fate_is_never_repeated(lab: Lab, reply: Reply) -> None:
    wire = lab.server(script(reply, Reply(200, {})))
    with pytest.raises(OutcomeUnknown) as caught:
        lab.client(wire.url, timeout=0.5).send(POST)
    assert caught.value.code == "OUTCOME_UNKNOWN"
    assert "POST /v1/contacts" in caught.value.message
    assert len(wire.calls) == 1


@pytest.mark.parametrize("reply", [Reply(reset=True), Reply(502), Reply(504)], ids=["reset", "502", "504"])
def test_a_write_that_may_be_repeated_is(lab: Lab, reply: Reply) -> None:
    wire = lab.server(script(reply, Reply(200, {})))
    request = Request("PUT", "/v1/contacts/1", body=b"{}", repeatable=True)
    assert lab.client(wire.url).send(request).status == 200
    assert [call.body for call in wire.calls] == [b"{}", b"{}"]


@pytest.mark.parametrize("status", [429, 503])
def test_a_refused_write_was_not_executed_and_is_sent_again(lab: Lab, status: int) -> None:
    wire = lab.server(script(Reply(status, headers={"Retry-After": "0"}), Reply(201, {})))
    assert lab.client(wire.url).send(POST).status == 201


def test_a_write_to_a_server_that_is_just_starting_arrives_once(lab: Lab) -> None:
    port = unused_port()
    servers: list[Wire] = []
    timer = threading.Timer(0.7, lambda: servers.append(lab.server(script(Reply(200)), port)))
    timer.start()
    assert lab.client(f"http://127.0.0.1:{port}").send(POST).status == 200
    timer.join()
    assert len(servers[0].calls) == 1


def test_an_answer_beyond_the_limit_is_not_read_to_its_end(lab: Lab) -> None:
    sent = []

    def flood() -> Iterator[bytes]:
        for _ in range(100):
            sent.append(1)
            yield b"x" * 1024 * 1024

    wire = lab.server(script(Reply(200, stream=flood())))
    with pytest.raises(FluxError, match="larger than 64 MB") as caught:
        lab.client(wire.url).send(GET)
    assert (caught.value.code, caught.value.transient) == ("BAD_REQUEST", False)
    assert "page.size" in caught.value.next_step
    assert len(sent) < 80


def test_an_answer_that_announces_too_much_is_not_read_at_all(lab: Lab) -> None:
    wire = lab.server(script(Reply(200, b"x", {"Content-Length": str(MAX_BODY + 1)}, cut=1)))
    with pytest.raises(FluxError, match="larger than 64 MB"):
        lab.client(wire.url).send(GET)


def test_a_compressed_bomb_is_stopped(lab: Lab) -> None:
    bomb = gzip.compress(b"\0" * (MAX_BODY + 1024))
    wire = lab.server(script(Reply(200, bomb, {"Content-Encoding": "gzip"})))
    with pytest.raises(FluxError, match="larger than 64 MB"):
        lab.client(wire.url).send(GET)


def test_threads_share_one_client(lab: Lab) -> None:
    wire = lab.server(lambda call: Reply(200, {"n": call.param("n")}, delay=0.05))
    client = lab.client(wire.url, connections=8)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: client.send(Request("GET", "/x", params={"n": n})).body, range(40)))
    assert answers == [b'{"n": "%d"}' % n for n in range(40)]


def test_nothing_is_logged_about_a_request_that_goes_well(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    wire = lab.server(script(Reply(200, [])))
    with caplog.at_level(logging.INFO):
        lab.client(wire.url, auth=auth.api_key(TOKEN, query="key")).send(GET)
    assert caplog.records == []

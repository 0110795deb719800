"""`connectors list|show|verify|disable|enable`, against a real server."""

from __future__ import annotations

import getpass
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from airflow_provider_flux.store import open_store
from airflow_provider_flux.store.health import Calls, ConnectionRow, NewCalls
from airflow_provider_flux.store.text import instant_text
from tests.contracts.servers.wire import Call as Request
from tests.contracts.servers.wire import Reply, serve
from tests.unit.cli.conftest import Call

FLOW = """\
source: {connector: rest, connection: shop_eu, path: /v1/contacts, records: data, key: id,
         auth: {kind: api_key, header: X-Key}}
destination: {connector: sql, connection: warehouse, table: contacts, key: id}
mapping: contacts
"""
MAPPING = "rules:\n  - {from: id, to: id, required: true}\n"


@dataclass
class Shop:
    """What the server answers, and what it was asked."""

    url: str = ""
    reply: Reply = field(default_factory=lambda: Reply(200, {"data": []}))
    asked: list[Request] = field(default_factory=list)


@pytest.fixture
def shop(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """Two flows over the connection `shop_eu`, into the database `warehouse`."""
    include = tmp_path / "include"
    (include / "mappings/contacts").mkdir(parents=True)
    (include / "mappings/contacts/v1.yaml").write_text(MAPPING)
    for name in ("contacts", "archive"):
        (include / f"flows/{name}.yaml").write_text(FLOW)
    with closing(sqlite3.connect(tmp_path / "w.db")) as database:
        database.execute("CREATE TABLE contacts (id TEXT PRIMARY KEY)")
    shop = Shop()

    def answer(request: Request) -> Reply:
        shop.asked.append(request)
        return shop.reply

    with serve(answer) as wire:
        shop.url = wire.url
        connect(monkeypatch, wire.url, "k1")
        monkeypatch.setenv(
            "AIRFLOW_CONN_WAREHOUSE",
            json.dumps({"conn_type": "flux_sql", "host": str(tmp_path / "w.db"), "extra": {"dialect": "sqlite"}}),
        )
        yield shop


def connect(monkeypatch: pytest.MonkeyPatch, url: str, key: str) -> None:
    monkeypatch.setenv(
        "AIRFLOW_CONN_SHOP_EU", json.dumps({"conn_type": "flux_rest", "host": url, "password": key, "extra": {}})
    )


def note(tmp_path: Path, kind: str, count: int, hours_ago: float, message: str = "GET /x answered HTTP 401") -> None:
    """Calls over `shop_eu` that a run noted."""
    at = instant_text(datetime.now(UTC) - timedelta(hours=hours_ago))
    row = ConnectionRow("shop_eu", "rest", good_at=at) if kind == "ok" else ConnectionRow(
        "shop_eu", "rest", None, at, kind, None, message
    )  # fmt: skip
    with open_store(f"sqlite:///{tmp_path / 'flux.db'}") as store:
        store.note_calls(NewCalls(row, [Calls(at[:13], kind, count, at, message)]))


def test_the_connections_of_all_flows_are_listed_and_those_never_called_are_pending(
    call: Call, shop: Shop, tmp_path: Path
) -> None:
    note(tmp_path, "ok", 5, 2)
    note(tmp_path, "auth", 3, 0.01)
    note(tmp_path, "outage", 9, 48, "long ago")
    said = call("connectors", "list")
    heading, eu, warehouse = said.out.splitlines()
    assert heading.split()[:3] == ["connection", "connector", "state"]
    assert eu.split()[:3] == ["shop_eu", "rest", "degraded"]
    assert "auth 3" in eu and "outage" not in eu
    assert eu.endswith("archive, contacts")
    assert warehouse.split()[:3] == ["warehouse", "sql", "pending"]
    assert (said.code, said.err) == (0, "What to do about one: airflow-flux connectors show CONNECTION\n")


def test_one_connection_is_shown_with_its_errors_and_what_to_do(call: Call, shop: Shop, tmp_path: Path) -> None:
    note(tmp_path, "ok", 20, 2)
    note(tmp_path, "rate limit", 4, 1, "GET /v1/contacts answered HTTP 429")
    note(tmp_path, "auth", 3, 0.01, "GET /v1/contacts answered HTTP 401: key revoked")
    said = call("connectors", "show", "shop_eu")
    assert said.out.startswith("shop_eu (rest) is degraded\n")
    assert "    3 x auth, last " in said.out and "    4 x rate limit, last " in said.out
    assert "key revoked" in said.out
    assert "401 and 403 mean auth. Put a freshly generated key into the Airflow connection 'shop_eu'" in said.out
    assert "flows resume on the next tick" in said.out
    shown = call("connectors", "show", "shop_eu", "--json").json
    assert (shown["state"], shown["calls"], shown["flows"]) == ("degraded", 27, ["archive", "contacts"])
    assert [(one["kind"], one["count"]) for one in shown["recent"]] == [("rate limit", 4), ("auth", 3)]


@pytest.mark.parametrize(
    ("kind", "words"),
    [("rate limit", "Lower the schedule cadence"), ("outage", "status page"), ("connection", "correct the field")],
)
def test_each_class_has_its_advice(call: Call, shop: Shop, tmp_path: Path, kind: str, words: str) -> None:
    note(tmp_path, kind, 1, 0.01)
    assert words.lower() in call("connectors", "show", "shop_eu").out.lower()


@pytest.mark.parametrize("command", ["show", "verify", "enable"])
def test_an_unknown_connection_is_wrong_use(call: Call, shop: Shop, command: str) -> None:
    said = call("connectors", command, "shop_us")
    assert (said.code, said.out) == (2, "")
    assert said.err == "airflow-flux: no flow uses a connection 'shop_us', did you mean 'shop_eu'?\n"


def test_verify_calls_as_the_flow_does_and_one_good_call_makes_it_active(
    call: Call, shop: Shop, tmp_path: Path
) -> None:
    note(tmp_path, "auth", 3, 0.01)
    said = call("connectors", "verify", "shop_eu")
    assert (said.code, said.err) == (0, "")
    assert "answered HTTP 200" in said.out
    assert "shop_eu is active; its flows go on with their next tick: archive, contacts" in said.out
    (asked,) = shop.asked
    assert (asked.method, asked.path, asked.headers["x-key"]) == ("GET", "/v1/contacts", "k1")
    assert call("connectors", "show", "shop_eu", "--json").json["state"] == "active"


def test_verify_of_a_database_logs_in(call: Call, shop: Shop) -> None:
    said = call("connectors", "verify", "warehouse")
    assert said.code == 0
    assert "warehouse is active" in said.out


def test_a_failing_verify_says_its_class_and_what_to_check(call: Call, shop: Shop) -> None:
    shop.reply = Reply(503, {"error": "maintenance until noon"})
    said = call("connectors", "verify", "shop_eu")
    assert said.code == 1
    assert said.out.startswith("shop_eu: failed (outage)\n")
    assert "maintenance until noon" in said.out and "status page" in said.out
    assert "shop_eu is degraded; its flows keep trying" in said.out


def test_still_refused_after_a_new_key_says_what_the_source_may_have_done(
    call: Call, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.reply = Reply(401, {"message": "bad key"})
    first = call("connectors", "verify", "shop_eu")
    assert "revoked the app" not in first.out
    connect(monkeypatch, shop.url, "k2")
    second = call("connectors", "verify", "shop_eu", "--json").json
    assert (second["passed"], second["kind"], second["state"]) == (False, "auth", "degraded")
    assert second["advice"][-1].endswith(
        "may have revoked the app, removed a scope, or paused the account: confirm in its admin UI."
    )
    assert [request.headers["x-key"] for request in shop.asked] == ["k1", "k2"]


def test_an_answer_that_proves_nothing_makes_nothing_active(
    call: Call, shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for flow in (tmp_path / "include/flows").iterdir():
        flow.unlink()
    note(tmp_path, "auth", 1, 0.01)
    shop.reply = Reply(404)
    said = call("connectors", "verify", "shop_eu")
    assert said.code == 0
    assert "does not tell whether the credentials are accepted: name a path that needs them as `test_path`" in said.out
    assert "shop_eu is degraded" in said.out


def test_a_connection_that_is_nowhere_is_noted_as_such(
    call: Call, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SHOP_EU", "{}")
    said = call("connectors", "verify", "shop_eu")
    assert said.code == 1
    assert "failed (connection)" in said.out
    assert call("connectors", "show", "shop_eu", "--json").json["bad_kind"] == "connection"


def test_a_person_disables_and_enables(call: Call, shop: Shop) -> None:
    said = call("connectors", "disable", "shop_eu", "--reason", "account in migration")
    assert said.code == 0
    assert "Until it is enabled these flows fail in the stage that needs it: archive, contacts" in said.out
    shown = call("connectors", "show", "shop_eu").out
    assert "shop_eu (rest) is disabled" in shown
    assert f"by {getpass.getuser()}: account in migration" in shown
    call("connectors", "disable", "shop_eu", "--reason", "account in migration", "--by", "Ann")
    assert "by Ann: account in migration" in call("connectors", "show", "shop_eu").out
    verified = call("connectors", "verify", "shop_eu")
    assert "stays disabled until `airflow-flux connectors enable shop_eu`" in verified.out
    assert call("connectors", "enable", "shop_eu").out.startswith("shop_eu is active; its flows go on")
    assert call("connectors", "enable", "shop_eu").out.startswith("shop_eu was not disabled.\n")


def test_to_disable_needs_a_reason(call: Call, shop: Shop) -> None:
    assert call("connectors", "disable", "shop_eu").code == 2
    said = call("connectors", "disable", "shop_eu", "--reason", " ")
    assert (said.code, said.out) == (2, "")
    assert "--reason" in said.err


def test_flows_that_are_not_valid_are_said(call: Call, shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "include/flows/bad.yaml").write_text("source: {}\n")
    said = call("connectors", "list", "--json")
    assert [one["connection"] for one in said.json] == ["shop_eu", "warehouse"]
    assert "flows that are not valid are left out (airflow-flux check)" in said.err


def test_no_connections_is_said(call: Call) -> None:
    assert call("connectors", "list").out == "No connections yet: no flow file names one, and none was called.\n"

"""docs/new-connector.md, followed to the letter: its file, its line, its flow, against a small Acme CRM."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_flux.connectors.api.form import CLIENT
from tests.contracts.servers.wire import Call, Reply, serve

PAGE = Path(__file__).parents[2] / "docs" / "new-connector.md"
TOKEN = "acme-t0ken"


def block(language: str) -> str:
    """The page's only block of that language."""
    [found] = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return str(found)


@dataclass
class AcmeCrm:
    """Contacts by their e-mail. A name of more than 40 characters is refused."""

    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def answer(self, call: Call) -> Reply:
        self.calls.append(call)
        if call.headers.get("authorization") != f"Bearer {TOKEN}":
            return Reply(401, {"error": {"code": "unauthorized"}})
        if call.path == "/v1/me":
            return Reply(200, {"account": "acme"})
        key = call.path.removeprefix("/v1/contacts").strip("/").replace("%40", "@")
        if call.method == "GET":
            return self._one(key) if key else self._list(call)
        if call.method == "DELETE":
            return Reply(204 if self.contacts.pop(key, None) else 404)
        contact = {"id": f"c{len(self.contacts)}", "updated_at": "2026-03-01T10:00:00Z", **call.json()}
        if len(contact["name"]) > 40:
            return Reply(422, {"error": {"code": "too_long", "field": "name"}})
        self.contacts[key] = contact
        return Reply(200, contact)

    def _one(self, key: str) -> Reply:
        found = [contact for contact in self.contacts.values() if contact["id"] == key]
        return Reply(200, found[0]) if found else Reply(404)

    def _list(self, call: Call) -> Reply:
        rows = [row for row in self.contacts.values() if row["updated_at"] >= call.param("since")]
        start = int(call.param("after", "0"))
        following = str(start + 2) if len(rows) > start + 2 else None
        return Reply(200, {"data": rows[start : start + 2], "next": following})


class Project:
    """A folder with the page's connector installed in it, its flow, and two accounts at Acme."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.old, self.new = AcmeCrm(), AcmeCrm()
        self.folder = folder
        (folder / "site" / "acme-1.0.dist-info").mkdir(parents=True)
        (folder / "site" / "acme.py").write_text(block("python"), encoding="utf-8")
        # What an installation of a package leaves behind.
        (folder / "site" / "acme-1.0.dist-info" / "METADATA").write_text("Name: acme\nVersion: 1.0\n")
        [(group, entries)] = tomllib.loads(block("toml"))["project"]["entry-points"].items()
        lines = "\n".join(f"{name} = {value}" for name, value in entries.items())
        (folder / "site" / "acme-1.0.dist-info" / "entry_points.txt").write_text(f"[{group}]\n{lines}\n")
        self.flow(block("yaml"))
        (folder / "include" / "mappings" / "acme").mkdir(parents=True)
        rules = "rules:\n  - {from: email, to: email}\n  - {from: name, to: name}\n"
        (folder / "include" / "mappings" / "acme" / "v1.yaml").write_text(rules)
        connections = {
            f"AIRFLOW_CONN_{name}": json.dumps(
                {"conn_type": "flux_acme", "host": stack.enter_context(serve(crm.answer)).url, "password": TOKEN}
            )
            for name, crm in (("OLD_CRM", self.old), ("NEW_CRM", self.new))
        }
        self.environment = {
            **os.environ,
            **connections,
            "PYTHONPATH": str(folder / "site"),
            "AIRFLOW_HOME": str(folder / "home"),
            "AIRFLOW__FLUX__INCLUDE": str(folder / "include"),
            "AIRFLOW__FLUX__STORE": f"sqlite:///{folder / 'flux.db'}",
        }

    def flow(self, text: str) -> None:
        (self.folder / "include" / "flows").mkdir(parents=True, exist_ok=True)
        (self.folder / "include" / "flows" / "acme.yaml").write_text(text, encoding="utf-8")

    def flux(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.python("-m", "airflow_provider_flux.cli", *arguments)

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments], env=self.environment, capture_output=True, text=True, check=False
        )


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with ExitStack() as stack:
        yield Project(tmp_path, stack)


def contact(number: int, name: str) -> dict[str, Any]:
    moment = f"2026-03-01T09:00:{number:02d}Z"
    return {"id": f"old{number}", "email": f"p{number}@example.com", "name": name, "updated_at": moment}


def test_the_page_is_short() -> None:
    assert len(PAGE.read_text(encoding="utf-8").splitlines()) < 100


def test_a_flow_reads_and_writes_with_it(project: Project) -> None:
    names = ["Ann", "Bob", "x" * 41, "Dan", "Eve"]
    project.old.contacts = {f"p{number}@example.com": contact(number, name) for number, name in enumerate(names)}
    checked = project.flux("check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    run = project.flux("run", "acme")
    assert "4 written" in run.stdout, run.stdout + run.stderr
    assert {row["name"] for row in project.new.contacts.values()} == {"Ann", "Bob", "Dan", "Eve"}
    [error] = json.loads(project.flux("errors", "list", "--json").stdout)
    assert (error["code"], error["field"]) == ("VALUE_TOO_LONG", "name")
    # The next run asks for what is new, and brings it.
    project.old.contacts["p1@example.com"] |= {"name": "Bobby", "updated_at": "2026-03-01T12:00:00Z"}
    project.old.calls.clear()
    project.flux("run", "acme")
    assert project.new.contacts["p1@example.com"]["name"] == "Bobby"
    assert {call.param("since") for call in project.old.calls if call.method == "GET"} == {"2026-03-01T08:55:04Z"}


def test_single_records_and_single_fields_are_read(project: Project) -> None:
    project.old.contacts = {f"p{number}@example.com": contact(number, f"P {number}") for number in range(5)}
    project.flow(block("yaml").replace("object: contacts}", "object: contacts, fields: [email, name]}", 1))
    run = project.flux("run", "acme", "--ids", "old3")
    assert [row["name"] for row in project.new.contacts.values()] == ["P 3"], run.stdout + run.stderr
    project.flux("run", "acme")
    assert len(project.new.contacts) == 5
    assert project.old.calls[-1].param("fields") == "email,name,id,updated_at"


def test_it_describes_itself(project: Project) -> None:
    told = project.flux("connectors", "describe", "acme").stdout
    assert "acme reads and writes; its connection type is flux_acme" in told
    assert "100 calls in 10 s, per token" in told
    told = project.flux("connectors", "describe", "acme", "contacts").stdout
    assert "the same write twice leaves one contact" in told
    assert re.search(r"email +string +required", told)


def test_what_it_has_not_is_refused_when_the_flow_is_checked(project: Project) -> None:
    project.flow(block("yaml").replace("object: contacts, in_flight: 4", "object: contact"))
    told = project.flux("check")
    assert told.returncode == 1
    assert "there is no object `contact` here; there are contacts" in told.stdout + told.stderr
    project.flow(block("yaml").replace("in_flight: 4", "mode: create"))
    assert "`mode: create` is not possible here; possible are upsert" in project.flux("check").stdout


def test_airflow_shows_its_form_and_tests_its_connections(project: Project) -> None:
    script = (
        "import json\n"
        "from airflow_provider_flux.provider_info import get_provider_info\n"
        "from airflow_provider_flux.hooks.api import FluxAcmeHook\n"
        "forms = {form['connection-type']: form for form in get_provider_info()['connection-types']}\n"
        "print(json.dumps([forms['flux_acme'], FluxAcmeHook(flux_acme_conn_id='new_crm').test_connection()]))\n"
    )
    told = project.python("-c", script)
    form, (good, said) = json.loads(told.stdout.splitlines()[-1])
    assert form["hook-class-name"] == "airflow_provider_flux.hooks.api.FluxAcmeHook"
    assert form["hook-name"] == "Acme CRM"
    assert form["ui-field-behaviour"]["relabeling"] == {"password": "API token"}
    assert set(form["conn-fields"]) == set(CLIENT)
    assert good, said
    assert "/v1/me" in said
    assert [call.path for call in project.new.calls] == ["/v1/me"]


def test_a_broken_package_stops_only_the_flows_that_need_it(project: Project) -> None:
    (project.folder / "site" / "acme.py").write_text("import acme_sdk\n")
    told = project.flux("check").stdout
    assert "the connector `acme` of acme (acme:Acme) cannot be loaded: ModuleNotFoundError" in told
    assert "mend or remove that package" in told
    assert project.flux("connectors", "describe", "rest").returncode == 0

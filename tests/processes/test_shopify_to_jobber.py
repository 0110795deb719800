"""Whole runs from a shop into Jobber, which has no upsert: who changed is edited, and nobody is there twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.flow.loader import load_flow
from airflow_provider_flux.stages.context import RunContext
from airflow_provider_flux.stages.local import run_flow
from airflow_provider_flux.staging import open_staging
from airflow_provider_flux.store import open_store
from airflow_provider_flux.store.rows import Run
from tests.contracts.jobber_account import JobberAccount
from tests.contracts.shopify_shop import Shop

FLOW = """\
source: {connector: shopify, connection: shop, object: customers}
destination: {connector: jobber, connection: field, object: clients, key: email, fallback_keys: [phone]}
mapping: clients
"""
MAPPING = """\
rules:
  - {from: defaultEmailAddress.emailAddress, to: email}
  - {from: defaultPhoneNumber.phoneNumber, to: phone}
  - {from: firstName, to: firstName}
  - {from: lastName, to: lastName}
"""


class Sync:
    """The flow between both vendors, run after run."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        (folder / "include/flows").mkdir(parents=True)
        (folder / "include/mappings/clients").mkdir(parents=True)
        (folder / "include/flows/clients.yaml").write_text(FLOW)
        (folder / "include/mappings/clients/v1.yaml").write_text(MAPPING)
        self._shop, self._account = Shop(stack), JobberAccount(stack)
        self.shop, self.jobber = self._shop.vendor, self._account.vendor
        self._connections: dict[str, Credentials] = {
            "shop": self._shop.credentials(),
            "field": self._account.credentials(),
        }
        self._runs = 0

    def customer(self, email: str, **fields: Any) -> dict[str, Any]:
        """Have a customer in the shop, from before the next run's second."""
        return self.shop.customer(email, firstName="Ada", **{"updatedAt": _a_minute_ago(), **fields})

    def run(self) -> Run:
        self._runs += 1
        self.jobber.documents.clear()
        with open_store(f"sqlite:///{self._folder}/flux.db") as store:
            ctx = RunContext(
                flow=load_flow(self._folder / "include", "clients"),
                run_id=f"r{self._runs}",
                trigger="cli",
                store=store,
                staging=open_staging(str(self._folder / "staging")),
                credentials=self._connections.__getitem__,
                include=self._folder / "include",
            )
            run = run_flow(ctx).run
        assert run.read == (run.written or 0) + (run.skipped or 0) + (run.failed or 0) + (run.held or 0)
        return run

    def changes(self) -> dict[str, int]:
        """How often each mutation was called in the last run."""
        asked = [name for name in self._account.asked() if name not in ("client", "clients")]
        return {name: asked.count(name) for name in sorted(set(asked))}


def _a_minute_ago() -> str:
    return (datetime.now(UTC) - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def sync(tmp_path: Path) -> Iterator[Sync]:
    with ExitStack() as stack:
        yield Sync(tmp_path, stack)


def test_runs_bring_what_changed_and_never_a_second_client(sync: Sync) -> None:
    for number in range(60):
        sync.customer(f"u{number}@example.com", lastName=f"Nr {number}")
    there = sync.jobber.add_client("U7@Example.com", lastName="Known already")

    first = sync.run()

    assert (first.state, first.written, first.failed) == ("succeeded", 60, 0)
    assert sync.jobber.count() == 60
    assert there["lastName"] == "Nr 7"
    assert sync.changes() == {"clientCreate": 59, "clientEdit": 1}

    again = sync.run()

    assert (again.state, again.written) == ("succeeded", 0)
    assert sync.changes() == {}


def test_who_changes_the_email_stays_the_same_client(sync: Sync) -> None:
    customer = sync.customer("old@example.com", lastName="Byron")
    sync.run()
    client = sync.jobber.at("old@example.com")

    customer.update(email="new@example.com", lastName="Lovelace", updatedAt=_a_minute_ago())
    run = sync.run()

    assert (run.state, run.written) == ("succeeded", 1)
    assert sync.jobber.count() == 1
    assert client["lastName"] == "Lovelace"
    assert "new@example.com" in [one["address"] for one in client["emails"]]
    assert sync.changes() == {"clientEdit": 1}


def test_a_refused_client_costs_only_itself_and_keeps_the_words_of_jobber(sync: Sync) -> None:
    for number in range(20):
        sync.customer(f"u{number}@example.com", lastName=f"Nr {number}")
    sync.shop.at("u5@example.com")["email"] = "no address"

    run = sync.run()

    assert (run.written, run.failed) == (19, 1)
    assert sync.jobber.count() == 19

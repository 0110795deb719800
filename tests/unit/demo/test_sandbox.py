"""The demo's two APIs, over HTTP."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from airflow_provider_flux.demo import crm, ledger
from airflow_provider_flux.demo.contacts import COUNT, make_book
from airflow_provider_flux.demo.http_api import Faults
from airflow_provider_flux.demo.sandbox import Sandbox
from airflow_provider_flux.errors import FluxError


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def contacts(sandbox: Sandbox, **query: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {crm.KEY}"}
    return httpx.get(f"{sandbox.crm_url}/v1/contacts", params=query, headers=headers)


def all_contacts(sandbox: Sandbox, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = contacts(sandbox, limit=100, **query, **cursor).raise_for_status().json()
        found += page["data"]
        if "next" not in page["paging"]:
            return found
        cursor = {"cursor": page["paging"]["next"]["cursor"]}


def test_two_books_are_equal() -> None:
    assert make_book() == make_book()


def test_the_bad_contacts_are_counted_and_apart_from_each_other() -> None:
    book = make_book()
    named = [identifier for identifiers in book.bad.values() for identifier in identifiers]
    named += book.spam + book.relisted + book.long_names
    assert len(book.contacts) == COUNT
    assert len(set(named)) == len(named)
    ids = Counter(contact["id"] for contact in book.contacts)
    assert {identifier for identifier, times in ids.items() if times > 1} == set(book.relisted)
    assert ids[None] == len(book.bad["null key"]) == 1


def test_a_duplicate_repeats_the_address_of_a_good_contact() -> None:
    book = make_book()
    addresses = Counter(
        str(contact["properties"]["email"]).strip().lower()
        for contact in book.contacts
        if contact["id"] not in book.relisted and contact["properties"]["email"]
    )
    twice = {address for address, times in addresses.items() if times > 1} - {"not-an-address", "kim@"}
    twice -= {"two@signs@example.com"}
    assert len(twice) == len(book.bad["duplicate"])


def test_paging_lists_every_contact_once_in_the_order_of_change(sandbox: Sandbox) -> None:
    found = all_contacts(sandbox)
    assert found == sandbox.book.contacts
    assert [contact["updated_at"] for contact in found] == sorted(contact["updated_at"] for contact in found)


def test_bounds_are_inclusive_and_exclusive(sandbox: Sandbox) -> None:
    moments = [contact["updated_at"] for contact in sandbox.book.contacts]
    found = all_contacts(sandbox, updated_since=moments[10], updated_before=moments[25])
    assert found == sandbox.book.contacts[10:25]


def test_a_page_is_never_longer_than_the_cap(sandbox: Sandbox) -> None:
    assert len(contacts(sandbox, limit=1000).json()["data"]) == 100


@pytest.mark.parametrize(
    "query",
    [{"cursor": "x"}, {"limit": "0"}, {"limit": "many"}, {"updated_since": "now"}, {"updated_since": "2026-01-01"}],
)
def test_a_wrong_parameter_answers_400(sandbox: Sandbox, query: dict[str, str]) -> None:
    answer = contacts(sandbox, **query)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_parameter")


def test_both_apis_want_their_key(sandbox: Sandbox) -> None:
    assert httpx.get(f"{sandbox.crm_url}/v1/contacts").status_code == 401
    assert httpx.get(f"{sandbox.ledger_url}/v2/customers").status_code == 401


def test_the_ledger_answers_for_each_customer_and_updates_by_its_id(sandbox: Sandbox) -> None:
    good = {"external_id": "a", "name": "Ada", "segment": "client"}
    batch = [good, {**good, "external_id": "b", "name": "x" * 41}, {**good, "external_id": "c", "segment": "other"}, 7]
    headers = {"X-Api-Key": ledger.KEY}
    url = f"{sandbox.ledger_url}/v2/customers"
    first = httpx.post(f"{url}/batch", json={"customers": batch}, headers=headers)
    assert first.status_code == 207
    results = first.json()["results"]
    assert [result["status"] for result in results] == [201, 422, 422, 422]
    assert [result["error"]["field"] for result in results[1:]] == ["name", "segment", "external_id"]
    again = httpx.post(f"{url}/batch", json={"customers": [{**good, "name": "Ada L."}]}, headers=headers)
    assert again.json()["results"] == [{"status": 200, "id": results[0]["id"]}]
    assert httpx.get(url, headers=headers).json()["customers"] == [{**good, "name": "Ada L.", "id": results[0]["id"]}]


def test_the_ledger_refuses_a_batch_that_is_too_large(sandbox: Sandbox) -> None:
    answer = httpx.post(
        f"{sandbox.ledger_url}/v2/customers/batch", json={"customers": [{}] * 51}, headers={"X-Api-Key": ledger.KEY}
    )
    assert answer.status_code == 413


def test_faults_come_by_turns() -> None:
    with Sandbox(faults=Faults(2, ("429", "html", "truncated", "reset"))) as faulty:
        seen: list[str] = []
        for _ in range(8):
            try:
                answer = contacts(faulty, limit=1)
            except httpx.HTTPError as error:
                seen.append(type(error).__name__)
            else:
                seen.append(f"{answer.status_code} {answer.headers['Content-Type']}")
    good = "200 application/json"
    protocol = "RemoteProtocolError"
    assert seen == [good, "429 application/json", good, "200 text/html", good, protocol, good, protocol]


def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(FluxError, match=f"the sandbox cannot serve Ledger on port {port}: ") as refused:
            Sandbox(ledger_port=port)
    assert "Choose another port" in refused.value.next_step

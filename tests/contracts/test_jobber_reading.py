"""Reading a Jobber account: versions, costs, two rate limits, lists that move while they are read."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from airflow_provider_flux.connectors.contract import Window
from airflow_provider_flux.connectors.cursor import canonical
from airflow_provider_flux.connectors.jobber import PROFILE, VERSION
from airflow_provider_flux.errors import FluxError
from tests.contracts.jobber_account import JobberAccount, account
from tests.contracts.servers.wire import Reply


@pytest.fixture
def crm() -> Iterator[JobberAccount]:
    with account() as crm:
        yield crm


def test_every_call_names_the_version_and_none_asks_for_a_count(crm: JobberAccount) -> None:
    crm.vendor.seed(60)
    assert len(crm.read()) == 60
    assert {call.headers["x-jobber-graphql-version"] for call in crm.wire.calls} == {VERSION}
    assert not any("totalCount" in document["query"] for document in crm.vendor.documents)


def test_a_client_has_its_primary_email_and_phone_beside_its_lists(crm: JobberAccount) -> None:
    ada = crm.vendor.add_client("ada@example.com")
    ada["emails"].insert(0, {"id": "e", "address": "old@example.com", "description": "Other", "primary": False})
    (record,) = crm.read()
    assert record["email"] == "ada@example.com"
    assert record["phone"] is None
    assert [entry["address"] for entry in record["emails"]] == ["old@example.com", "ada@example.com"]
    (record,) = crm.read(fields=["email", "lastName"])
    assert record["email"] == "ada@example.com"
    assert set(record) == {"id", "email", "emails", "lastName", "updatedAt"}


def test_only_the_begin_of_the_window_is_sent_and_a_second_before(crm: JobberAccount) -> None:
    crm.vendor.seed(10)
    start, end = (canonical(f"2026-03-01T00:00:0{second}Z", "timestamp") for second in (4, 6))
    pages = list(crm.source().read(Window(start, end)))
    assert crm.vendor.documents[0]["variables"]["filter"] == {"updatedAt": {"after": "2026-03-01T00:00:03Z"}}
    found = {record["email"] for page in pages for record in page.records}
    assert found == {f"person{number}@example.com" for number in range(4, 10)}


def test_what_changes_while_the_list_is_read_is_read_at_its_end(crm: JobberAccount) -> None:
    crm.vendor.seed(120)
    seen: list[tuple[str, str]] = []
    for number, page in enumerate(crm.source().read(Window())):
        seen += [(record["email"], record["updatedAt"]) for record in page.records]
        if number == 0:
            crm.vendor.change(0, 3000)  # from the last page to the first, which was read
            crm.vendor.change(119, 3001)
            crm.vendor.seed(1, first=500)
    assert {email for email, _ in seen} == {f"person{number}@example.com" for number in (*range(120), 500)}
    assert ("person0@example.com", "2026-03-01T00:50:00Z") in seen
    assert ("person119@example.com", "2026-03-01T00:50:01Z") in seen


def test_a_throttle_in_a_200_is_waited_for_as_the_bucket_says(
    crm: JobberAccount, caplog: pytest.LogCaptureFixture
) -> None:
    crm.vendor.seed(3)
    crm.vendor.faults.append(Reply(200, crm.vendor.throttled(requested=1350, available=1300, rate=500)))
    with caplog.at_level(logging.WARNING):
        assert len(crm.read()) == 3
    assert "waiting 0.1 s" in caplog.text


def test_the_other_limit_is_a_429_and_is_declared(crm: JobberAccount, caplog: pytest.LogCaptureFixture) -> None:
    """2500 requests in 300 seconds, per app and account (Rack::Attack)."""
    crm.vendor.seed(3)
    crm.vendor.faults.append(crm.vendor.failure(429))
    with caplog.at_level(logging.WARNING):
        assert len(crm.read()) == 3
    assert "throttled: HTTP 429" in caplog.text
    (limit,) = PROFILE.limits
    assert (limit.calls, limit.seconds) == (2500, 300)


def test_a_page_above_the_whole_bucket_is_asked_for_again_as_a_smaller_one(crm: JobberAccount) -> None:
    """Jobber calls it a throttle, too, but no wait would help."""
    crm.vendor.seed(70)
    fields = ["emails.address", "clientProperties.id", "tags.label", "jobberWebUri", "name"]
    crm.vendor.server.points.maximum = crm.vendor.server.points.available = 1000
    assert len(crm.read(fields=fields, page_size=100)) == 70
    sizes = [document["variables"]["first"] for document in crm.vendor.documents]
    assert sizes[:5] == [100, 50, 25, 12, 12]


def test_a_list_within_a_record_is_read_to_its_end(crm: JobberAccount) -> None:
    ada = crm.vendor.add_client("ada@example.com")
    crm.vendor.add_job(ada, "Lawn", items=3)
    crm.vendor.add_job(ada, "House", items=130)
    jobs = {job["title"]: job for job in crm.read("jobs", fields=["title", "lineItems.name", "client.id"])}
    assert [len(jobs[title]["lineItems"]) for title in ("Lawn", "House")] == [3, 130]
    assert jobs["Lawn"]["client"] == {"id": ada["id"]}


def test_all_jobs_are_read_because_jobber_filters_them_by_no_change(crm: JobberAccount) -> None:
    ada = crm.vendor.add_client("ada@example.com")
    crm.vendor.add_job(ada, "Old", updatedAt="2026-03-01T00:00:00Z")
    crm.vendor.add_job(ada, "New", updatedAt="2026-03-02T00:00:00Z")
    titles = [job["title"] for job in crm.read("jobs", start=canonical("2026-03-01T12:00:00Z", "timestamp"))]
    assert titles == ["New", "Old"]


@pytest.mark.parametrize("fields", [["emails"], ["billingAddress"], ["tags"], ["client id"]])
def test_fields_are_checked_before_any_call(crm: JobberAccount, fields: list[str]) -> None:
    with pytest.raises(ValidationError, match="`fields`"):
        crm.source(fields=fields)
    with pytest.raises(ValidationError, match="at most 100"):
        crm.source(page_size=101)


def test_a_field_that_the_schema_does_not_have_is_told_by_its_name(crm: JobberAccount) -> None:
    with pytest.raises(FluxError, match="Field 'loyalty' doesn't exist on type 'Client'") as raised:
        crm.read(fields=["loyalty"])
    assert raised.value.code == "PAYLOAD_MISMATCH"

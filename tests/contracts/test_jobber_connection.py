"""The connection to a Jobber account: its address, its version of the API, its sign-in, and what describes itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.jobber import PROFILE, Jobber, JobberDestinationOptions, JobberSourceOptions
from airflow_provider_flux.connectors.jobber.asking import endpoint
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.classify import SOURCE
from tests.contracts.jobber_account import JobberAccount, account


@pytest.fixture
def crm() -> Iterator[JobberAccount]:
    with account() as crm:
        yield crm


@pytest.mark.parametrize("host", [None, "", "api.getjobber.com", "https://api.getjobber.com"])
def test_the_address_is_known(host: str | None) -> None:
    graph = endpoint(Credentials("field", "flux_jobber", host=host, password="token"), outage=SOURCE)
    assert str(graph.client.base) == "https://api.getjobber.com"


def test_the_addresses_of_the_sign_in_are_jobbers() -> None:
    """https://developer.getjobber.com/docs/building_your_app/app_authorization"""
    sign_in = PROFILE.sign_in
    assert sign_in is not None
    assert (sign_in.token_url, sign_in.authorize_url) == (
        "https://api.getjobber.com/api/oauth/token",
        "https://api.getjobber.com/api/oauth/authorize",
    )
    assert (sign_in.client_in, sign_in.pkce) == ("body", False)


@pytest.mark.parametrize(
    ("fields", "code", "said"),
    [
        ({"password": None}, "CONNECTION_INVALID", "field 'extra.client_id': is empty; to sign in"),
        ({"extra": {"api_version": "latest"}}, "CONNECTION_INVALID", "field 'extra.api_version': is no version"),
        (
            {"password": None, "extra": {"client_id": "app", "client_secret": "s"}},
            "CONFIG_INVALID",
            "signs in with a refresh token",
        ),
    ],
)
def test_a_field_that_is_missing_or_wrong_is_named(fields: dict[str, object], code: str, said: str) -> None:
    whole = {"password": "token", **fields}
    with pytest.raises(FluxError) as raised:
        Jobber.test(Credentials("field", "flux_jobber", **whole))  # type: ignore[arg-type]
    assert raised.value.code == code
    assert said in raised.value.message


def test_the_test_says_which_account_answers(crm: JobberAccount) -> None:
    assert Jobber.test(crm.credentials()) == "127.0.0.1 answers for the account Test account"


def test_the_version_of_the_connection_is_sent_as_jobbers_header(crm: JobberAccount) -> None:
    Jobber.test(crm.credentials(extra={"api_version": "2026-10-01"}))
    (call,) = crm.wire.calls
    assert call.headers["x-jobber-graphql-version"] == "2026-10-01"
    assert "api_version" not in call.headers


def test_a_token_that_has_ended_is_told_with_the_way_to_a_new_one(crm: JobberAccount) -> None:
    with pytest.raises(FluxError, match="Invalid Token Error") as raised:
        Jobber.test(crm.credentials(password="ended"))
    assert raised.value.code == "AUTHENTICATION_FAILED"
    assert "airflow-flux connectors reconnect field" in raised.value.next_step


def test_the_schema_describes_what_is_read_and_what_is_written(crm: JobberAccount) -> None:
    common = {"connector": "jobber", "connection": "field", "object": "clients"}
    read = Jobber.describe(crm.credentials(), JobberSourceOptions.model_validate(common))
    written = Jobber.describe(crm.credentials(), JobberDestinationOptions.model_validate({**common, "key": "email"}))
    assert read is not None
    assert written is not None
    fields = {one.name: one for one in read.fields}
    assert (fields["updatedAt"].type, fields["emails"].type, fields["billingAddress"].type) == (
        "datetime", "array", "object",
    )  # fmt: skip
    assert {"email", "phone", "isArchived"} <= set(fields)
    fields = {one.name: one for one in written.fields}
    assert {"email", "phone", "emails", "phones", "firstName", "companyName"} <= set(fields)
    assert "MR" in fields["title"].enum
    assert "updatedAt" not in fields


def test_a_new_job_needs_what_the_connector_can_look_up(crm: JobberAccount) -> None:
    """`propertyId` and `invoicing` are required by the schema, and found or set by the connector."""
    found = Jobber.describe(crm.credentials(), object_name="jobs")
    assert found is not None
    assert [one.name for one in found.fields if one.required and not one.read_only] == []
    assert {"clientEmail", "clientId", "propertyId"} <= {one.name for one in found.fields}


def test_an_object_that_is_not_known_is_not_asked_for(crm: JobberAccount) -> None:
    with pytest.raises(FluxError, match="there are clients, jobs") as raised:
        Jobber.describe(crm.credentials(), object_name="quotes")
    assert raised.value.code == "NOT_FOUND"
    assert crm.wire.calls == []

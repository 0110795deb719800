"""The connection: what its test says, which fields it needs, and that no secret leaves it."""

from __future__ import annotations

import json

import pytest

from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.tally import Tally
from tests.contracts.servers.wire import Reply, unused_port
from tests.contracts.suite.account import ADA, Account, always, window


def test_a_good_connection_says_what_answered_and_changes_nothing(account: Account) -> None:
    tally = Tally()
    said = account.connector.test(account.credentials(), account.source_options(), tally)
    assert said
    assert "127.0.0.1" in said
    assert account.vendor.count() == 0
    assert not [call for call in account.vendor.calls if account.vendor.is_write(call) and not _signs_in(account, call)]


def _signs_in(account: Account, call: object) -> bool:
    return account.vendor.is_sign_in(call)  # type: ignore[arg-type]


def test_a_connection_without_a_flow_can_be_tested(account: Account) -> None:
    assert account.connector.test(account.credentials())


def test_each_field_that_is_missing_is_named(account: Account) -> None:
    assert account.vendor.form_fields
    for field in account.vendor.form_fields:
        with pytest.raises(FluxError) as caught:
            account.connector.test(account.credentials(without=field, one_try=True), account.source_options())
        assert caught.value.code in ("CONNECTION_INVALID", "AUTHENTICATION_FAILED"), field
        assert field.removeprefix("extra.") in f"{caught.value.message} {caught.value.next_step}"
        account.assert_tells_no_secret(caught.value)


def test_wrong_credentials_are_refused_by_the_vendor_itself(account: Account) -> None:
    fields = account.vendor.connection(account.wire.url)
    secret = account.secrets()[0]
    wrong = json.loads(json.dumps(fields).replace(json.dumps(secret), json.dumps("wr0ng-" + "x" * len(secret))))
    credentials = Credentials(**{"conn_id": "crm", "one_try": True, **wrong})
    for act in (
        lambda: account.connector.test(credentials, account.source_options()),
        lambda: list(account.source(credentials).read(window())),
        lambda: account.destination(account.mode, credentials=credentials).write([account.item(ADA)]),
    ):
        with pytest.raises(FluxError) as caught:
            act()
        assert caught.value.code in ("AUTHENTICATION_FAILED", "CONNECTION_INVALID")
        assert "wr0ng" not in f"{caught.value.message} {caught.value.next_step} {caught.value.answer}"
    assert account.vendor.count() == 0


def test_a_secret_that_the_vendor_repeats_is_masked(account: Account) -> None:
    always(account, Reply(400, {"message": f"bad request from {', '.join(account.secrets())}"}))
    with pytest.raises(FluxError) as caught:
        account.read(one_try=True)
    account.assert_tells_no_secret(caught.value)
    assert "bad request from" in f"{caught.value.message} {caught.value.answer}"


def test_a_host_where_nobody_listens_is_an_error_of_the_network(account: Account) -> None:
    nowhere = f"http://127.0.0.1:{unused_port()}"
    fields = json.loads(json.dumps(account.vendor.connection(account.wire.url)).replace(account.wire.url, nowhere))
    credentials = Credentials(**{"conn_id": "crm", "one_try": True, **fields})
    with pytest.raises(FluxError) as caught:
        list(account.source(credentials).read(window()))
    assert caught.value.code in ("CONNECTION_TIMEOUT", "CONNECTION_INVALID")
    account.assert_tells_no_secret(caught.value)


@pytest.mark.parametrize("path", ["describe", "form"])
def test_the_connector_declares_itself(account: Account, path: str) -> None:
    """What `connectors describe` and Airflow's form show."""
    connector = account.connector
    if path == "form" and connector.form is not None:
        fields = {field.removeprefix("extra.") for field in account.vendor.form_fields}
        shown = {*connector.form.fields, "host", "login", "password", "schema", "port"} - set(connector.form.hidden)
        assert fields <= shown
    if path == "describe":
        assert all(declared.doubt for declared in connector.objects if declared.modes)

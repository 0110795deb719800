"""What the vendor answers instead of doing it, as a read, as a write and as a test of the connection meet it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from airflow_provider_flux.connectors.contract import Written
from airflow_provider_flux.errors import FluxError, RecordError
from tests.contracts.servers.wire import Call, Reply, serve
from tests.contracts.suite.account import ADA, Account, always, person, window

Act = Callable[[Account], object]


def read(account: Account) -> object:
    return account.read(one_try=True)


def write(account: Account) -> object:
    (verdict,) = account.write(account.mode, ADA, one_try=True)
    return verdict


def try_out(account: Account) -> object:
    return account.connector.test(account.credentials(one_try=True), account.source_options())


def refused(account: Account, act: Act) -> FluxError | RecordError:
    """The error that an act ends with, whether it is about the record or about everything."""
    try:
        verdict = act(account)
    except FluxError as error:
        account.assert_tells_no_secret(error)
        return error
    assert isinstance(verdict, RecordError), verdict
    account.assert_tells_no_secret(verdict)
    return verdict


@pytest.mark.parametrize("act", [read, write, try_out])
def test_refused_credentials_are_an_error_of_the_connection(account: Account, act: Act) -> None:
    always(account, account.vendor.failure(401))
    error = refused(account, act)
    assert isinstance(error, FluxError)
    assert error.code == "AUTHENTICATION_FAILED"
    assert "crm" in f"{error.message} {error.next_step}"
    assert not error.transient


@pytest.mark.parametrize("act", [read, write])
def test_a_missing_right_is_told(account: Account, act: Act) -> None:
    always(account, account.vendor.failure(403))
    error = refused(account, act)
    assert error.code == "PERMISSION_DENIED"


@pytest.mark.parametrize("act", [read, write])
def test_what_does_not_exist_is_not_tried_for_ever(account: Account, act: Act) -> None:
    always(account, account.vendor.failure(404))
    error = refused(account, act)
    assert error.code in ("NOT_FOUND", "RECORD_NOT_FOUND", "PROJECT_NOT_FOUND", "BAD_REQUEST")


@pytest.mark.parametrize("status", [429, 503])
def test_a_throttle_is_waited_for(account: Account, status: int) -> None:
    account.vendor.seed(3)
    source = account.source()
    account.vendor.faults.append(account.vendor.failure(status))
    assert sum(len(page.records) for page in source.read(window())) == 3


def test_a_write_that_is_throttled_arrives_once(account: Account) -> None:
    account.vendor.faults.append(account.vendor.failure(429))
    (verdict,) = account.write(account.mode, ADA)
    assert isinstance(verdict, Written)
    assert account.vendor.count() == 1


@pytest.mark.parametrize(("act", "code"), [(read, "SOURCE_OUTAGE"), (write, "DESTINATION_OUTAGE")])
@pytest.mark.parametrize("status", [500, 503])
def test_a_system_that_is_down_stays_down_for_this_attempt(
    account: Account, act: Act, code: str, status: int
) -> None:
    always(account, account.vendor.failure(status))
    error = refused(account, act)
    # A create that was answered with 500 may have been executed.
    assert error.code == code or (act is write and error.code == "OUTCOME_UNKNOWN"), error
    assert not isinstance(error, FluxError) or error.transient or error.code == "OUTCOME_UNKNOWN"


@pytest.mark.parametrize(("act", "code"), [(read, "SOURCE_OUTAGE"), (write, "DESTINATION_OUTAGE")])
def test_a_throttle_that_does_not_end_is_for_the_task_to_wait_for(account: Account, act: Act, code: str) -> None:
    always(account, account.vendor.failure(429))
    error = refused(account, act)
    assert error.code in ("RATE_LIMIT_EXCEEDED", code)


def test_a_redirect_to_another_host_carries_no_credentials(account: Account) -> None:
    strangers: list[Call] = []

    def note(call: Call) -> Reply:
        strangers.append(call)
        return Reply(200, {})

    with serve(note) as stranger:
        always(account, Reply(302, None, {"Location": f"{stranger.url}/elsewhere"}))
        for act in (read, write):
            refused(account, act)
    told = " ".join(f"{call.path} {call.query} {call.headers} {call.body!r}" for call in strangers)
    assert not any(secret in told for secret in account.secrets())
    assert person(0)["email"] not in told



"""Answers that say nothing, or half of it: never an empty read, never a record that counts as written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from airflow_provider_flux.connectors.contract import Written
from airflow_provider_flux.errors import FluxError, RecordError
from tests.contracts.servers.wire import Call, Reply
from tests.contracts.suite.account import ADA, Account, always
from tests.contracts.suite.test_refusals import read, refused, write

_NOTHING_SAID = ("UNREADABLE_ANSWER", "OUTCOME_UNKNOWN", "CONNECTION_TIMEOUT")
_PAGE = b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body>Back soon.</body></html>"

BROKEN = {
    "empty": Reply(200, b""),
    "a page": Reply(200, _PAGE, {"Content-Type": "text/html"}),
    "a page that calls itself JSON": Reply(200, _PAGE),
    "plain text": Reply(200, b"OK", {"Content-Type": "text/plain"}),
    "half a document": Reply(200, b'{"data": {"results": [{"id": "1", "na'),
    "cut off": Reply(200, b'{"data": {"results": []}}' + b" " * 500, cut=9),
    "too deep": Reply(200, b"[" * 100_000 + b"]" * 100_000),
    "another shape": Reply(200, {"unexpected": True}),
    "a number": Reply(200, 42),
    "null": Reply(200, b"null"),
}


@pytest.mark.parametrize("act", [read, write])
@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_answer_is_an_error_with_what_was_said(
    account: Account, act: Callable[[Account], object], broken: str
) -> None:
    account.vendor.seed(3)
    reply = BROKEN[broken]
    always(account, reply)
    error = refused(account, act)
    assert error.code in _NOTHING_SAID, error
    said = reply.content()[:9].strip()
    assert reply.cut is not None or not said or said.decode() in str(error.answer)


@pytest.mark.parametrize("act", [read, write])
def test_a_body_of_100_mb_is_refused_by_what_it_announces(account: Account, act: Callable[[Account], object]) -> None:
    always(account, Reply(200, b'{"data": [', {"Content-Length": str(100 * 1024**2)}))
    error = refused(account, act)
    assert error.code in ("BAD_REQUEST", "OUTCOME_UNKNOWN")
    assert "larger than 64 MB" in error.message
    assert '{"data": [' in str(error.answer)


@pytest.mark.parametrize("act", [read, write])
def test_a_system_that_does_not_answer_in_time_is_a_timeout(account: Account, act: Callable[[Account], object]) -> None:
    always(account, Reply(200, {}, delay=0.15))
    try:
        found = _in_time(account, act)
    except FluxError as error:
        found = error
    assert isinstance(found, (FluxError, RecordError))
    assert found.code in ("CONNECTION_TIMEOUT", "OUTCOME_UNKNOWN")
    account.assert_tells_no_secret(found)


def _in_time(account: Account, act: Callable[[Account], object]) -> object:
    if act is read:
        return account.read(one_try=True, timeout=0.05)
    (verdict,) = account.write(account.mode, ADA, one_try=True, timeout=0.05)
    return verdict


def test_a_graphql_answer_with_data_and_errors_is_no_success(graphql_account: Account) -> None:
    account = graphql_account
    account.vendor.seed(3)

    def partial(call: Call) -> Reply:
        account.vendor.faults.append(partial)
        reply = account.vendor.handle(call)
        failed = {"message": "Something went wrong", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}
        return Reply(200, {**reply.body, "errors": [failed]})

    account.vendor.faults.append(partial)
    for act in (read, write):
        error = refused(account, act)
        assert not isinstance(error, Written)
        assert "Something went wrong" in f"{error.message} {error.answer}"

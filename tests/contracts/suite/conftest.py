"""Every case runs with every vendor: `account` is each class of `vendors/all.py` in turn (`-k hubspot` for one)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.contracts.suite.account import Account
from tests.contracts.vendors.all import VENDORS


@pytest.fixture(params=VENDORS, ids=[vendor.connector for vendor in VENDORS])
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    with ExitStack() as stack:
        yield Account(request.param, stack)


_GRAPHQL = [vendor for vendor in VENDORS if vendor.graphql]


@pytest.fixture(params=_GRAPHQL, ids=[vendor.connector for vendor in _GRAPHQL])
def graphql_account(request: pytest.FixtureRequest) -> Iterator[Account]:
    """The vendors that speak GraphQL."""
    with ExitStack() as stack:
        yield Account(request.param, stack)

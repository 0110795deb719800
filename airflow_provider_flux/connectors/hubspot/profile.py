"""What is known of HubSpot's API before a flow or a connection says anything."""

from __future__ import annotations

import re
from urllib.parse import quote

from airflow_provider_flux.connectors.api.profile import ApiProfile, SignIn
from airflow_provider_flux.transport.classify import Row
from airflow_provider_flux.transport.pace import Limit

_ROWS = (
    # The same status for two things: a span of ten seconds, and the day (until midnight in the account's time zone).
    Row("QUOTA_EXHAUSTED", frozenset({429}), "policyName", re.compile("^DAILY$")),
    Row("QUOTA_EXHAUSTED", frozenset({429}), "message", re.compile(r"\bdaily limit\b", re.IGNORECASE)),
    Row("PERMISSION_DENIED", frozenset({403}), "category", re.compile("^MISSING_SCOPES$")),
    Row("NOT_FOUND", frozenset({400, 404}), "message", re.compile("^Unable to infer object type from")),
    Row("BAD_REQUEST", frozenset({400}), "message", re.compile(r"\bby non-unique\b")),
)
"""Answers about the whole request; those about records are in `faults`."""

PROFILE = ApiProfile(
    base_url="https://api.hubapi.com",
    sign_in=SignIn(
        kinds=("bearer", "refresh_token"),
        token_url="/oauth/v1/token",  # noqa: S106 - a path
        authorize_url="https://app.hubspot.com/oauth/authorize",
        scopes=("oauth", "crm.objects.contacts.read", "crm.objects.contacts.write"),
        client_in="body",
    ),
    rows=_ROWS,
    # The search is exempt from the first, and has one of its own.
    limits=(Limit(100, 10, "per app and account"), Limit(5, 1, "per account, searches", path="/search")),
    test_path="/account-info/v3/details",
)


def path_of(name: str) -> str:
    """The path of an object's records."""
    return f"/crm/v3/objects/{quote(name, safe='')}"

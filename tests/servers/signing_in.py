"""What a process of `test_sign_in` does: calls an API like a task for some seconds, and its tokens live three."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from airflow_provider_flux.connectors.api.connection import open_client
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.store import open_store
from airflow_provider_flux.transport.messages import Request
from airflow_provider_flux.transport.shared import Shared

PROCESSES = 6
SECONDS = 4.5
"""Longer than a token lives: each process needs at least two."""


def ready(number: int) -> None:
    """Unpickling this function has imported all that `task` needs."""
    time.sleep(0.3)


def task(store_url: str, fields: dict[str, Any], number: int) -> set[int]:
    """The statuses with which the API answered. A token that could not be had is an exception."""
    statuses: set[int] = set()
    with open_store(store_url) as store:
        credentials = replace(Credentials(**fields), shared=Shared(tokens=store, pace=store))
        client = open_client(credentials, None, connections=2)
        try:
            until = time.monotonic() + SECONDS
            while time.monotonic() < until:
                statuses.add(client.send(Request("GET", "/v1/contacts")).status)
                time.sleep(0.05)
        finally:
            client.close()
    return statuses

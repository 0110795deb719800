"""Lets the tasks that use a connection share its tokens and its pace."""

from __future__ import annotations

from dataclasses import replace

from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.store import Store
from airflow_provider_flux.transport.shared import Shared


def shared(credentials: Credentials, store: Store) -> Credentials:
    """The connection with the doors to what all tasks share of it."""
    return replace(credentials, shared=Shared(tokens=store, pace=store))

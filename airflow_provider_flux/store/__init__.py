"""Flux's own tables behind one door: runs, stages, the fate of every record, links, cursors and errors."""

from __future__ import annotations

from airflow_provider_flux.store.store import Store, open_store
from airflow_provider_flux.store.upgrade import upgrade_store

__all__ = ["Store", "open_store", "upgrade_store"]

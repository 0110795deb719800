"""What is done once a day: old data goes, and runs that Airflow ended without us are closed."""

from __future__ import annotations

from airflow_provider_flux.housekeeping.purge import Purged, purge
from airflow_provider_flux.housekeeping.reconcile import Reconciled, reconcile

__all__ = ["Purged", "Reconciled", "purge", "reconcile"]

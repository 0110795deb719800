"""Flux's own DAGs, the same for every flow: they retry failed records in time, ask people, and keep house."""

from __future__ import annotations

from airflow_provider_flux.system_dags import system_dags

globals().update(system_dags())

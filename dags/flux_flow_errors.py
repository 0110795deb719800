"""Shows what is wrong with flow files among Airflow's DAG import errors; silent when all are valid."""

from __future__ import annotations

from airflow_provider_flux.dag_factory import flow_problems
from airflow_provider_flux.errors import ConfigError

if problems := flow_problems():
    raise ConfigError(problems)

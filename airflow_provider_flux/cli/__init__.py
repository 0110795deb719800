"""The command line: `airflow-flux`, and `airflow flux` on Airflow 3."""

from airflow_provider_flux.cli.entry import main

__all__ = ["main"]

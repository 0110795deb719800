"""Flux: one YAML file per flow, one Airflow DAG per flow, and the fate of every record."""

__version__ = "0.1.0"

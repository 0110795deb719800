"""One Airflow DAG for every valid flow in `include/flows`.

A flow that is not valid is left out here and listed, with the reason, by `flux_flow_errors.py`.
"""

from __future__ import annotations

from airflow_provider_flux.dag_factory import flow_dags

globals().update(flow_dags())

"""Flux: one stage in a process of its own, as Airflow runs it, with all bookkeeping on."""

from __future__ import annotations

import sys
from pathlib import Path

import httpx  # noqa: F401 - the connectors load what they need when they first need it: that is start, not work
import psycopg  # noqa: F401

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.credentials import from_environment
from airflow_provider_flux.flow.loader import load_flow
from airflow_provider_flux.stages.context import RunContext
from airflow_provider_flux.stages.read import read
from airflow_provider_flux.stages.settle import settle
from airflow_provider_flux.stages.transform import transform
from airflow_provider_flux.stages.write import write
from airflow_provider_flux.staging import open_staging
from airflow_provider_flux.store import open_store
from benchmarks.contenders.common import Work

STAGES = {"read": read, "transform": transform, "write": write, "settle": settle}


def main(stage: str, folder: str, flow: str = "contacts") -> None:
    include = Path(__file__).parents[1] / "include"
    for connector in registry.names():
        registry.get(connector)
    with Work():
        store = open_store(f"sqlite:///{folder}/flux.db")
        ctx = RunContext(
            flow=load_flow(include, flow),
            run_id="benchmark",
            trigger="manual",
            store=store,
            staging=open_staging(f"{folder}/staging"),
            credentials=lambda conn_id: from_environment(conn_id),  # type: ignore[arg-type,return-value]
            include=include,
        )
        STAGES[stage](ctx)
        store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

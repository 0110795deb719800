"""dlt as its documentation recommends: the rest_api source, a map step, a merge into PostgreSQL.

https://dlthub.com/docs/dlt-ecosystem/verified-sources/rest_api/basic
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import dlt
from dlt.sources.rest_api import rest_api_source

from airflow_provider_flux.flow.loader import load_mapping
from benchmarks.contenders.common import Work


def main(url: str, dsn: str, folder: str) -> None:
    mapping = load_mapping(Path(__file__).parents[1] / "include", "contacts", 1)

    def transform(record: dict[str, Any]) -> dict[str, Any] | None:
        values, errors = mapping.apply(record)
        return None if errors else values  # dlt has no place for a bad record: it is dropped

    with Work():
        source = rest_api_source(
            {
                "client": {
                    "base_url": url,
                    "paginator": {"type": "cursor", "cursor_path": "next", "cursor_param": "after"},
                },
                "resources": [
                    {
                        "name": "contacts",
                        "primary_key": "id",
                        "write_disposition": "merge",
                        "endpoint": {"path": "contacts", "params": {"limit": 500}, "data_selector": "data"},
                        "processing_steps": [{"map": transform}, {"filter": lambda record: record is not None}],
                    }
                ],
            }
        )
        pipeline = dlt.pipeline(
            "benchmark",
            pipelines_dir=folder,
            destination=dlt.destinations.postgres(credentials=dsn),
            dataset_name="dlt_contacts",
        )
        info = pipeline.run(source)
        info.raise_on_failed_jobs()


if __name__ == "__main__":
    main(*sys.argv[1:])

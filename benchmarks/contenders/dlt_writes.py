"""dlt as its documentation recommends for an API: a custom destination, called with batches by several workers.

https://dlthub.com/docs/dlt-ecosystem/destinations/destination. Extract and normalize, which write the records to files
before, are measured apart from the load, as Flux's stages are.
"""

from __future__ import annotations

import sqlite3
import sys
import threading
from collections.abc import Iterator
from typing import Any

import dlt
import msgspec
import requests
from dlt.common.schema import TTableSchema

from benchmarks.contenders.common import Work

BATCH = 100


def main(url: str, database: str, folder: str, workers: str) -> None:
    local = threading.local()
    encode = msgspec.json.Encoder().encode

    def api(items: list[dict[str, Any]], table: TTableSchema) -> None:
        if not hasattr(local, "session"):
            local.session = requests.Session()
        answer = local.session.post(f"{url}/contacts", data=encode({"records": items}))
        answer.raise_for_status()

    def contacts() -> Iterator[list[dict[str, Any]]]:
        connection = sqlite3.connect(database)
        connection.row_factory = sqlite3.Row
        cursor = connection.execute("SELECT * FROM contacts ORDER BY id")
        while rows := cursor.fetchmany(5000):
            yield [dict(row) for row in rows]
        connection.close()

    destination = dlt.destination(
        api,
        batch_size=BATCH,
        loader_file_format="typed-jsonl",
        name="api",
        naming_convention="direct",
        skip_dlt_columns_and_tables=True,
        max_parallel_load_jobs=int(workers),
    )
    pipeline = dlt.pipeline("writes", pipelines_dir=folder, destination=destination)
    with Work():
        pipeline.extract(dlt.resource(contacts, name="contacts", primary_key="id"))
    with Work():
        pipeline.normalize()
    with Work():
        pipeline.load(workers=int(workers)).raise_on_failed_jobs()


if __name__ == "__main__":
    main(*sys.argv[1:])

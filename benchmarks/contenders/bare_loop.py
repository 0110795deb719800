"""A loop written by hand for this one job: no store, no staging, no retry; bad records are dropped without a trace."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import httpx
import msgspec
import psycopg

from airflow_provider_flux.flow.loader import load_mapping
from benchmarks.contenders.common import Work

ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def main(url: str, dsn: str, table: str) -> None:
    mapping = load_mapping(Path(__file__).parents[1] / "include", "contacts", 1)
    columns = ", ".join(mapping.targets)
    updates = ", ".join(f"{column} = EXCLUDED.{column}" for column in mapping.targets if column != "id")
    with Work(), httpx.Client(base_url=url) as client, psycopg.connect(dsn) as database:
        cursor = database.cursor()
        cursor.execute(f"CREATE TEMP TABLE incoming (LIKE {table})")
        after: str | None = "0"
        while after is not None:
            answer = msgspec.json.decode(client.get("/contacts", params={"after": after, "limit": 500}).content)
            after = answer["next"]
            buffer = io.StringIO()
            for record in answer["data"]:
                values, errors = mapping.apply(record)
                if not errors:
                    buffer.write("\t".join(_text(values[column]) for column in mapping.targets) + "\n")
            with cursor.copy(f"COPY incoming ({columns}) FROM STDIN") as copy:
                copy.write(buffer.getvalue())
            cursor.execute(
                f"INSERT INTO {table} ({columns}) SELECT {columns} FROM incoming "
                f"ON CONFLICT (id) DO UPDATE SET {updates}"
            )
            cursor.execute("TRUNCATE incoming")
            database.commit()


def _text(value: object) -> str:
    return r"\N" if value is None else str(value).translate(ESCAPES)


if __name__ == "__main__":
    main(*sys.argv[1:])

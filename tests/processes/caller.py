"""A process that makes calls over one connection: `python -m tests.processes.caller STORE URL LIMIT CALLS`.

It prints a line after each answer. What it does is what a task does: the connection's client, the store's count.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from airflow_provider_flux.connectors.api.connection import open_client
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.stages.sharing import shared
from airflow_provider_flux.store import open_store
from airflow_provider_flux.transport.messages import Request

IN_FLIGHT = 4


def main(store_url: str, url: str, limit: str, calls: str) -> None:
    with open_store(store_url) as store:
        extra = {"limit": limit, "timeout": 1}
        client = open_client(
            shared(Credentials("crm", "flux_rest", host=url, extra=extra), store), None, connections=IN_FLIGHT
        )
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            for response in pool.map(lambda number: client.send(Request("GET", f"/{number}")), range(int(calls))):
                print(response.status, flush=True)
        client.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

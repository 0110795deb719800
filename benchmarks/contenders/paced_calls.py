"""Calls over a connection with a limit, 16 in flight, as a task makes them: STORE URL LIMIT CALLS."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from airflow_provider_flux.connectors.api.connection import open_client
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.stages.sharing import shared
from airflow_provider_flux.store import open_store
from airflow_provider_flux.transport.messages import Request

IN_FLIGHT = 16
CALL = Request("POST", "/contacts", body=b'{"records": []}', repeatable=True)


def main(store_url: str, url: str, limit: str, calls: str) -> None:
    with open_store(store_url) as store:
        credentials = shared(Credentials("bench_api", "flux_rest", host=url, extra={"limit": limit}), store)
        client = open_client(credentials, None, connections=IN_FLIGHT)
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            for response in pool.map(lambda _: client.send(CALL), range(int(calls))):
                assert response.status == 200
        client.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

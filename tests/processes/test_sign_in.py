"""A task that is killed while it renews a token: the others wait for its lease, no longer, and lose nothing."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from airflow_provider_flux.store import open_store
from tests.contracts.servers.oauth import CLIENT, SECRET, OAuthServer
from tests.contracts.servers.wire import Reply, serve
from tests.processes.signing_process import call


def test_a_task_that_dies_while_it_renews_is_waited_for_no_longer_than_its_lease(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", Fernet.generate_key().decode())
    server = OAuthServer()
    server.troubles.append(Reply(503, delay=30))  # it never hears the answer, and nothing was executed
    url = f"sqlite:///{tmp_path}/flux.db"
    with serve(server.answer) as wire:
        extra = {
            "client_id": CLIENT, "client_secret": SECRET, "token_url": f"{wire.url}/token",
            "refresh_token": server.refresh_token(),
        }  # fmt: skip
        fields = {"conn_id": "crm", "conn_type": "flux_rest", "host": wire.url, "extra": extra}
        process = multiprocessing.get_context("spawn").Process(target=call, args=(url, fields))
        process.start()
        until = time.monotonic() + 15
        while not server.forms and time.monotonic() < until:
            time.sleep(0.02)
        assert server.forms and process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        with open_store(url) as store:
            assert not store.lease_token("crm", "somebody else", 1)
        assert call(url, fields) == 200
    assert len(server.granted) == 1

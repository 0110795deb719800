"""A store with two runs, and the command line called as a person would."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_flux.cli import main
from airflow_provider_flux.errors import FluxError, RecordError
from airflow_provider_flux.store import open_store
from airflow_provider_flux.store.rows import NewError, Outcome, Run, Trace


@dataclass(frozen=True)
class Said:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Call = Callable[..., Said]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """`call("runs", "--json")`, in a place of its own: `tmp_path/include`, `tmp_path/flux.db`."""
    (tmp_path / "include" / "flows").mkdir(parents=True)
    monkeypatch.setenv("AIRFLOW__FLUX__INCLUDE", str(tmp_path / "include"))
    monkeypatch.setenv("AIRFLOW__FLUX__STORE", f"sqlite:///{tmp_path / 'flux.db'}")
    monkeypatch.setenv("AIRFLOW__FLUX__STAGING", str(tmp_path / "staging"))
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))

    def run(*argv: str) -> Said:
        try:
            code = main(argv)
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return run


@pytest.fixture
def runs(call: Call, tmp_path: Path) -> tuple[Run, Run]:
    """A partial run of `contacts` with three errors and a held record, and a failed run of `orders`."""
    with open_store(f"sqlite:///{tmp_path / 'flux.db'}") as store:
        partial = store.start_run("contacts", "scheduled__1", "scheduled", "contacts")
        phone = RecordError(
            "INVALID_FORMAT",
            "'call me maybe' is not a phone number",
            "phone",
            "properties.phone",
            "phone_e164",
            "call me",
        )
        email = RecordError("INVALID_EMAIL", "'kim@' is not an address", "email", "properties.email", "email", "kim@")
        unknown = RecordError("OUTCOME_UNKNOWN", "no answer came back")
        errors = [
            NewError(
                number,
                f"c-{number}",
                None,
                error,
                json.dumps({"id": f"c-{number}"}),
                state="held" if error is unknown else "open",
                connector="rest" if error is unknown else None,
            )
            for number, error in enumerate((phone, email, phone, unknown))
        ]
        outcomes = [Outcome("failed", "INVALID_FORMAT", 0, 3)]
        store.record_transform(partial, 0, 0, outcomes, errors, 1)
        counts = {"read": 10, "written": 6, "failed": 3, "held": 1}
        partial = store.finish_run(partial, state="partial", counts=counts, cursor_after=None, trace=None)
        failed = store.start_run("orders", "scheduled__1", "scheduled", "orders@2")
        outage = FluxError("AUTHENTICATION_FAILED", "the shop answered 401", answer='{"error": "expired"}')
        trace = Trace("read", outage)
        failed = store.finish_run(failed, state="failed", counts={}, cursor_after=None, trace=trace)
    return partial, failed

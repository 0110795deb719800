"""`airflow-flux demo`."""

from __future__ import annotations

import signal
import socket
import threading
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from types import FrameType

from airflow_provider_flux.cli.output import Output
from airflow_provider_flux.cli.values import UsageError
from airflow_provider_flux.demo.airflow_api import AirflowApi
from airflow_provider_flux.demo.airflow_process import AirflowProcess
from airflow_provider_flux.demo.http_api import Faults
from airflow_provider_flux.demo.sandbox import Sandbox
from airflow_provider_flux.demo.screen import Screen
from airflow_provider_flux.demo.story import Story
from airflow_provider_flux.demo.workdir import clean_environment, make_workdir

_HTTP_PORTS_END = 65536
_START_SECONDS = 120.0
_FAULT_EVERY = 10
"""Every how many calls the CRM answers 429 or 503, as real APIs do; the log of the read task tells of it."""


def demo(arguments: Namespace, out: Output) -> int:
    """Start everything, tell the story, stop everything; 0 when it went as it should."""
    installed = version("apache-airflow")
    if installed.startswith("2."):
        raise UsageError(f"the demo starts Airflow 3, and {installed} is installed here")
    screen = Screen()
    port = _port(arguments.port)
    faults = Faults(_FAULT_EVERY, ("429", "503"))
    with _stopped_by_signals(), make_workdir(Path(arguments.folder)) as workdir, Sandbox(faults=faults) as sandbox:
        environment = workdir.environment(sandbox, port)
        everything = {**clean_environment(), **environment}
        env_file = workdir.write_env_file(environment)
        with AirflowProcess(everything, workdir.logs) as airflow:
            api = AirflowApi(environment["AIRFLOW__API__BASE_URL"])
            _start_airflow(airflow, api, sandbox, screen)
            story = Story(screen, workdir, everything, airflow, api)
            first = story.first_run()
            story.recovery(first)
            story.second_flow(sandbox)
            if arguments.keep:
                _keep(screen, environment["AIRFLOW__API__BASE_URL"], env_file)
    screen.heading(f"Everything is stopped, after {screen.seconds:.0f} seconds.")
    if not arguments.keep:
        screen.line("To look around in Airflow yourself, call it with --keep.")
    return 0


def _start_airflow(airflow: AirflowProcess, api: AirflowApi, sandbox: Sandbox, screen: Screen) -> None:
    screen.heading("1. A sandbox and a real Airflow")
    screen.line(f"Nimbus CRM, an HTTP API with {len(sandbox.book.contacts):,} messy contacts, is at {sandbox.crm_url};")
    screen.line(f"every {_FAULT_EVERY}th call is answered 429 (too many) or 503 (unavailable).")
    screen.line(f"Ledger, an HTTP API that takes customers in batches, is at {sandbox.ledger_url}")
    with screen.step("Airflow's database") as step:
        airflow.prepare()
        step.result = "made"
    with screen.step("Airflow's API server, scheduler and DAG processor") as step:
        airflow.start()
        airflow.wait_until(api.healthy, "Airflow does not come up", _START_SECONDS)
        step.result = "running"


def _keep(screen: Screen, url: str, env_file: Path) -> None:
    screen.heading(f"Airflow keeps running at {url} until you press ctrl-C.")
    screen.line(f"In another terminal: source {env_file} && airflow-flux runs")
    with suppress(KeyboardInterrupt):
        threading.Event().wait()


def _port(wanted: int | None) -> int:
    """The port for Airflow's page.

    :raises UsageError: when it is taken
    """
    if wanted is not None and wanted >= _HTTP_PORTS_END:
        raise UsageError(f"--port {wanted}: a port is below {_HTTP_PORTS_END}")
    with socket.socket() as probe:
        # As servers do: a port that another one has just left is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted or 0))
        except OSError as error:
            raise UsageError(f"--port {wanted}: {error.strerror}; choose another one, or none for a free one") from None
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """A polite kill or a closed terminal ends the demo as ctrl-C does: with nothing left behind."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    # SIGINT too: a shell that starts something in the background has it ignored.
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

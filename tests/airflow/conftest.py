"""Fixtures with a real Airflow."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version

import pytest

from tests.airflow.running_airflow import RunningAirflow


@pytest.fixture(scope="session")
def airflow_standalone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAirflow]:
    """A running Airflow 3, one for the whole test session (it takes 20 to 40 s to start). See `RunningAirflow`:

    `write("flows/x.yaml", text)`, `connection(conn_id, ...)`, `trigger(dag_id, conf)`, `wait(dag_id, run_id)`,
    `states`, `tasks`, `wait_for_task`, `kill_task`, `clear`, `backfill`, `log`, `xcom`, `import_errors`, `store_url`.

    Tests share it: give flows, connections and tables names of their own. Retries come after 1, 2 and 3 seconds.
    """
    if version("apache-airflow").startswith("2."):
        pytest.skip("the running Airflow of the tests is Airflow 3; Airflow 2.11 is tested with `airflow dags test`")
    airflow = RunningAirflow(tmp_path_factory.mktemp("airflow"))
    try:
        airflow.start()
        yield airflow
    finally:
        airflow.stop()

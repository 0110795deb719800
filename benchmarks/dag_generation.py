"""What flows cost Airflow before any of them runs: 1,000 flow files into DAGs, and the start of one task among them.

    python benchmarks/dag_generation.py [--flows 1000]

The peers are two bare loops that build the same DAGs from the same files with the C YAML loader and validate nothing:
one as everybody writes it, one with the shortcut of our factory (see `bare_dag`). Every figure is the best of several
fresh processes; Airflow's own import is paid before the clock starts.
"""

from __future__ import annotations

import argparse
import json
import os
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FLOWS = 1000
REPEATS = 3
GENERATION_TARGET = 1.5
"""CPU of the factory, validation included, over that of the plain bare loop."""
TASK_START_TARGET = 0.1
"""Seconds for a task to parse the DAG file, beyond Airflow's own import."""

REPOSITORY = Path(__file__).parents[1]
DAG_FILE = REPOSITORY / "dags" / "flux_flows.py"
DELAYS = (60.0, 300.0, 1800.0)

FLOW = """\
description: |
  Contacts of account {number} into the warehouse.
  Owned by the data team; see the runbook before changing the window.
source:
  connector: rest
  connection: crm_{number}
  path: /v1/accounts/{number}/contacts
  records: data
  key: id
  cursor: {{field: updated_at, type: timestamp, lookback: 10m}}
  incremental: {{param: updated_since, until: updated_before}}
  auth: {{kind: bearer}}
  page: {{kind: cursor, param: after, next: paging.next.after, size_param: limit, size: 100}}
destination:
  connector: sql
  connection: warehouse
  table: contacts_{number}
  key: id
  mode: upsert
  batch_size: 500
mapping: contacts_{mapping}
schedule: {{every: {minutes}m}}
errors: {{fail_run_when: "rate > 0.2"}}
owner: team-{team}
tags: [crm, team-{team}]
"""

MAPPING = """\
rules:
  - {from: id, to: id, required: true}
  - {from: updated_at, to: updated_at, transforms: [date_iso]}
  - {from: properties.email, to: email, transforms: [trim, lowercase, email], required: true}
  - {from: properties.firstname, to: first_name, transforms: [trim, title]}
  - {from: properties.lastname, to: last_name, transforms: [trim, title]}
  - {from: properties.score, to: score, transforms: [number]}
"""


def write_flows(include: Path, count: int) -> None:
    """An include folder with `count` flows over ten mappings."""
    (include / "flows").mkdir(parents=True)
    for number in range(10):
        folder = include / "mappings" / f"contacts_{number}"
        folder.mkdir(parents=True)
        (folder / "v1.yaml").write_text(MAPPING)
    for number in range(count):
        text = FLOW.format(number=number, mapping=number % 10, team=number % 7, minutes=(5, 10, 15, 30)[number % 4])
        (include / "flows" / f"contacts_{number:04d}.yaml").write_text(text)


def bare_dag(flow_id: str, data: dict[str, Any], shortcut: bool) -> Any:
    """The DAG of a flow, from the bare YAML.

    :param shortcut: give the parameters last, so that Airflow neither checks their schema nor copies them to each task
    """
    import pendulum
    from airflow.sdk import DAG, CronDataIntervalTimetable, Param

    from airflow_provider_flux.dag_factory import REPLAY
    from airflow_provider_flux.operators import stages
    from airflow_provider_flux.operators.retries import retry_arguments

    params = {"replay": Param(None, **REPLAY)}
    dag = DAG(
        flow_id,
        schedule=CronDataIntervalTimetable(f"*/{data['schedule']['every'][:-1]} * * * *", timezone="UTC"),
        start_date=pendulum.datetime(2024, 1, 1),
        catchup=False,
        max_active_runs=1,
        tags=["flux", *data["tags"]],
        description=data["description"].partition("\n")[0],
        doc_md=data["description"],
        params={} if shortcut else params,
    )
    shared = {"dag": dag, "flow_id": flow_id, "owner": data["owner"], **retry_arguments(DELAYS)}
    read = stages.FluxReadOperator(task_id="read", **shared)
    transform = stages.FluxTransformOperator(task_id="transform", **shared)
    write = stages.FluxWriteOperator(task_id="write", max_active_tis_per_dag=1, **shared)
    settle = stages.FluxSettleOperator(task_id="settle", trigger_rule="all_done", **shared)
    read >> transform >> write >> settle
    if shortcut:
        dag.params.update(params)
    return dag


def bare_loop(include: Path, shortcut: bool = False) -> dict[str, Any]:
    """Every flow as a DAG, nothing validated."""
    import yaml

    dags = {}
    for path in sorted((include / "flows").glob("*.yaml")):
        with path.open() as file:
            dags[path.stem] = bare_dag(path.stem, yaml.load(file, yaml.CSafeLoader), shortcut)
    return dags


def flux(include: Path) -> dict[str, Any]:
    """What the DAG processor does with `dags/flux_flows.py`."""
    from airflow_provider_flux.dag_factory import flow_dags

    return flow_dags()


def task_start(include: Path) -> dict[str, Any]:
    """What a worker does with `dags/flux_flows.py` before it runs a task."""
    return runpy.run_path(str(DAG_FILE))


def plain_dag() -> None:
    """A DAG of nobody's: what Airflow itself loads for any DAG with tasks, a schedule and a parameter."""
    import pendulum
    from airflow.providers.common.compat.sdk import DAG, BaseOperator, Param
    from airflow.sdk import CronDataIntervalTimetable

    schedule = CronDataIntervalTimetable("*/5 * * * *", timezone="UTC")
    params = {"any": Param(None, type=["object", "null"])}
    with DAG("plain", schedule=schedule, start_date=pendulum.datetime(2024, 1, 1), params=params):
        BaseOperator(task_id="first") >> BaseOperator(task_id="second")


WORK: dict[str, Callable[[Path], dict[str, Any]]] = {
    "bare": bare_loop,
    "shortcut": lambda include: bare_loop(include, shortcut=True),
    "flux": flux,
    "task": task_start,
}


def measure(work: str, include: Path) -> dict[str, float]:
    """Do the work once, in this process, after Airflow's import."""
    import airflow.sdk.execution_time.task_runner  # noqa: F401  what a worker has loaded already

    if work == "task":
        plain_dag()
    else:
        # Not part of the comparison: the first DAG pays for imports on all sides.
        bare_dag("first", {"schedule": {"every": "5m"}, "tags": [], "description": "", "owner": "x"}, False)
    modules = set(sys.modules)
    wall, cpu = time.perf_counter(), time.process_time()
    dags = WORK[work](include)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    built = sum(1 for value in dags.values() if type(value).__name__ == "DAG" and value.dag_id != "first")
    return {"cpu": cpu, "wall": wall, "dags": built, "modules": len(set(sys.modules) - modules)}


def best_of(work: str, home: Path, count: int) -> dict[str, float]:
    """The best of several fresh processes."""
    environment = {**os.environ, "AIRFLOW_HOME": str(home), "AIRFLOW__FLUX__INCLUDE": str(home / "include")}
    if work == "task":
        environment["_AIRFLOW_PARSING_CONTEXT_DAG_ID"] = f"contacts_{count // 2:04d}"
    command = [sys.executable, str(Path(__file__).resolve()), "--measure", work]
    runs = []
    for _ in range(REPEATS):
        result = subprocess.run(command, env=environment, cwd=REPOSITORY, capture_output=True, text=True)
        if result.returncode:
            raise SystemExit(f"{work}: {result.stderr}")
        runs.append(json.loads(result.stdout.splitlines()[-1]))
    wanted = 1 if work == "task" else count
    assert all(run["dags"] == wanted for run in runs), f"{work} built {runs[0]['dags']} DAGs instead of {wanted}"
    best: dict[str, float] = min(runs, key=lambda run: run["cpu"])
    return best


def main(count: int = FLOWS) -> int:
    """Measure and print; 1 when a target is missed."""
    with tempfile.TemporaryDirectory(prefix="flux-dags-") as folder:
        home = Path(folder)
        write_flows(home / "include", count)
        figures = {work: best_of(work, home, count) for work in WORK}
    bare, cpu = figures["bare"]["cpu"], {work: figure["cpu"] for work, figure in figures.items()}
    ratio, start = cpu["flux"] / bare, figures["task"]["wall"]
    print(f"{count} flow files into DAGs, CPU seconds of this part alone (best of {REPEATS} processes)")
    print(f"  bare loop, nothing validated            {bare:6.2f} s   1.00")
    print(f"  bare loop with the factory's shortcut   {cpu['shortcut']:6.2f} s   {cpu['shortcut'] / bare:.2f}")
    print(f"  Flux, every file validated              {cpu['flux']:6.2f} s   {ratio:.2f}   target {GENERATION_TARGET}")
    print(f"start of a task among {count} flows, beyond Airflow's own import")
    print(f"  parsing dags/flux_flows.py              {start:6.3f} s   target {TASK_START_TARGET}")
    print(f"    of it CPU {cpu['task']:.3f} s, {figures['task']['modules']:.0f} modules loaded")
    return int(ratio > GENERATION_TARGET or start > TASK_START_TARGET)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flows", type=int, default=FLOWS)
    parser.add_argument("--measure", choices=WORK, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure, Path(os.environ["AIRFLOW__FLUX__INCLUDE"]))))
    else:
        sys.exit(main(options.flows))

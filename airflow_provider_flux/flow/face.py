"""A flow as far as its DAG shows it, read at the start of every task.

A task loads its flow in full when it runs, and says then what is wrong with it. To find the task in its DAG neither the
connectors nor the mapping are needed, and leaving them out makes the start of a task quick.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.errors import ConfigError
from airflow_provider_flux.flow.models import FLOW_ID, Flow, FlowFile
from airflow_provider_flux.flow.yaml_file import read_file

_SHOWN = ("description", "schedule", "start_date", "owner", "tags", "pool")


def flow_face(include: Path, flow_id: str) -> Flow | None:
    """The flow with stand-ins for source, destination and mapping; None where it has no file.

    A file that is not valid (any more) gives a flow with defaults, so that its task can start and tell.
    """
    if FLOW_ID.fullmatch(flow_id) is None:
        return None
    for suffix in (".yaml", ".yml"):
        path = include / "flows" / f"{flow_id}{suffix}"
        if path.is_file():
            return Flow(flow_id, path, _face(path))
    return None


def _face(path: Path) -> FlowFile:
    # Not FlowFile's own checks of these: they are somebody else's when the flow is loaded in full.
    stand_ins: dict[str, Any] = {
        "source": SourceOptions.model_construct(),
        "destination": DestinationOptions.model_construct(),
        "mapping": "none",
    }
    try:
        data = read_file(path, path.name).data
        return FlowFile.model_validate({**{key: data[key] for key in _SHOWN if key in data}, **stand_ins})
    except (ConfigError, ValidationError):
        return FlowFile.model_construct(**stand_ins)

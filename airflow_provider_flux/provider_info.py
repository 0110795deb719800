"""What Airflow learns about this provider. Every start of Airflow reads it: nothing heavy is imported here.

The connection forms stand with their connectors; their modules import only the models of the options.
"""

from __future__ import annotations

from typing import Any

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.contract import Connector
from airflow_provider_flux.connectors.declare import Form

_INTEGRATION = "Flux"
_HOOKS = [f"airflow_provider_flux.hooks.{name}" for name in ("api", "rest", "sql")]
_OPERATORS = [f"airflow_provider_flux.operators.{name}" for name in ("stages", "timer", "housekeeping", "verify")]

def _option(description: str, default: str, example: str, sensitive: bool = False) -> dict[str, Any]:
    return {
        "description": description,
        "version_added": "0.1.0",
        "type": "string",
        "example": example,
        "default": default,
        "sensitive": sensitive,
    }


_CONFIG = {
    "flux": {
        "description": "Where Flux finds its files and keeps its data.",
        "options": {
            "include": _option(
                "Folder that holds ``flows``, ``mappings`` and ``connectors``. When empty: ``include`` in the working "
                "directory if it holds ``flows``, else ``include`` in Airflow's home.",
                "",
                "/opt/airflow/include",
            ),
            "store": _option(
                "SQLAlchemy URL of the database in which Flux records runs, outcomes and errors. When empty: a SQLite "
                "file in ``flux`` in Airflow's home, for one machine only.",
                "",
                "postgresql+psycopg://flux:...@db.example.com/flux",
                sensitive=True,  # the URL holds a password
            ),
            "fernet_key": _option(
                "Fernet key, or several with commas, with which tokens are encrypted that Flux fetches for "
                "connections. When empty: ``[core] fernet_key``. For workers that must not know Airflow's own.",
                "",
                "the output of cryptography.fernet.Fernet.generate_key()",
                sensitive=True,
            ),
            "staging": _option(
                "Folder or fsspec URL for the batches between the stages of a run; every worker must reach it. When "
                "empty: ``flux/staging`` in Airflow's home.",
                "",
                "s3://my-bucket/flux",
            ),
            "task_retry_delays": _option(
                "Seconds before each retry of a task that failed for a transient reason, separated by commas; as many "
                "retries as delays.",
                "60,300,1800",
                "60,300,1800",
            ),
            "retention_staging": _option(
                "How long the files of a run are kept after its end; housekeeping then removes them. Hours (h), days "
                "(d) or weeks (w).",
                "7d",
                "48h",
            ),
            "retention_payloads": _option(
                "How long the data of a failed record is kept: its payload, its values and the answers to it. What "
                "failed and why stays; after that time the record can only be retried from its source.",
                "30d",
                "90d",
            ),
            "retention_runs": _option(
                "How long a run is kept after its end, with its stages, outcomes and settled errors.",
                "400d",
                "104w",
            ),
        },
    }
}


def get_provider_info() -> dict[str, Any]:
    """The provider's metadata, in the form of Airflow's `provider_info.schema.json`."""
    return {
        "package-name": "airflow-provider-flux",
        "name": "Flux",
        "description": "One YAML file per flow, one Airflow DAG per flow, and the fate of every record.",
        "integrations": [{"integration-name": _INTEGRATION, "tags": ["service"]}],
        "operators": [{"integration-name": _INTEGRATION, "python-modules": _OPERATORS}],
        "hooks": [{"integration-name": _INTEGRATION, "python-modules": _HOOKS}],
        "connection-types": _connection_types(),
        "config": _CONFIG,
        "cli": ["airflow_provider_flux.cli_airflow.get_flux_cli_commands"],
    }


def _connection_types() -> list[dict[str, Any]]:
    connectors = [registry.get(name) for name in registry.names()]
    return [_connection_type(connector, connector.form) for connector in connectors if connector.form is not None]


def _connection_type(connector: type[Connector], form: Form) -> dict[str, Any]:
    return {
        "connection-type": connector.conn_type,
        "hook-class-name": connector.hook_path(),
        "hook-name": form.title,
        "ui-field-behaviour": {
            "hidden-fields": list(form.hidden),
            "relabeling": dict(form.labels),
            "placeholders": dict(form.placeholders),
        },
        "conn-fields": {
            name: {"label": one.label, "description": one.description, "schema": dict(one.schema)}
            for name, one in form.fields.items()
        },
    }

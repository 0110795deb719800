"""What Airflow learns about this provider. Every start of Airflow reads it: nothing heavy is imported here."""

from __future__ import annotations

from typing import Any

_INTEGRATION = "Flux"
_OPERATORS = [f"airflow_provider_flux.operators.{name}" for name in ("stages", "timer", "housekeeping")]

_REST = {
    "connection-type": "flux_rest",
    "hook-class-name": "airflow_provider_flux.hooks.rest.FluxRestHook",
    "hook-name": "Flux REST",
    "ui-field-behaviour": {
        "hidden-fields": [],
        "relabeling": {
            "host": "Base URL",
            "schema": "Protocol",
            "login": "User (Basic only)",
            "password": "API key, token or password",
        },
        "placeholders": {
            "host": "https://api.example.com/v1",
            "schema": "https",
            "password": "how it is sent is written in the flow: auth",
        },
    },
    "conn-fields": {
        "timeout": {
            "label": "Timeout",
            "description": "Seconds that the API may be silent; 30 unless given.",
            "schema": {"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 3600},
        },
        "verify": {
            "label": "Check TLS certificates",
            "description": "`false`, or the file of a certificate authority. When empty: the system's authorities.",
            "schema": {"type": ["string", "null"]},
        },
        "proxy": {
            "label": "Proxy",
            "description": "URL of an HTTP proxy. When empty: what the worker's environment says.",
            "schema": {"type": ["string", "null"], "format": "password"},
        },
        "test_path": {
            "label": "Path to test",
            "description": "What the Test button asks for, for example /v1/me.",
            "schema": {"type": ["string", "null"]},
        },
    },
}

_SQL = {
    "connection-type": "flux_sql",
    "hook-class-name": "airflow_provider_flux.hooks.sql.FluxSqlHook",
    "hook-name": "Flux SQL",
    "ui-field-behaviour": {
        "hidden-fields": [],
        "relabeling": {"schema": "Database"},
        "placeholders": {"host": "db.example.com, or the path of a SQLite file", "port": "5432", "schema": "warehouse"},
    },
    "conn-fields": {
        "dialect": {
            "label": "Dialect",
            "description": "Kind of database as SQLAlchemy names it: postgresql, mysql, sqlite, ...",
            "schema": {"type": ["string", "null"]},
        },
        "driver": {
            "label": "Driver",
            "description": "Python driver, for example psycopg. When empty: whichever of the usual ones is installed.",
            "schema": {"type": ["string", "null"]},
        },
        "url": {
            "label": "SQLAlchemy URL",
            "description": "Instead of the other fields, for databases that need more. Login and password may stay.",
            "schema": {"type": ["string", "null"], "format": "password"},
        },
    },
}


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
        "hooks": [
            {
                "integration-name": _INTEGRATION,
                "python-modules": ["airflow_provider_flux.hooks.rest", "airflow_provider_flux.hooks.sql"],
            }
        ],
        "connection-types": [_REST, _SQL],
        "config": _CONFIG,
        "cli": ["airflow_provider_flux.cli_airflow.get_flux_cli_commands"],
    }

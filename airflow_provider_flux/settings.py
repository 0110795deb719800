"""The settings of Flux: the `[flux]` section of Airflow's configuration, read without importing Airflow.

Looked up in this order, as Airflow does: `AIRFLOW__FLUX__<NAME>`, `[flux]` in `$AIRFLOW_HOME/airflow.cfg`, the default.
"""

from __future__ import annotations

import configparser
import os
from dataclasses import dataclass
from pathlib import Path

from airflow_provider_flux.errors import FluxError


@dataclass(frozen=True)
class Settings:
    """:param include: folder with `flows/`, `mappings/` and `connectors/`
    :param store: SQLAlchemy URL of the store
    :param staging: folder or fsspec URL (`s3://...`) for batches between stages
    :param task_retry_delays: seconds before each retry of a task that failed for a transient reason
    """

    include: Path
    store: str
    staging: str
    task_retry_delays: tuple[float, ...]


def load() -> Settings:
    """:raises FluxError: CONFIG_INVALID when a setting has a value that cannot be used"""
    home = airflow_home()
    section = _section(home / "airflow.cfg")
    delays = _value(section, "task_retry_delays") or "60,300,1800"
    return Settings(
        include=Path(_value(section, "include") or _default_include(home)).expanduser().absolute(),
        store=_value(section, "store") or f"sqlite:///{home / 'flux' / 'flux.db'}",
        staging=_value(section, "staging") or str(home / "flux" / "staging"),
        task_retry_delays=_delays(delays),
    )


def airflow_home() -> Path:
    """Airflow's home folder, by Airflow's own rule."""
    return Path(os.environ.get("AIRFLOW_HOME") or "~/airflow").expanduser().absolute()


def _default_include(home: Path) -> Path:
    beside = Path("include")
    return beside if (beside / "flows").is_dir() else home / "include"


def _value(section: configparser.SectionProxy | None, name: str) -> str | None:
    from_environment = os.environ.get(f"AIRFLOW__FLUX__{name.upper()}")
    if from_environment:
        return from_environment
    return (section.get(name) or None) if section is not None else None


def _section(path: Path) -> configparser.SectionProxy | None:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        raise FluxError("CONFIG_INVALID", f"{path} cannot be read: {error}") from None
    return parser["flux"] if parser.has_section("flux") else None


def _delays(text: str) -> tuple[float, ...]:
    try:
        delays = tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError:
        delays = ()
    # A week at most; "nan" and "inf" are numbers, too.
    if not delays or not all(0 <= delay <= 604_800 for delay in delays):
        raise FluxError(
            "CONFIG_INVALID",
            f"[flux] task_retry_delays is {text!r}; it must be seconds (at most a week) separated by commas, "
            "for example 60,300,1800",
        )
    return delays

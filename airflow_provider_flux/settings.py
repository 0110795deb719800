"""The settings of Flux: the `[flux]` section of Airflow's configuration, read without importing Airflow.

Looked up in this order: `AIRFLOW__FLUX__<NAME>`; `AIRFLOW__FLUX__<NAME>_CMD`, a command that prints the
value; `[flux]` in `airflow.cfg` (in `$AIRFLOW_HOME`, or where `$AIRFLOW_CONFIG` says); the default.
https://airflow.apache.org/docs/apache-airflow/stable/howto/set-config.html
"""

from __future__ import annotations

import configparser
import os
import re
import shlex
import subprocess
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from airflow_provider_flux.errors import FluxError


@dataclass(frozen=True)
class Retention:
    """How long is kept what housekeeping removes.

    :param staging: the files of a run, from its end on
    :param payloads: customer data of failed records, from the failure on
    :param runs: runs with all their rows, from their end on
    """

    staging: timedelta
    payloads: timedelta
    runs: timedelta


@dataclass(frozen=True)
class Settings:
    """:param include: folder with `flows/`, `mappings/` and `connectors/`
    :param store: SQLAlchemy URL of the store
    :param staging: folder or fsspec URL (`s3://...`) for batches between stages
    :param task_retry_delays: seconds before each retry of a task that failed for a transient reason
    :param retention_staging: see `Retention`
    :param retention_payloads: likewise
    :param retention_runs: likewise
    """

    include: Path
    store: str
    staging: str
    task_retry_delays: tuple[float, ...]
    retention_staging: timedelta
    retention_payloads: timedelta
    retention_runs: timedelta

    @property
    def retention(self) -> Retention:
        """How long is kept what housekeeping removes."""
        return Retention(self.retention_staging, self.retention_payloads, self.retention_runs)


def load() -> Settings:
    """:raises FluxError: CONFIG_INVALID when a setting has a value that cannot be used"""
    home = airflow_home()
    section = _section("flux")
    delays = _value(section, "task_retry_delays") or "60,300,1800"
    return Settings(
        include=Path(_value(section, "include") or _default_include(home)).expanduser().absolute(),
        store=_value(section, "store") or f"sqlite:///{home / 'flux' / 'flux.db'}",
        staging=_value(section, "staging") or str(home / "flux" / "staging"),
        task_retry_delays=_delays(delays),
        retention_staging=_span("retention_staging", _value(section, "retention_staging") or "7d"),
        retention_payloads=_span("retention_payloads", _value(section, "retention_payloads") or "30d"),
        retention_runs=_span("retention_runs", _value(section, "retention_runs") or "400d"),
    )


def fernet_keys() -> tuple[str, ...]:
    """The keys with which Flux encrypts what it keeps of tokens: the first one encrypts, each of them decrypts.

    `[flux] fernet_key`, else Airflow's own `[core] fernet_key`. Read apart from the others: most of Flux needs none.
    https://airflow.apache.org/docs/apache-airflow/stable/security/secrets/fernet.html

    :raises FluxError: CONFIG_INVALID when there is none
    """
    text = _value(_section("flux"), "fernet_key") or _value(_section("core"), "fernet_key", "core") or ""
    keys = tuple(key.strip() for key in text.split(",") if key.strip())
    if not keys:
        raise FluxError(
            "CONFIG_INVALID",
            "there is no Fernet key, and without one Flux keeps no token: it would lie in the store for all to read",
            next_step="Set AIRFLOW__CORE__FERNET_KEY (or AIRFLOW__FLUX__FERNET_KEY) to the same key for every process, "
            "made by: python -c \"from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())\"",
        )
    return keys


def airflow_home() -> Path:
    """Airflow's home folder, by Airflow's own rule."""
    return Path(os.environ.get("AIRFLOW_HOME") or "~/airflow").expanduser().absolute()


def _default_include(home: Path) -> Path:
    beside = Path("include")
    return beside if (beside / "flows").is_dir() else home / "include"


def _value(section: configparser.SectionProxy | None, name: str, of: str = "flux") -> str | None:
    variable = f"AIRFLOW__{of.upper()}__{name.upper()}"
    if os.environ.get(variable):
        return os.environ[variable]
    if os.environ.get(f"{variable}_CMD"):
        return _printed(f"{variable}_CMD", os.environ[f"{variable}_CMD"])
    if os.environ.get(f"{variable}_SECRET"):
        raise FluxError(
            "CONFIG_INVALID",
            f"{variable}_SECRET cannot be used: Flux reads its settings also where no secrets backend is",
            next_step=f"Set {variable}, or {variable}_CMD to a command that prints the value.",
        )
    if section is None:
        return None
    if section.get(f"{name}_cmd") and not section.get(name):
        return _printed(f"[{of}] {name}_cmd", section[f"{name}_cmd"])
    return section.get(name) or None


def _printed(variable: str, command: str) -> str:
    """What the command prints, without the line end. The value may be a secret: no error shows it."""
    try:
        done = subprocess.run(shlex.split(command), capture_output=True, text=True, timeout=60, check=True)  # noqa: S603
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise FluxError(
            "CONFIG_INVALID",
            f"the command in {variable} failed ({type(error).__name__})",
            next_step=f"Run the command of {variable} by hand; it must print the value and exit with 0.",
        ) from None
    return done.stdout.strip()


def _section(name: str) -> configparser.SectionProxy | None:
    """A section of `airflow.cfg`, None where there is none."""
    path = Path(os.environ.get("AIRFLOW_CONFIG") or airflow_home() / "airflow.cfg").expanduser()
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        raise FluxError("CONFIG_INVALID", f"{path} cannot be read: {error}") from None
    return parser[name] if parser.has_section(name) else None


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


_SPAN = re.compile(r"(\d{1,6})\s*([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 168}
_LONGEST = timedelta(days=36_500)


def _span(name: str, text: str) -> timedelta:
    match = _SPAN.fullmatch(text.strip())
    span = timedelta(hours=int(match[1]) * _HOURS[match[2]]) if match else timedelta(0)
    # Nothing is kept for no time at all: a run needs its files while it works.
    if not timedelta(hours=1) <= span <= _LONGEST:
        raise FluxError(
            "CONFIG_INVALID",
            f"[flux] {name} is {text!r}; it must be a whole number of hours, days or weeks up to 100 years, "
            "for example 12h, 7d or 52w",
        )
    return span

"""Settings come from where Airflow's come from."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest

from airflow_provider_flux import settings
from airflow_provider_flux.errors import FluxError


def test_the_defaults_are_local(airflow_home: Path) -> None:
    loaded = settings.load()
    assert loaded.store == f"sqlite:///{airflow_home}/flux/flux.db"
    assert loaded.staging == f"{airflow_home}/flux/staging"
    assert loaded.task_retry_delays == (60, 300, 1800)


def test_airflow_cfg_is_read_and_a_variable_wins(airflow_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (airflow_home / "airflow.cfg").write_text("[flux]\nstore = sqlite:////cfg.db\nstaging = /cfg\n")
    monkeypatch.setenv("AIRFLOW__FLUX__STAGING", "/variable")
    loaded = settings.load()
    assert (loaded.store, loaded.staging) == ("sqlite:////cfg.db", "/variable")


def test_airflow_config_says_where_the_file_is(airflow_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = airflow_home / "elsewhere.cfg"
    elsewhere.write_text("[flux]\ninclude = /elsewhere\n")
    monkeypatch.setenv("AIRFLOW_CONFIG", str(elsewhere))
    assert settings.load().include == Path("/elsewhere")


def test_a_command_may_print_the_value(airflow_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__FLUX__STORE_CMD", f"{sys.executable} -c \"print('postgresql://u:p@h/flux')\"")
    assert settings.load().store == "postgresql://u:p@h/flux"


@pytest.mark.parametrize(
    "command", ["no-such-program", f"{sys.executable} -c 'raise SystemExit(3)'", "unclosed 'quote"]
)
def test_a_command_that_fails_is_named(airflow_home: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("AIRFLOW__FLUX__STORE_CMD", command)
    with pytest.raises(FluxError, match="AIRFLOW__FLUX__STORE_CMD") as caught:
        settings.load()
    assert caught.value.code == "CONFIG_INVALID"


def test_a_secret_reference_is_refused_not_ignored(airflow_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__FLUX__STORE_SECRET", "flux/store")
    with pytest.raises(FluxError, match="STORE_SECRET cannot be used"):
        settings.load()


@pytest.mark.parametrize("delays", ["", "soon", "60,-1", "nan", "1,inf", "9999999"])
def test_retry_delays_are_seconds(airflow_home: Path, monkeypatch: pytest.MonkeyPatch, delays: str) -> None:
    monkeypatch.setenv("AIRFLOW__FLUX__TASK_RETRY_DELAYS", delays or ",")
    with pytest.raises(FluxError, match="task_retry_delays"):
        settings.load()


def test_a_broken_airflow_cfg_is_named(airflow_home: Path) -> None:
    (airflow_home / "airflow.cfg").write_text("no section\n")
    with pytest.raises(FluxError, match=r"airflow\.cfg cannot be read"):
        settings.load()


def test_retention_has_defaults_and_can_be_said_in_hours_days_and_weeks(
    airflow_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings.load().retention == settings.Retention(timedelta(days=7), timedelta(days=30), timedelta(days=400))
    monkeypatch.setenv("AIRFLOW__FLUX__RETENTION_STAGING", "12h")
    monkeypatch.setenv("AIRFLOW__FLUX__RETENTION_PAYLOADS", " 90d ")
    (airflow_home / "airflow.cfg").write_text("[flux]\nretention_runs = 104w\n")
    found = settings.load().retention
    assert found == settings.Retention(timedelta(hours=12), timedelta(days=90), timedelta(weeks=104))


@pytest.mark.parametrize("text", ["0d", "7", "a week", "-3d", "1.5d", "9999999d", "36501d", "7 d ays"])
def test_a_retention_that_is_none_is_refused_by_name(
    airflow_home: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("AIRFLOW__FLUX__RETENTION_PAYLOADS", text)
    with pytest.raises(FluxError, match=r"\[flux\] retention_payloads is .* 12h, 7d or 52w") as caught:
        settings.load()
    assert caught.value.code == "CONFIG_INVALID"


def test_the_fernet_key_is_airflows_unless_flux_has_its_own(
    airflow_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FluxError, match="there is no Fernet key") as caught:
        settings.fernet_keys()
    assert caught.value.code == "CONFIG_INVALID"
    command = f"{sys.executable} -c \"print('printed')\""
    (airflow_home / "airflow.cfg").write_text(f"[core]\nfernet_key =\nfernet_key_cmd = {command}\n")
    assert settings.fernet_keys() == ("printed",)
    (airflow_home / "airflow.cfg").write_text("[core]\nfernet_key = one , two\n")
    assert settings.fernet_keys() == ("one", "two")
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "three")
    assert settings.fernet_keys() == ("three",)
    monkeypatch.setenv("AIRFLOW__FLUX__FERNET_KEY", "four")
    assert settings.fernet_keys() == ("four",)

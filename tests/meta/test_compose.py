"""docker-compose.yaml: a parser of the compose specification accepts it, and its parts fit each other and Airflow."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import yaml
from sqlalchemy.engine import make_url

from airflow_provider_flux import settings
from airflow_provider_flux.provider_info import get_provider_info
from tests.meta.imports import ROOT

COMPOSE = ROOT / "docker-compose.yaml"
AIRFLOW_SERVICES = {"api-server", "scheduler", "dag-processor", "triggerer", "worker", "setup"}
_VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file as compose reads it, with the defaults of its variables."""
    return yaml.safe_load(_VARIABLE.sub(r"\2", COMPOSE.read_text(encoding="utf-8")))


def parse(compose: dict[str, Any]) -> list[str]:
    """The names of the services, from a parser of the compose specification that others wrote.

    :raises ValueError: for what the specification does not know, and for names that are nowhere defined
    """
    parsed = compose_spec.PyCompose.from_json(json.dumps(compose))
    parsed.validate()
    return list(parsed.service_names())


def test_a_compose_parser_accepts_it(compose: dict[str, Any]) -> None:
    assert set(parse(compose)) == {"postgres", "redis", *AIRFLOW_SERVICES}


def test_the_parser_would_refuse_a_misspelt_key_and_an_unknown_volume(compose: dict[str, Any]) -> None:
    misspelt = {**compose, "services": {"redis": {**compose["services"]["redis"], "imagee": "redis"}}}
    with pytest.raises(ValueError, match="imagee"):
        parse(misspelt)
    with pytest.raises(ValueError, match="staging"):
        parse({**compose, "volumes": {"logs": None, "databases": None}})


def test_every_service_waits_for_what_it_needs_and_says_whether_it_is_well(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, service in services.items():
        assert set(service.get("depends_on", {})) <= set(services)
        assert ("healthcheck" in service) == (name != "setup")
    for name in AIRFLOW_SERVICES - {"setup"}:
        assert services[name]["depends_on"]["setup"] == {"condition": "service_completed_successfully"}
    for service in services.values():
        for needed, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[needed]


def test_every_part_of_airflow_runs_the_same_image_with_the_same_settings(compose: dict[str, Any]) -> None:
    api_server = compose["services"]["api-server"]
    for name in AIRFLOW_SERVICES:
        service = compose["services"][name]
        assert service["image"] == api_server["image"]
        assert (ROOT / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
        assert service["environment"].items() >= api_server["environment"].items()
        assert service["volumes"] == api_server["volumes"]


def test_it_runs_the_airflow_that_the_tests_run() -> None:
    image = re.search(r"^ARG AIRFLOW_VERSION=(\S+)$", (ROOT / "docker/Dockerfile").read_text(encoding="utf-8"), re.M)
    pinned = re.search(
        r"^apache-airflow==(\S+)", (ROOT / "constraints/airflow-3.3.txt").read_text(encoding="utf-8"), re.M
    )
    assert image is not None and pinned is not None
    assert image[1] == pinned[1]


def test_every_setting_exists_in_airflow_or_in_this_provider(compose: dict[str, Any]) -> None:
    origin = importlib.util.find_spec("airflow")
    assert origin is not None and origin.origin is not None
    template = Path(origin.origin).parent / "config_templates" / "config.yml"
    known = {**yaml.safe_load(template.read_text(encoding="utf-8")), **get_provider_info()["config"]}
    names = [name for name in compose["services"]["worker"]["environment"] if name.startswith("AIRFLOW__")]
    assert len(names) > 10
    for name in names:
        _, section, option = name.split("__")
        if section != "CELERY":  # the celery provider comes with the image, and is not installed here
            assert option.lower() in known[section.lower()]["options"], name


def test_flux_finds_its_files_its_store_and_a_staging_that_every_worker_shares(
    compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = compose["services"]["worker"]
    for name, value in worker["environment"].items():
        if name.startswith("AIRFLOW__FLUX__"):
            monkeypatch.setenv(name, value)
    found = settings.load()
    mounts = dict(reversed(volume.split(":")[:2]) for volume in worker["volumes"])
    assert mounts[str(found.include)] == "./include"
    assert mounts[found.staging] in compose["volumes"]
    store, metadata = make_url(found.store), make_url(worker["environment"]["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"])
    assert store.host == metadata.host == "postgres"
    assert store.database != metadata.database


def test_postgres_makes_the_user_and_the_database_of_the_store(compose: dict[str, Any]) -> None:
    postgres = compose["services"]["postgres"]
    store = make_url(compose["services"]["worker"]["environment"]["AIRFLOW__FLUX__STORE"])
    (script,) = [volume.split(":")[0] for volume in postgres["volumes"] if "docker-entrypoint-initdb.d" in volume]
    statements = (ROOT / script).read_text(encoding="utf-8")
    assert f"CREATE USER {store.username} " in statements
    assert f"CREATE DATABASE {store.database} OWNER {store.username};" in statements
    assert postgres["environment"]["FLUX_STORE_PASSWORD"] == store.password
    assert "airflow-flux db upgrade" in compose["services"]["setup"]["command"][0]


def test_every_secret_comes_from_the_environment_and_its_default_is_documented() -> None:
    text = COMPOSE.read_text(encoding="utf-8")
    raw = yaml.safe_load(text)
    secret = re.compile(r"PASSWORD|SECRET|FERNET|SQL_ALCHEMY_CONN|RESULT_BACKEND|STORE$")
    values = [
        value
        for service in raw["services"].values()
        for name, value in service.get("environment", {}).items()
        if secret.search(name)
    ]
    assert values
    assert [value for value in values if not _VARIABLE.search(value)] == []
    used = {name for name, _ in _VARIABLE.findall(text)}
    documented = set(re.findall(r"^#   ([A-Z_]+) ", text, re.M))
    assert used == documented


def test_what_it_publishes_listens_on_this_machine_only(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports == ["127.0.0.1:8080:8080"]

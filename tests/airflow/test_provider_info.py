"""What Airflow makes of our provider info, and that it says what the code does."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import airflow
import jsonschema
import pytest
from airflow.configuration import conf
from airflow.providers_manager import ProvidersManager

from airflow_provider_flux import settings
from airflow_provider_flux.connectors import registry
from airflow_provider_flux.provider_info import get_provider_info

SCHEMA = Path(airflow.__file__).with_name("provider_info.schema.json")
AIRFLOW_3 = not version("apache-airflow").startswith("2.")
FORMS = {form["connection-type"]: form for form in get_provider_info()["connection-types"]}


def _attribute(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def test_it_fits_airflows_schema() -> None:
    jsonschema.validate(get_provider_info(), json.loads(SCHEMA.read_text()))


def test_airflow_finds_the_provider() -> None:
    assert "airflow-provider-flux" in ProvidersManager().providers


def test_every_connector_has_a_connection_type_with_a_hook_of_the_same_name() -> None:
    ours = {registry.get(name).conn_type for name in registry.names()}
    assert set(FORMS) == ours - {"salesforce"}  # the official provider's
    for conn_type, form in FORMS.items():
        hook = _attribute(form["hook-class-name"])
        assert (hook.conn_type, hook.hook_name) == (conn_type, form["hook-name"])
        assert hook.default_conn_name == f"{conn_type}_default"
        assert hook.conn_name_attr == f"{conn_type}_conn_id"


@pytest.mark.filterwarnings("default::DeprecationWarning")  # Flask of Airflow 2.11 warns while it makes form fields
def test_airflow_shows_our_labels_and_fields_in_the_connection_form() -> None:
    manager = ProvidersManager()
    manager.initialize_providers_hooks()
    for conn_type, form in FORMS.items():
        shown, declared = manager.field_behaviours[conn_type], form["ui-field-behaviour"]
        assert shown["hidden_fields"] == declared["hidden-fields"]
        assert shown["relabeling"] == declared["relabeling"]
        assert shown["placeholders"].items() >= declared["placeholders"].items()
        prefix = f"extra__{conn_type}__"
        fields = {name.removeprefix(prefix) for name in manager.connection_form_widgets if name.startswith(prefix)}
        assert fields == set(form.get("conn-fields", {}))


def test_every_setting_is_declared_with_the_default_that_it_has(airflow_home: Path) -> None:
    options = get_provider_info()["config"]["flux"]["options"]
    assert set(options) == {*settings.Settings.__dataclass_fields__, "fernet_key"}  # that one is read when it is needed
    delays = tuple(float(part) for part in options["task_retry_delays"]["default"].split(","))
    assert settings.load().task_retry_delays == delays
    ProvidersManager().initialize_providers_configuration()
    for name, option in options.items():
        assert conf.get("flux", name) == option["default"]


@pytest.mark.skipif(not AIRFLOW_3, reason="Airflow 2.11 has no commands of providers")
def test_airflow_has_our_commands() -> None:
    from airflow.cli.cli_parser import airflow_commands

    assert "flux" in {command.name for command in airflow_commands}


def test_listed_modules_exist() -> None:
    info = get_provider_info()
    for entry in (*info["operators"], *info["hooks"]):
        for module in entry["python-modules"]:
            assert import_module(module)
    for function in info["cli"]:
        assert callable(_attribute(function))


def test_reading_it_imports_no_airflow_and_nothing_that_talks_to_a_system() -> None:
    script = (
        "import sys; from airflow_provider_flux.provider_info import get_provider_info; get_provider_info();"
        "print(sorted({m.partition('.')[0] for m in sys.modules} & {'airflow', 'httpx', 'sqlalchemy', 'tenacity',"
        " 'authlib', 'cryptography', 'graphql', 'yaml'}))"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"


def test_the_page_on_airflow_names_every_setting_and_every_field_of_our_connections() -> None:
    page = (Path(__file__).parents[2] / "docs" / "airflow.md").read_text(encoding="utf-8")
    names = [*get_provider_info()["config"]["flux"]["options"], *FORMS]
    names += [field for form in FORMS.values() for field in form["conn-fields"]]
    assert [name for name in names if f"`{name}`" not in page] == []

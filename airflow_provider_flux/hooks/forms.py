"""Connection forms and the Test button, shared by our hooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.provider_info import get_provider_info


def test_result(test: Callable[[], str]) -> tuple[bool, str]:
    """What the Test button shows: whether the call succeeded, and what answered or what to do next."""
    try:
        return True, test()
    except FluxError as error:
        return False, f"{error.message}. {error.next_step}"


def field_behaviour(conn_type: str) -> dict[str, Any]:
    """The labels of a form in the spelling of Airflow 2.11, taken from `provider_info`."""
    behaviour = _form(conn_type)["ui-field-behaviour"]
    return {name.replace("-", "_"): value for name, value in behaviour.items()}


def form_widgets(conn_type: str) -> dict[str, Any]:
    """The fields of our own in a form, for Airflow 2.11, taken from `provider_info`."""
    from flask_appbuilder.fieldwidgets import BS3PasswordFieldWidget, BS3TextFieldWidget
    from wtforms import BooleanField, IntegerField, PasswordField, StringField

    widgets: dict[str, Any] = {}
    for name, form_field in _form(conn_type).get("conn-fields", {}).items():
        schema = form_field["schema"]
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        text = {"label": form_field["label"], "description": form_field.get("description", "")}
        if "boolean" in kinds:
            widgets[name] = BooleanField(**text)
        elif "integer" in kinds:
            widgets[name] = IntegerField(**text, widget=BS3TextFieldWidget())
        elif schema.get("format") == "password":
            widgets[name] = PasswordField(**text, widget=BS3PasswordFieldWidget())
        else:
            widgets[name] = StringField(**text, widget=BS3TextFieldWidget())
    return widgets


def _form(conn_type: str) -> dict[str, Any]:
    forms = {form["connection-type"]: form for form in get_provider_info()["connection-types"]}
    form: dict[str, Any] = forms[conn_type]
    return form

"""Connectors that are declared: what their option models make of a flow, and that every declaration can be used."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.declare import FieldInfo, ObjectType
from airflow_provider_flux.connectors.declared import (
    DeclaredConnector,
    DeclaredDestinationOptions,
    DeclaredSourceOptions,
    Resource,
)
from airflow_provider_flux.connectors.options import Cursor, Deleted
from airflow_provider_flux.errors import FluxError


class Shop(DeclaredConnector):
    """Orders that can be read and made, and stock that can only be read."""

    name = "shop"
    conn_type = "flux_shop"
    resources = (
        Resource(
            ObjectType(
                "orders",
                key=("number",),
                cursor=Cursor(field="changed"),
                match=("number",),
                deletes=("ignore", "delete"),
                batch_size=30,
                fields=(FieldInfo("number", "string", required=True),),
            ),
            read={
                "path": "/orders",
                "params": {"sort": "changed"},
                "incremental": {"param": "since"},
                "item": {"path": "/orders/{key}"},
            },
            write={
                "upsert": {"path": "/orders/{key}", "delete": {"path": "/orders/{key}"}},
                "create": {"path": "/orders", "batch_size": 1, "delete": {"path": "/orders/{key}"}},
            },
            deleted=Deleted(field="gone"),
            fields_param="only",
        ),
        Resource(ObjectType("stock"), read={"path": "/stock", "page": {"kind": "page"}}),
    )


CREDENTIALS = Credentials("crm", "flux_shop")


def source(**more: Any) -> DeclaredSourceOptions:
    assert Shop.source_options is not None
    options = Shop.source_options.model_validate({"connector": "shop", "connection": "crm", **more})
    assert isinstance(options, DeclaredSourceOptions)
    return options


def destination(**more: Any) -> DeclaredDestinationOptions:
    assert Shop.destination_options is not None
    options = Shop.destination_options.model_validate({"connector": "shop", "connection": "crm", **more})
    assert isinstance(options, DeclaredDestinationOptions)
    return options


def test_the_object_brings_its_key_its_cursor_and_its_tombstones() -> None:
    engine = source(object="orders").rest()
    assert (engine.path, engine.key, engine.one_key) == ("/orders", ("number",), "number")
    assert engine.cursor is not None
    assert engine.incremental is not None
    assert (engine.cursor.field, engine.incremental.param) == ("changed", "since")
    assert engine.deleted is not None
    assert engine.deleted.field == "gone"
    assert source(object="orders").can_fetch()


def test_the_flow_goes_before_the_object() -> None:
    options = source(object="orders", cursor={"field": "made"}, deleted={"field": "state", "equals": "x"}, timeout="5s")
    engine = options.rest()
    assert engine.cursor is not None
    assert engine.cursor.field == "made"
    assert engine.incremental is None  # the system's filter is about another field
    assert engine.deleted == Deleted(field="state", equals="x")
    assert engine.timeout == options.timeout
    assert source(object="orders", cursor=None).rest().incremental is None


def test_records_that_are_known_by_another_key_cannot_be_asked_for() -> None:
    options = source(object="orders", key=["number", "site"])
    assert (options.can_fetch(), options.rest().item) == (False, None)
    assert not source(object="stock").can_fetch()


def test_single_fields_are_asked_for_with_those_that_the_run_needs() -> None:
    options = source(object="orders", fields=["total", "number"])
    assert options.rest().params == {"sort": "changed", "only": "total,number,changed,gone"}
    assert options.selected_fields() == {"total", "number", "changed", "gone"}
    assert source(object="orders").selected_fields() is None
    with pytest.raises(ValidationError, match="`fields`: stock always come whole"):
        source(object="stock", fields=["a"])


def test_what_the_engine_advises_is_advised() -> None:
    assert "can miss rows" in source(object="stock").advice()[0]
    assert "held for a person" in destination(object="orders", mode="create").advice()[0]


def test_a_mode_has_its_own_way_and_may_have_its_own_batch() -> None:
    upsert, create = destination(object="orders").rest(), destination(object="orders", mode="create").rest()
    assert (upsert.path, upsert.effective_method, upsert.batch_size, upsert.key) == (
        "/orders/{key}",
        "PUT",
        30,
        ("number",),
    )
    assert (create.path, create.effective_method, create.batch_size) == ("/orders", "POST", 1)
    assert destination(object="orders", batch_size=10, in_flight=4, deletes="delete").rest().in_flight == 4


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"object": "stock"}, "there is no object `stock` here; there are orders"),
        ({"object": "orders", "mode": "update"}, "`mode: update` is not possible here; possible are upsert, create"),
        ({"object": "orders", "deletes": "archive"}, "possible are ignore, delete"),
        ({"object": "orders", "key": ["a", "b"]}, "{key} needs `key` with exactly one field"),
        ({"object": "orders", "fallback_keys": [["email"]]}, "it has no `fallback_keys`"),
        ({"object": "orders", "batch_size": 31}, "at most 30 records in one call"),
        ({"object": "orders", "colour": "red"}, "Extra inputs are not permitted"),
    ],
)
def test_what_a_flow_must_not_say_is_refused(declared: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        destination(**declared)
    assert message in str(caught.value)


def test_declared_fields_are_described_without_a_call() -> None:
    told = Shop.describe(CREDENTIALS, None, "orders")
    assert told is not None
    assert ([field.name for field in told.fields], told.complete) == (["number"], False)
    assert Shop.describe(CREDENTIALS, source(object="stock")) is None
    with pytest.raises(FluxError) as caught:
        Shop.describe(CREDENTIALS, None, "order")
    assert (caught.value.code, "orders, stock" in caught.value.next_step) == ("NOT_FOUND", True)


DECLARED = [
    connector
    for name in registry.names()
    if issubclass(connector := registry.get(name), DeclaredConnector) and connector.resources
]


@pytest.mark.parametrize("connector", DECLARED, ids=[connector.name for connector in DECLARED])
def test_every_declaration_of_our_connectors_can_be_used(connector: type[DeclaredConnector]) -> None:
    """A mistake in a declaration would be told to whoever writes the first flow over it."""
    common = {"connector": connector.name, "connection": "crm"}
    for declared in connector.objects:
        if connector.source_options is not None:
            options = connector.source_options.model_validate({**common, "object": declared.name})
            assert isinstance(options, DeclaredSourceOptions)
            assert options.rest().path.startswith("/")
        for mode in declared.modes:
            for deletes in declared.deletes:
                assert connector.destination_options is not None
                flow = {**common, "object": declared.name, "mode": mode, "deletes": deletes, "key": declared.match[0]}
                assert connector.destination_options.model_validate(flow).deletes == deletes

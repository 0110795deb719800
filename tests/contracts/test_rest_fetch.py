"""Reading single records of a REST API by their key."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from airflow_provider_flux.connectors.contract import Source
from airflow_provider_flux.errors import FluxError
from tests.contracts.conftest import Bench
from tests.contracts.servers.wire import Call, Reply

ITEM = "{path: /contacts, records: data, item: {path: '/contacts/{key}', record: data}}"


def shop(call: Call) -> Reply:
    """Contacts 1 and `a b/c`; 2 was deleted, and whoever asks for 3 is not let in."""
    name = call.path.removeprefix("/contacts/")
    there = {"1": {"id": 1, "name": "Ann"}, "a%20b%2Fc": {"id": "a b/c", "name": "Bob"}}
    if name == "3":
        return Reply(401, {"message": "no"})
    return Reply(200, {"data": there[name]}) if name in there else Reply(410 if name == "2" else 404, {"message": "no"})


def fetched(source: Source, *keys: Any) -> list[dict[str, Any]]:
    return [record for page in source.fetch([{"id": key} for key in keys]) for record in page.records]


def test_the_records_that_are_there_are_read_and_the_others_left_out(bench: Bench) -> None:
    wire = bench.server(shop)
    source = bench.source(wire, ITEM)
    assert fetched(source, 1, 2, "nobody", "a b/c") == [{"id": 1, "name": "Ann"}, {"id": "a b/c", "name": "Bob"}]
    assert [call.method for call in wire.calls] == ["GET"] * 4


def test_a_refusal_is_no_record_that_is_gone(bench: Bench) -> None:
    source = bench.source(bench.server(shop), ITEM)
    with pytest.raises(FluxError) as caught:
        fetched(source, 3)
    assert caught.value.code == "AUTHENTICATION_FAILED"


def test_an_answer_of_another_shape_is_no_record_that_is_gone(bench: Bench) -> None:
    source = bench.source(bench.server(lambda call: Reply(200, {"contact": {}})), ITEM)
    with pytest.raises(FluxError, match=r"`item\.record: data` is not in the answer"):
        fetched(source, 1)


def test_keys_of_several_fields_and_parameters(bench: Bench) -> None:
    wire = bench.server(lambda call: Reply(200, {"id": "7", "site": {"code": "de"}}))
    source = bench.source(
        wire,
        """{path: /contacts, key: [id, site.code],
        item: {path: '/sites/{record.site.code}/contacts/{record.id}', params: {fields: all, of: '{record.id}'}}}""",
    )
    [page] = source.fetch([{"id": "7", "site.code": "de"}])
    assert page.records == [{"id": "7", "site": {"code": "de"}}]
    [call] = wire.calls
    assert (call.path, call.param("fields"), call.param("of")) == ("/sites/de/contacts/7", "all", "7")


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        ("{path: /contacts}", "`item` names no record; write its path with {key}"),
        ("{path: '/contacts/{record.email}'}", "`item` may name only the key: {record.email}"),
        ("{path: '/contacts/{destination_key}'}", "`item` may name only the key: {destination_key}"),
        ("{path: '/contacts/{id}'}", "{id} is not a placeholder"),
    ],
)
def test_an_item_that_cannot_be_asked_for_is_refused_with_the_file(bench: Bench, item: str, problem: str) -> None:
    with pytest.raises(ValidationError) as caught:
        bench.source("http://127.0.0.1:1", f"{{path: /contacts, item: {item}}}")
    assert problem in str(caught.value)

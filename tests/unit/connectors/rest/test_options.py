"""What a flow file may say to the REST connector, and what is refused with a reason."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.rest.destination_options import RestDestinationOptions
from airflow_provider_flux.connectors.rest.source_options import RestSourceOptions

SOURCE = {"connector": "rest", "connection": "crm", "path": "/v1/contacts", "key": "id"}
DESTINATION = {"connector": "rest", "connection": "crm", "path": "/v1/contacts/{key}", "key": "id"}


def source(declared: str) -> RestSourceOptions:
    return RestSourceOptions.model_validate({**SOURCE, **yaml.safe_load(declared)})


def destination(declared: str) -> RestDestinationOptions:
    return RestDestinationOptions.model_validate({**DESTINATION, **yaml.safe_load(declared)})


def problem(build: Any, declared: str) -> str:
    with pytest.raises(ValidationError) as caught:
        build(declared)
    return "; ".join(f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in caught.value.errors())


def test_the_least_that_a_source_needs() -> None:
    options = source("{}")
    assert (options.method, options.page.kind, options.records, options.auth) == ("GET", "none", None, None)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ("{pth: /x}", "pth: Extra inputs"),
        ("{path: 'https://api.example.com/v1'}", "write only the path"),
        ("{path: '/v 1'}", "a path holds no blanks"),
        ("{method: DELETE}", "Input should be 'GET' or 'POST'"),
        ("{body: {a: 1}}", "a body needs `method: POST`"),
        ("{parameters_in: body}", "a body needs `method: POST`"),
        ("{records: 'data..x'}", "'data..x' is not a path"),
        ("{headers: {Authorization: Bearer x}}", "belongs into the Airflow connection"),
        ("{headers: {X-Api-Key: x}}", "belongs into the Airflow connection"),
        ("{headers: {'X Team': x}}", "is not the name of a header"),
        ('{headers: {X-Team: "a\\nb"}}', "cannot be sent"),
        ("{page: {kind: pages}}", "page.kind"),
        ("{page: {kind: cursor}}", "kind cursor needs `next` and `param`"),
        ("{page: {kind: next_url}}", "kind next_url needs `next`"),
        ("{page: {kind: next_url_header}}", "kind next_url_header needs `header`"),
        ("{page: {kind: offset, next: a}}", "`next` does not belong to kind offset"),
        ("{page: {kind: none, size: 5, size_param: n}}", "`size` and `size_param` does not belong to kind none"),
        ("{page: {kind: page, size: 5}}", "write `size` and `size_param` together"),
        ("{page: {kind: page, size: 0, size_param: n}}", "page.size: Input should be greater than or equal to 1"),
        ("{incremental: {param: since}}", "`incremental` needs `cursor`"),
        ("{cursor: {field: u}, incremental: {param: s, format: raw}}", "format raw is for integer and text cursors"),
        (
            "{cursor: {field: u, type: integer}, incremental: {param: s, format: epoch}}",
            "needs a cursor of type timestamp",
        ),
        ("{cursor: {field: u, type: text}, incremental: {param: s, exclusive: true}}", "no value just before it"),
        ("{auth: {kind: oauth}}", "auth.kind"),
        ("{auth: {kind: bearer, header: X}}", "belong to kind api_key"),
        ("{auth: {kind: api_key, header: X, query: y}}", "write either `header` or `query`"),
        ("{auth: {kind: api_key, query: y, prefix: 'T '}}", "`prefix` belongs to a header"),
        ("{errors: [{code: NO_SUCH, status: 400}]}", "'NO_SUCH' is no error code"),
        ("{errors: [{code: UNKNOWN}]}", "or the row fits every error"),
        ("{errors: [{code: UNKNOWN, status: 200}]}", "a row for a successful status needs `path` or `match`"),
        ("{errors: [{code: UNKNOWN, match: '('}]}", "not a regular expression"),
        ("{errors: [{code: UNKNOWN, status: 42}]}", "greater than or equal to 100"),
        ("{timeout: soon}", "is not a duration"),
        (
            "{method: POST, parameters_in: body, body: {f: 5}, cursor: {field: u}, incremental: {param: f.since}}",
            "'f.since' does not fit into the body",
        ),
        ("{method: POST, parameters_in: body, page: {kind: offset, param: 'a..b'}}", "is not a path"),
    ],
)
def test_a_source_that_cannot_work_is_refused(declared: str, message: str) -> None:
    assert message in problem(source, declared)


def test_checking_a_body_does_not_change_it() -> None:
    options = source("{method: POST, parameters_in: body, body: {f: {}}, page: {kind: offset, param: f.offset}}")
    assert options.body == {"f": {}}


@pytest.mark.parametrize(
    ("declared", "method", "idempotent", "batch_size"),
    [
        ("{}", "PUT", True, 50),
        ("{mode: update}", "PATCH", True, 50),
        ("{mode: create, path: /x}", "POST", False, 1),
        ("{mode: create, path: /x, idempotent: true}", "POST", True, 50),
        ("{mode: create, path: /x, batch_size: 7}", "POST", False, 7),
        ("{path: /x, idempotent: true, method: POST}", "POST", True, 50),
        ("{path: /x, mode: create_if_missing, idempotent: true}", "POST", True, 50),
        ("{path: /x, find: {path: '/x/{key}', id: id}, change: {path: '/x/{destination_key}'}}", "POST", True, 50),
        ("{path: /x, batch: {}, results: all_or_nothing}", "POST", True, 500),
        ("{path: /x, batch: {}, results: all_or_nothing, mode: create}", "POST", False, 500),
    ],
)
def test_the_defaults_of_a_destination(declared: str, method: str, idempotent: bool, batch_size: int) -> None:
    options = destination(declared)
    assert (options.effective_method, options.effective_idempotent, options.batch_size) == (
        method,
        idempotent,
        batch_size,
    )


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ("{path: /x}", "each write would make a new one"),
        ("{path: '/x/{name}'}", "{name} is not a placeholder"),
        ("{path: '/x/{key'}", "single brace"),
        ("{path: '/x/{key|upper}'}", "the only filter is `url`"),
        ("{key: [a, b]}", "{key} needs `key` with exactly one field"),
        ("{body: {a: '{nope}'}}", "{nope} is not a placeholder"),
        ("{batch: {}, results: all_or_nothing}", "holds no placeholders"),
        ("{path: /x, batch: {}}", "`batch` needs `results`"),
        ("{path: /x, batch: {}, results: {}}", "`results` needs `ok`"),
        ("{path: /x, batch: {}, results: {ok: {}}}", "write `status`, or `path` with `equals`"),
        ("{path: /x, batch: {}, results: {ok: {path: a}}}", "write `status`, or `path` with `equals`"),
        ("{path: /x, batch: {}, results: {ok: {status: a, equals: 1}}}", "write `status`, or `path` with `equals`"),
        ("{path: /x, batch: {}, body: {}, results: all_or_nothing}", "write `batch.item` and `batch.body`"),
        ("{path: /x, batch: {body: {a: 1}}, results: all_or_nothing}", "`body` needs `records`"),
        ("{path: /x, batch: {records: a.b, body: {a: 1}}, results: all_or_nothing}", "does not fit into the body"),
        ("{results: all_or_nothing}", "the answer is about one record"),
        ("{results: {records: data}}", "the answer is about one record"),
        ("{deletes: delete}", "needs `delete`"),
        ("{delete: {}}", "write either `path` or `item`"),
        ("{delete: {path: /x}}", "names no record"),
        ("{delete: {item: '{key}'}}", "a delete is a request of its own"),
        ("{mode: create, path: /x, idempotent: true, find: {path: '/x/{key}', id: id}}", "must not be repeated"),
        ("{find: {path: '/x/{key}', id: id}}", "needs `change`"),
        ("{find: {path: '/x/{record.a}', id: id}, change: {path: /x}}", "may hold {key}, {record.id}"),
        ("{find: [], fallback_keys: [mail]}", "need `find`"),
        (
            "{find: {path: '/x/{key}', id: id}, change: {path: '/x'}, fallback_keys: [mail]}",
            "one entry for `key`, and one for each",
        ),
        ("{change: {path: '/x'}}", "is for what `find` found"),
        ("{mode: create_if_missing}", "needs `find`"),
        (
            "{mode: create_if_missing, find: {path: '/x/{key}', id: id}, deletes: delete, delete: {path: '/x/{key}'}}",
            "write {destination_key} into `delete.path`",
        ),
        (
            "{path: /x, mode: create_if_missing, batch: {}, results: all_or_nothing, find: {path: '/{key}', id: id}}",
            "no record is looked for",
        ),
        ("{deletes: archive}", "needs `archive`"),
        ("{archive: {path: /x, body: {a: 1}}}", "name no record"),
        ("{archive: {item: '{key}'}}", "a delete is a request of its own"),
    ],
)
def test_a_destination_that_cannot_work_is_refused(declared: str, message: str) -> None:
    assert message in problem(destination, declared)


def test_the_connector_is_in_the_registry_with_its_models() -> None:
    rest = registry.get("rest")
    assert (rest.name, rest.conn_type) == ("rest", "flux_rest")
    assert (rest.source_options, rest.destination_options) == (RestSourceOptions, RestDestinationOptions)


def test_every_option_is_described_in_the_schema() -> None:
    for model in (RestSourceOptions, RestDestinationOptions):
        own = set(model.model_fields) - set(model.__mro__[1].model_fields)
        assert {name for name in own if not model.model_fields[name].description} == set()
        model.model_json_schema()

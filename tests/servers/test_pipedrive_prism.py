"""Our requests, held against the vendor's own description of API v2 by Prism.

Prism answers every call with the description's example and stores nothing: one person, `jane@pipedrive.com`, who is
found by every search, and lists whose every page has a next one. A request that breaks the description is answered
with 422 and what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_flux.connectors.contract import Destination, Verdict, WriteItem, Written
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.pipedrive import Pipedrive
from airflow_provider_flux.errors import FluxError, RecordError
from tests.contracts.suite.account import window
from tests.servers import npm, prism

_HASH = "9dc80c50d78a15643bfc4ca79d76156a73a1ca0e"


@pytest.fixture(scope="module")
def pipedrive(specs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Prism serves the paths of a description without those of its servers; ours have them."""
    npm.installed("prism")
    folder = tmp_path_factory.mktemp("pipedrive")
    text = (specs / "pipedrive_v2.yml").read_text(encoding="utf-8")
    spec = folder / "pipedrive.yml"
    spec.write_text(re.sub(r"^  ('?)/", r"  \1/api/v2/", text, flags=re.MULTILINE), encoding="utf-8")
    with prism.serve(spec, folder / "log") as url:
        yield url


Opened = Callable[..., Any]


@pytest.fixture
def opened(pipedrive: str) -> Iterator[Opened]:
    """`opened("source" | "destination", object, **options)`."""
    there: list[Any] = []

    def open_one(side: str, name: str, **options: Any) -> Any:
        declared = {"connector": "pipedrive", "connection": "crm", "object": name, **options}
        model = Pipedrive.source_options if side == "source" else Pipedrive.destination_options
        assert model is not None
        there.append(getattr(Pipedrive, side)(model.model_validate(declared), credentials(pipedrive)))
        return there[-1]

    yield open_one
    for one in there:
        one.close()


def credentials(url: str) -> Credentials:
    return Credentials("crm", "flux_pipedrive", host=url, password="t0ken", one_try=True)


@pytest.mark.parametrize("name", ["persons", "organizations", "products", "activities"])
def test_lists_are_asked_for_as_described(opened: Opened, name: str) -> None:
    source = opened("source", name)
    page = next(source.read(window(0, 3600)))
    assert page.records[0]["id"]
    if name != "products":  # whose description has no example of a list
        assert source.now() is not None
    assert next(source.fetch([{"id": 1}, {"id": 2}])).records


@pytest.mark.parametrize("name", ["deals", "archived_deals"])
def test_of_the_lists_of_deals_only_the_schema_of_the_status_is_narrower_than_its_words(
    opened: Opened, name: str
) -> None:
    """The description says that several statuses may be given, separated by commas; its schema has single ones."""
    with pytest.raises(FluxError) as caught:
        next(opened("source", name).read(window(0, 3600)))
    complaints = re.findall(r'"location": ?\["query", ?"(\w+)"\]', (caught.value.answer or "").replace("\\", ""))
    assert complaints == ["status"], caught.value.answer
    assert next(opened("source", name).fetch([{"id": 1}])).records


def write(destination: Destination, data: dict[str, Any], **more: Any) -> Verdict:
    [verdict] = destination.write([WriteItem(data, **more)])
    return verdict


@pytest.mark.parametrize(
    ("name", "key", "record"),
    [
        ("persons", "email", {"email": "jane@pipedrive.com", "name": "Jane", "phone": "+372 555555555", "owner_id": 1}),
        ("persons", "email", {"email": "new@example.com", "name": "New", "label_ids": [1], "visible_to": 3}),
        ("persons", "phone", {"phone": "+372 555555555", "name": "Jane", "custom_fields": {_HASH: "K-1"}}),
        ("persons", f"custom_fields.{_HASH}", {"name": "Jane", "custom_fields": {_HASH: "K-1"}}),
        ("persons", "id", {"id": 1, "name": "Jane"}),
        ("deals", "title", {"title": "Jane Doe", "value": 10, "currency": "EUR", "status": "open"}),
        ("products", "code", {"name": "Chair", "code": "C-1"}),
    ],
)
@pytest.mark.parametrize("mode", ["upsert", "create", "create_if_missing"])
def test_records_are_looked_up_made_and_changed_as_described(
    opened: Opened, name: str, key: str, record: dict[str, Any], mode: str
) -> None:
    verdict = write(opened("destination", name, key=key, mode=mode), record)
    assert isinstance(verdict, Written), verdict
    assert verdict.key == "1"


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("persons", {"name": "Jane", "email": "second@example.com"}),
        ("organizations", {"name": "Acme", "address": {"value": "1 Main St"}}),
        ("deals", {"title": "Big", "probability": None, "expected_close_date": "2026-12-31"}),
        ("products", {"name": "Chair", "prices": [{"price": 1, "currency": "EUR", "cost": 0}]}),
        ("activities", {"subject": "Call", "done": True, "participants": [{"person_id": 1, "primary": True}]}),
    ],
)
def test_records_are_changed_and_deleted_by_their_id_as_described(
    opened: Opened, name: str, record: dict[str, Any]
) -> None:
    destination = opened("destination", name, key="id", mode="update", deletes="delete")
    assert write(destination, record, destination_key="1") == Written("1")
    assert write(destination, {}, deleted=True, destination_key="1") == Written("1")


def test_a_new_organization_meets_a_mistake_of_the_description(opened: Opened) -> None:
    """It demands a `title`, which organizations do not have; their name is `name`."""
    verdict = write(opened("destination", "organizations", key="name"), {"name": "Acme"})
    assert isinstance(verdict, RecordError)
    assert "must have required property 'title'" in (verdict.answer or "").replace("\\u0027", "'")


def test_a_deal_is_archived_as_described(opened: Opened) -> None:
    destination = opened("destination", "deals", key="title", deletes="archive")
    assert write(destination, {"title": "Big"}, deleted=True, destination_key="1") == Written("1")


def test_fields_are_asked_for_as_described(pipedrive: str) -> None:
    """Prism's every page has a next one; all twenty were answered."""
    for name in ("persons", "organizations", "deals", "products", "activities"):
        with pytest.raises(FluxError, match="goes on after 20 pages of fields"):
            Pipedrive.describe(credentials(pipedrive), None, name)


def test_a_request_that_the_description_does_not_know_is_refused(opened: Opened) -> None:
    """Prism does look: a value of another type than described is told."""
    verdict = write(opened("destination", "persons", key="name"), {"name": "Jane", "owner_id": "somebody"})
    assert isinstance(verdict, RecordError)
    assert "must be integer" in (verdict.answer or "")

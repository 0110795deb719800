"""Writing to a shop: an upsert of its own, user errors with and without a code, orders that hold customers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from airflow_provider_flux.connectors.contract import Verdict, WriteItem, Written
from airflow_provider_flux.errors import FluxError, OutcomeUnknown, RecordError
from tests.contracts.servers.wire import Call, Reply
from tests.contracts.shopify_shop import Shop, shop, written

ADA = {"email": "ada@example.com", "firstName": "Ada", "lastName": "Lovelace", "phone": "+14155550101"}


@pytest.fixture
def crm() -> Iterator[Shop]:
    with shop() as crm:
        yield crm


def refused(verdict: Verdict) -> tuple[str, str | None]:
    assert isinstance(verdict, RecordError), verdict
    return verdict.code, verdict.field


def key_of(verdict: Verdict) -> str:
    assert isinstance(verdict, Written), verdict
    assert verdict.key is not None
    return verdict.key


# --- customers ------------------------------------------------------------------------------------------


def test_an_upsert_is_one_call_and_keeps_what_is_not_named(crm: Shop) -> None:
    key = key_of(crm.write({**ADA, "note": "VIP"})[0])
    assert key_of(crm.write({"email": ADA["email"], "lastName": "King"})[0]) == key
    assert crm.asked() == ["customerSet", "customerSet"]
    ada = crm.vendor.at(ADA["email"])
    assert (ada["firstName"], ada["lastName"], ada["note"]) == ("Ada", "King", "VIP")


def test_addresses_replace_those_that_are_there(crm: Shop) -> None:
    crm.write({**ADA, "addresses": [{"city": "London"}, {"city": "Paris"}]})
    crm.write({"email": ADA["email"], "addresses": [{"city": "Wien", "countryCode": "AT"}]})
    assert [address["city"] for address in crm.vendor.at(ADA["email"])["addresses"]] == ["Wien"]


@pytest.mark.parametrize("key", ["phone", "id"])
def test_a_customer_is_upserted_by_phone_or_id_too(crm: Shop, key: str) -> None:
    made = crm.vendor.customer(**ADA)
    record = {key: made[key], "email": "ada@king.example"}
    assert key_of(crm.write(record, key=key)[0]) == made["id"]
    assert set(crm.vendor.stored()) == {"ada@king.example"}


def test_a_customer_is_upserted_by_a_metafield(crm: Shop) -> None:
    options = {"key": "number", "custom_id": "erp.number"}
    first = crm.write({**ADA, "number": 4711}, **options)[0]
    again = crm.write({"number": 4711, "email": "ada@king.example"}, **options)[0]
    assert key_of(first) == key_of(again)
    assert set(crm.vendor.stored()) == {"ada@king.example"}


def test_an_email_that_has_changed_goes_to_the_customer_that_was_delivered(crm: Shop) -> None:
    destination = crm.destination(key="email")
    key = key_of(written(destination, [ADA])[0])
    assert key_of(written(destination, [{**ADA, "email": "ada@king.example"}], key)[0]) == key
    assert crm.asked() == ["customerSet", "customerSet"]
    assert crm.vendor.documents[1]["variables"]["identifier"] == {"id": key}


def test_a_customer_that_was_deleted_there_is_made_again_by_its_key(crm: Shop) -> None:
    destination = crm.destination(key="email")
    key = key_of(written(destination, [ADA])[0])
    del crm.vendor.customers[key]
    assert key_of(written(destination, [ADA], key)[0]) != key
    assert set(crm.vendor.stored()) == {ADA["email"]}


def test_without_a_key_nothing_tells_which_record_it_is(crm: Shop) -> None:
    assert refused(crm.write({"lastName": "Lovelace"})[0]) == ("REQUIRED_FIELD_MISSING", "email")
    assert crm.asked() == []


@pytest.mark.parametrize("mode", ["upsert", "create"])
@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"phone": "+14155550199"}, "DUPLICATE_RECORD", "phone"),
        ({"lastName": "x" * 256}, "VALUE_TOO_LONG", "lastName"),
        ({"phone": "call me"}, "INVALID_FORMAT", "phone"),
        ({"email": "ada"}, "INVALID_EMAIL", "email"),
        ({"loyalty": "gold"}, "FIELD_NOT_FOUND", "loyalty"),
        ({"tags": [None]}, "REQUIRED_FIELD_MISSING", "tags.0"),
        ({"addresses": [{"countryCode": "Austria"}]}, "INVALID_FORMAT", "addresses.0.countryCode"),
    ],
)
def test_errors_have_a_code_and_the_field_as_the_record_spells_it(
    crm: Shop, mode: str, change: dict[str, Any], code: str, field: str
) -> None:
    """`customerSet` tells a code; `customerCreate` tells only words; a wrong variable is refused before either."""
    crm.vendor.customer("other@example.com", phone="+14155550199")
    bad, good = crm.write({**ADA, **change}, {"email": "b@example.com", "lastName": "B"}, mode=mode)
    assert refused(bad) == (code, field)
    assert isinstance(good, Written)


def test_a_customer_that_is_there_is_a_duplicate_by_words_alone(crm: Shop) -> None:
    crm.vendor.customer(**ADA)
    (verdict,) = crm.write({**ADA, "phone": None}, mode="create")
    assert refused(verdict) == ("DUPLICATE_RECORD", "email")
    assert isinstance(verdict, RecordError)
    assert "Email has already been taken" in verdict.message
    assert '"code"' not in str(verdict.answer)


def test_metafields_come_by_create_and_not_by_upsert(crm: Shop) -> None:
    record = {**ADA, "metafields": [{"namespace": "erp", "key": "number", "value": "1", "type": "id"}]}
    assert refused(crm.write(record)[0]) == ("FIELD_NOT_FOUND", "metafields")
    assert isinstance(crm.write(record, mode="create")[0], Written)


def test_a_customer_with_orders_cannot_be_deleted(crm: Shop) -> None:
    ada = crm.vendor.customer(**ADA, numberOfOrders=2)
    crm.vendor.customer("bob@example.com")
    records = [{"email": ADA["email"], "deleted": True}, {"email": "bob@example.com", "deleted": True}]
    kept, gone = crm.write(*records, deletes="delete")
    assert refused(kept)[0] == "CONSTRAINT_VIOLATED"
    assert isinstance(gone, Written)
    assert set(crm.vendor.customers) == {ada["id"]}


def test_a_throttled_mutation_was_not_done_and_is_sent_again(crm: Shop) -> None:
    crm.vendor.faults.append(Reply(200, crm.vendor.throttled(requested=20, available=18, rate=50)))
    assert isinstance(crm.write(ADA, mode="create")[0], Written)
    assert len(crm.vendor.customers) == 1


def test_a_create_in_doubt_is_looked_up_by_its_email(crm: Shop) -> None:
    def lost(call: Call) -> Reply:
        crm.vendor.handle(call)
        return Reply(reset=True)

    destination = crm.destination(key="email", mode="create", one_try=True)
    crm.vendor.faults.append(lost)
    with pytest.raises(OutcomeUnknown):
        written(destination, [ADA])
    assert destination.find([WriteItem(ADA)]) == [crm.vendor.at(ADA["email"])["id"]]


def test_a_missing_write_scope_refuses_the_whole_batch(crm: Shop) -> None:
    crm.vendor.scopes.remove("write_customers")
    with pytest.raises(FluxError, match="write_customers") as raised:
        crm.write(ADA, {"email": "bob@example.com"})
    assert raised.value.code == "PERMISSION_DENIED"


# --- products and orders --------------------------------------------------------------------------------


def test_products_are_upserted_by_their_handle(crm: Shop) -> None:
    chair = {"handle": "chair", "title": "Chair", "status": "ACTIVE"}
    key = key_of(crm.write(chair, name="products", key="handle")[0])
    again = crm.write({**chair, "title": "Armchair"}, name="products", key="handle")[0]
    assert key_of(again) == key
    assert crm.vendor.products[key]["title"] == "Armchair"
    assert crm.asked() == ["productSet", "productSet"]


def test_products_are_created_changed_and_kept(crm: Shop) -> None:
    options = {"name": "products", "key": "handle"}
    created, again = crm.write(*[{"handle": "chair", "title": "Chair"}] * 2, mode="create", **options)
    assert isinstance(created, Written)
    assert refused(again) == ("DUPLICATE_RECORD", "handle")
    untitled, changed = crm.write({"handle": "table"}, {"handle": "chair", "vendor": "Acme 2"}, **options)
    assert refused(untitled) == ("REQUIRED_FIELD_MISSING", "title")
    assert key_of(changed) == created.key
    missing, kept = crm.write({"handle": "bed"}, {"handle": "chair", "vendor": "X"}, mode="update", **options)
    assert refused(missing)[0] == "RECORD_NOT_FOUND"
    assert isinstance(kept, Written)
    (there,) = crm.write({"handle": "chair", "title": "No"}, mode="create_if_missing", **options)
    assert isinstance(there, Written)
    assert there.kept


@pytest.mark.parametrize(("deletes", "left"), [("archive", ["ARCHIVED"]), ("delete", [])])
def test_products_are_archived_or_deleted(crm: Shop, deletes: str, left: list[str]) -> None:
    crm.vendor.product("chair", title="Chair")
    records = [{"handle": "chair", "deleted": True}, {"handle": "unknown", "deleted": True}]
    verdicts = crm.write(*records, name="products", key="handle", deletes=deletes)
    assert all(isinstance(verdict, Written) for verdict in verdicts)
    assert [product["status"] for product in crm.vendor.products.values()] == left


def test_of_orders_some_fields_can_be_changed(crm: Shop) -> None:
    order = crm.vendor.order("#1001")
    options = {"name": "orders", "key": "id", "mode": "update"}
    changed, missing, unknown = crm.write(
        {"id": order["id"], "note": "gift", "tags": ["erp"]},
        {"id": "gid://shopify/Order/1", "note": "gift"},
        {"id": order["id"], "totalPrice": "1.00"},
        **options,
    )
    assert key_of(changed) == order["id"]
    assert refused(missing)[0] == "RECORD_NOT_FOUND"
    assert refused(unknown) == ("FIELD_NOT_FOUND", "totalPrice")
    assert (order["note"], order["tags"]) == ("gift", ["erp"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"object": "orders", "key": "id"}, "mode: upsert` is not possible here; possible are update"),
        ({"object": "customers", "key": "email", "deletes": "archive"}, "deletes: archive` is not possible"),
        ({"object": "customers", "key": "lastName"}, "Shopify finds customers by email or phone or id"),
        ({"object": "customers", "key": ["email", "phone"]}, "Shopify finds customers by email or phone or id"),
        ({"object": "products", "key": "handle", "fallback_keys": ["id"]}, "no `fallback_keys`"),
        ({"object": "customers", "key": "n", "custom_id": "erp.n", "mode": "create"}, "`custom_id` is for"),
        ({"object": "carts", "key": "id"}, "there is no object `carts`"),
    ],
)
def test_what_is_not_possible_is_refused_when_the_flow_is_checked(
    crm: Shop, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        crm.destination(options.pop("object"), **options)

"""Writing to HubSpot: which calls a batch takes, and whose verdict is whose."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from airflow_provider_flux.connectors.contract import WriteItem, Written
from airflow_provider_flux.errors import FluxError, OutcomeUnknown
from tests.contracts.hubspot_account import Account, account, error, keys, written
from tests.contracts.servers.wire import Call, Reply

ADA = {"email": "ada@example.com", "firstname": "Ada"}
BOB = {"email": "bob@example.com", "firstname": "Bob"}
CYD = {"email": "cyd@example.com", "firstname": "Cyd"}
BAD = {"email": "dan@example.com", "nickname": "Dan"}


@pytest.fixture
def hubspot() -> Iterator[Account]:
    with account() as hubspot:
        yield hubspot


def names(hubspot: Account, name: str = "contacts", of: str = "firstname") -> list[str]:
    return [record["properties"].get(of) for record in hubspot.crm.objects[name].values()]


def spoilt(hubspot: Account, change: object) -> None:
    """The next answer is changed on its way."""

    def fault(call: Call) -> Reply:
        reply = hubspot.vendor.handle(call)
        change(reply.body)  # type: ignore[operator]
        return reply

    hubspot.vendor.faults.append(fault)


# --- which calls ------------------------------------------------------------------------------------------------------


def test_an_upsert_is_one_call_with_a_trace_for_every_record(hubspot: Account) -> None:
    verdicts = written(hubspot.destination(), ADA, BOB)
    assert hubspot.calls == ["POST contacts/batch/upsert"]
    (body,) = hubspot.bodies
    traces = [one.pop("objectWriteTraceId") for one in body["inputs"]]
    assert len(set(traces)) == 2
    assert body["inputs"][0] == {"id": "ada@example.com", "idProperty": "email", "properties": ADA}
    assert keys(verdicts) == list(hubspot.crm.objects["contacts"])


def test_values_are_texts(hubspot: Account) -> None:
    record = {"email": "ada@example.com", "age": 36, "firstname": True, "languages": ["de", "en"], "company": None}
    assert isinstance(written(hubspot.destination(), record)[0], Written)
    sent = hubspot.bodies[0]["inputs"][0]["properties"]
    assert sent == {
        "email": "ada@example.com", "age": "36", "firstname": "true", "languages": "de;en", "company": ""
    }  # fmt: skip


def test_a_record_that_was_delivered_before_is_changed_by_its_id_also_when_its_email_has_changed(
    hubspot: Account,
) -> None:
    (made,) = written(hubspot.destination(), ADA)
    assert isinstance(made, Written)
    moved = WriteItem({**ADA, "email": "ada@king.example"}, destination_key=made.key)
    assert keys(written(hubspot.destination(), moved, BOB))[0] == made.key
    assert hubspot.calls[1:] == ["POST contacts/batch/update", "POST contacts/batch/upsert"]
    assert len(hubspot.crm.objects["contacts"]) == 2


def test_a_record_whose_link_leads_nowhere_is_found_by_its_key(hubspot: Account) -> None:
    there = hubspot.crm.add("contacts", ADA)
    item = WriteItem({**ADA, "firstname": "Ada King"}, destination_key="424242")
    assert keys(written(hubspot.destination(), item)) == [there["id"]]
    assert names(hubspot) == ["Ada King"]


def test_an_update_looks_up_the_ids_and_never_makes_a_record(hubspot: Account) -> None:
    there = hubspot.crm.add("contacts", ADA)
    changed, missing = written(hubspot.destination(mode="update"), {**ADA, "firstname": "Ada King"}, BOB)
    assert keys([changed]) == [there["id"]]
    assert (error(missing).code, error(missing).field, error(missing).value) == (
        "RECORD_NOT_FOUND", "email", "bob@example.com",
    )  # fmt: skip
    assert hubspot.calls == ["POST contacts/batch/read", "POST contacts/batch/update"]


def test_an_update_by_hubspots_own_id(hubspot: Account) -> None:
    there = hubspot.crm.add("contacts", ADA)
    destination = hubspot.destination(mode="update", key="id")
    changed, missing = written(destination, {"id": there["id"], "firstname": "Ada King"}, {"id": "9", "firstname": "X"})
    assert keys([changed]) == [there["id"]]
    assert error(missing).code == "RECORD_NOT_FOUND"
    assert "id" not in hubspot.bodies[-1]["inputs"][0]["properties"]


def test_create_if_missing_reads_first_and_keeps_what_is_there(hubspot: Account) -> None:
    there = hubspot.crm.add("contacts", ADA)
    linked = hubspot.crm.add("contacts", CYD)
    destination = hubspot.destination(mode="create_if_missing")
    moved = WriteItem({"email": "cyd@new.example", "firstname": "C"}, destination_key=linked["id"])
    kept, made, also_kept = written(destination, {**ADA, "firstname": "Other"}, BOB, moved)
    assert kept == Written(there["id"], kept=True)
    assert also_kept == Written(linked["id"], kept=True)
    assert isinstance(made, Written) and not made.kept
    assert names(hubspot) == ["Ada", "Cyd", "Bob"]
    assert hubspot.bodies[0]["inputs"] == [{"id": linked["id"]}]
    assert hubspot.bodies[-1]["inputs"][0]["associations"] == []


def test_a_contact_is_there_under_any_of_its_emails(hubspot: Account) -> None:
    there = hubspot.crm.add("contacts", {**ADA, "hs_additional_emails": "a@example.com;lovelace@example.com"})
    destination = hubspot.destination(mode="create_if_missing")
    assert written(destination, {"email": "Lovelace@example.com"}) == [Written(there["id"], kept=True)]


def test_a_custom_object_by_its_unique_property(hubspot: Account) -> None:
    destination = hubspot.destination("2-1234567", key="plate")
    written(destination, {"plate": "B-AA 1", "colour": "red"})
    written(destination, {"plate": "B-AA 1", "colour": "blue"})
    assert hubspot.calls == ["POST 2-1234567/batch/upsert"] * 2
    assert names(hubspot, "2-1234567", "colour") == ["blue"]


@pytest.mark.parametrize(
    ("name", "how", "record"),
    [
        ("companies", {"key": "erp_id"}, {"erp_id": "7", "name": "Acme"}),
        ("deals", {"mode": "create"}, {"dealname": "Big", "amount": 7.5}),
        ("tickets", {"mode": "create"}, {"subject": "Help", "hs_pipeline_stage": "1"}),
    ],
)
def test_companies_deals_and_tickets(
    hubspot: Account, name: str, how: dict[str, str], record: dict[str, object]
) -> None:
    (verdict,) = written(hubspot.destination(name, **how), record)
    assert keys([verdict]) == list(hubspot.crm.objects[name])


# --- the same record twice --------------------------------------------------------------------------------------------


def test_the_same_key_twice_in_a_batch_is_sent_in_two_calls_in_order(hubspot: Account) -> None:
    later = {"email": "ADA@example.com", "firstname": "Ada King"}
    verdicts = written(hubspot.destination(), ADA, BOB, later)
    assert hubspot.calls == ["POST contacts/batch/upsert"] * 2
    assert len(set(keys(verdicts))) == 2
    assert names(hubspot) == ["Ada King", "Bob"]


@pytest.mark.parametrize("mode", ["update", "create_if_missing"])
def test_the_same_key_twice_where_records_are_looked_up(hubspot: Account, mode: str) -> None:
    if mode == "update":
        hubspot.crm.add("contacts", ADA)
    verdicts = written(hubspot.destination(mode=mode), ADA, {**ADA, "firstname": "Ada King"})
    assert all(isinstance(verdict, Written) for verdict in verdicts)
    assert names(hubspot) == ["Ada King" if mode == "update" else "Ada"]


def test_the_same_link_twice(hubspot: Account) -> None:
    there = hubspot.crm.add("contacts", ADA)
    items = [WriteItem({**ADA, "firstname": name}, destination_key=there["id"]) for name in ("A", "B")]
    assert keys(written(hubspot.destination(), *items)) == [there["id"]] * 2
    assert names(hubspot) == ["B"]


# --- whose verdict is whose -------------------------------------------------------------------------------------------


def test_one_bad_record_in_a_batch_is_told_by_its_trace(hubspot: Account) -> None:
    good, bad, also_good = written(hubspot.destination(), ADA, BAD, BOB)
    assert isinstance(good, Written) and isinstance(also_good, Written)
    assert (error(bad).code, error(bad).field, error(bad).status) == ("FIELD_NOT_FOUND", "nickname", 207)
    assert error(bad).value == "Dan"
    assert 'Property "nickname" does not exist' in error(bad).message
    assert len(hubspot.calls) == 1


def test_errors_without_a_trace_are_matched_by_the_ids_in_their_context(hubspot: Account) -> None:
    def without_traces(body: dict[str, list[dict[str, object]]]) -> None:
        for one in body["results"]:
            del one["objectWriteTraceId"]
        for one, name in zip(body["errors"], ("dan@example.com", "EVE@example"), strict=True):
            one["context"] = {"ids": [name]}

    spoilt(hubspot, without_traces)
    wrong = {"email": "eve@example", "firstname": "Eve"}
    good, bad, also_bad, also_good = written(hubspot.destination(), ADA, BAD, wrong, BOB)
    assert keys([good, also_good]) == list(hubspot.crm.objects["contacts"])
    assert (error(bad).code, error(also_bad).code) == ("FIELD_NOT_FOUND", "INVALID_EMAIL")
    assert len(hubspot.calls) == 1


def test_an_error_that_names_nobody_belongs_to_the_only_record_without_a_verdict(hubspot: Account) -> None:
    spoilt(hubspot, lambda body: body["errors"][0].update(context={}))
    good, bad = written(hubspot.destination(), ADA, BAD)
    assert isinstance(good, Written)
    assert error(bad).field == "nickname"
    assert len(hubspot.calls) == 1


def test_errors_that_name_nobody_are_laid_beside_their_records_by_halving(hubspot: Account) -> None:
    def anonymous(body: dict[str, list[dict[str, object]]]) -> None:
        for one in body["errors"]:
            one["context"] = {}

    spoilt(hubspot, anonymous)
    wrong = {"email": "nobody", "firstname": "No"}
    verdicts = written(hubspot.destination(), ADA, BAD, wrong, BOB)
    assert [getattr(verdict, "code", "") for verdict in verdicts] == ["", "FIELD_NOT_FOUND", "INVALID_EMAIL", ""]
    assert names(hubspot) == ["Ada", "Bob"]


@pytest.mark.parametrize(("mode", "code"), [("upsert", "UNREADABLE_ANSWER"), ("create", "OUTCOME_UNKNOWN")])
def test_a_record_of_which_the_answer_says_nothing_never_counts_as_written(
    hubspot: Account, mode: str, code: str
) -> None:
    spoilt(hubspot, lambda body: body["results"].pop(1))
    good, silent, also_good = written(hubspot.destination(mode=mode), ADA, BOB, CYD)
    assert isinstance(good, Written) and isinstance(also_good, Written)
    assert error(silent).code == code
    assert "no verdict" in error(silent).message
    assert "ada@example.com" in str(error(silent).answer)


def test_a_record_that_was_merged_into_another_has_no_verdict(hubspot: Account) -> None:
    there = hubspot.crm.add("contacts", ADA)
    spoilt(hubspot, lambda body: body["results"].clear())
    (silent,) = written(hubspot.destination(), WriteItem(ADA, destination_key=there["id"]))
    assert error(silent).code == "UNREADABLE_ANSWER"
    assert "merged" in error(silent).message


def test_a_batch_that_is_still_being_processed_is_not_written(hubspot: Account) -> None:
    hubspot.vendor.faults.append(Reply(200, {"status": "PENDING", "results": [], "startedAt": "", "completedAt": ""}))
    assert error(written(hubspot.destination(), ADA)[0]).code == "UNREADABLE_ANSWER"


@pytest.mark.parametrize("mode", ["upsert", "create", "create_if_missing"])
def test_a_batch_that_is_refused_as_a_whole_is_halved_until_the_bad_record_stands_alone(
    hubspot: Account, mode: str
) -> None:
    hubspot.crm.whole = True
    verdicts = written(hubspot.destination(mode=mode), ADA, BOB, BAD, CYD)
    assert [getattr(verdict, "code", "") for verdict in verdicts] == ["", "", "FIELD_NOT_FOUND", ""]
    assert error(verdicts[2]).value == "Dan"
    assert sorted(names(hubspot)) == ["Ada", "Bob", "Cyd"]


@pytest.mark.parametrize("whole", [True, False])
def test_a_new_contact_whose_email_is_taken_names_the_one_that_has_it(hubspot: Account, whole: bool) -> None:
    there = hubspot.crm.add("contacts", ADA)
    hubspot.crm.whole = whole
    taken, made = written(hubspot.destination(mode="create"), ADA, BOB)
    assert error(taken).code == "DUPLICATE_RECORD"
    assert f"Existing ID: {there['id']}" in error(taken).message
    assert isinstance(made, Written)


def test_two_new_contacts_with_one_email_are_one_and_a_duplicate(hubspot: Account) -> None:
    made, taken = written(hubspot.destination(mode="create"), ADA, {**ADA, "firstname": "Other"})
    assert isinstance(made, Written)
    assert error(taken).code == "DUPLICATE_RECORD"


# --- what is not sent -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["upsert", "create_if_missing"])
def test_a_record_without_its_key_is_refused_and_costs_no_other(hubspot: Account, mode: str) -> None:
    records = [{"email": "", "firstname": "X"}, {"email": None, "firstname": "Y"}, {"firstname": "Z"}, ADA]
    *bad, good = written(hubspot.destination(mode=mode), *records)
    assert [(error(one).code, error(one).field) for one in bad] == [("REQUIRED_FIELD_MISSING", "email")] * 3
    assert isinstance(good, Written)
    assert names(hubspot) == ["Ada"]
    assert len(hubspot.calls) == (1 if mode == "upsert" else 2)


def test_a_value_that_no_property_can_hold_is_refused_and_costs_no_other(hubspot: Account) -> None:
    bad, good = written(hubspot.destination(), {**BOB, "company": {"name": "Acme"}}, ADA)
    assert (error(bad).code, error(bad).field) == ("INVALID_FORMAT", "company")
    assert isinstance(good, Written)


def test_a_key_whose_values_are_not_unique_is_an_error_of_the_flow(hubspot: Account) -> None:
    for mode in ("upsert", "update"):
        with pytest.raises(FluxError, match="non-unique") as caught:
            written(hubspot.destination("companies", key="domain", mode=mode), {"domain": "acme.example"})
        assert caught.value.code == "BAD_REQUEST"


# --- fallback keys ----------------------------------------------------------------------------------------------------


def test_a_fallback_key_with_unique_values_is_read_and_not_searched(hubspot: Account) -> None:
    there = hubspot.crm.add("contacts", {**ADA, "customer_number": "C-1"})
    hubspot.crm.lagging.add(there["id"])
    destination = hubspot.destination(fallback_keys=["customer_number"])
    moved = {"email": "ada@king.example", "customer_number": "C-1"}
    assert keys(written(destination, moved)) == [there["id"]]
    assert not [call for call in hubspot.calls if "search" in call]


def test_other_fallback_keys_are_searched_five_records_in_a_call(hubspot: Account) -> None:
    people = [{"firstname": f"F{number}", "lastname": "Lee", "phone": f"+1{number}"} for number in range(12)]
    there = [hubspot.crm.add("contacts", person)["id"] for person in people]
    destination = hubspot.destination(fallback_keys=[["firstname", "lastname"]])
    records = [{**person, "email": f"p{number}@example.com"} for number, person in enumerate(people)]
    assert keys(written(destination, *records)) == there
    assert hubspot.calls.count("POST contacts/search") == 3
    assert len(hubspot.crm.objects["contacts"]) == 12


def test_several_records_with_the_values_of_a_fallback_key_are_named_and_none_is_written(hubspot: Account) -> None:
    both = [hubspot.crm.add("contacts", {"firstname": "Ada", "phone": "+1"})["id"] for _ in range(2)]
    (bad,) = written(hubspot.destination(fallback_keys=["phone"]), {**ADA, "phone": "+1"})
    assert error(bad).code == "DUPLICATE_RECORD"
    assert all(one in error(bad).message for one in both)
    assert len(hubspot.crm.objects["contacts"]) == 2


def test_a_search_with_more_results_than_a_page_asks_for_each_record_alone(hubspot: Account) -> None:
    for _ in range(205):
        hubspot.crm.add("contacts", {"phone": "+1"})
    there = hubspot.crm.add("contacts", {"phone": "+2"})
    crowded, found = written(
        hubspot.destination(fallback_keys=["phone"]), {**ADA, "phone": "+1"}, {**BOB, "phone": "+2"}
    )
    assert error(crowded).code == "DUPLICATE_RECORD"
    assert keys([found]) == [there["id"]]


# --- deletes, and lost answers ----------------------------------------------------------------------------------------


def test_records_are_archived_in_one_call_and_the_unknown_are_done_with(hubspot: Account) -> None:
    ada, bob = (hubspot.crm.add("contacts", person) for person in (ADA, BOB))
    items = [
        WriteItem({"email": "ada@example.com"}, deleted=True),
        WriteItem({}, deleted=True, destination_key=bob["id"]),
        WriteItem({"email": "nobody@example.com"}, deleted=True),
    ]
    destination = hubspot.destination(deletes="archive")
    assert keys(written(destination, *items)) == [ada["id"], bob["id"], None]
    assert hubspot.crm.objects["contacts"] == {}
    assert hubspot.calls == ["POST contacts/batch/read", "POST contacts/batch/archive"]
    assert sorted(one["id"] for one in hubspot.bodies[-1]["inputs"]) == [ada["id"], bob["id"]]


def test_a_create_without_a_key_whose_answer_is_lost_is_held(hubspot: Account) -> None:
    destination = hubspot.destination("deals", mode="create", one_try=True)
    assert not destination.idempotent and not destination.can_find
    hubspot.vendor.faults.append(Reply(reset=True))
    assert error(written(destination, {"dealname": "Big"})[0]).code == "OUTCOME_UNKNOWN"


def test_a_create_with_a_key_whose_answer_is_lost_is_looked_up(hubspot: Account) -> None:
    destination = hubspot.destination(mode="create", one_try=True)

    def stored_and_lost(call: Call) -> Reply:
        hubspot.vendor.handle(call)
        return Reply(reset=True)

    hubspot.vendor.faults.append(stored_and_lost)
    with pytest.raises(OutcomeUnknown):
        written(destination, ADA, BOB)
    assert destination.find([WriteItem(ADA), WriteItem(CYD)]) == [next(iter(hubspot.crm.objects["contacts"])), None]

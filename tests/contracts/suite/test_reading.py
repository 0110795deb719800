"""Whatever the vendor's paging: every record once, none lost, and only what is new where the vendor can tell."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.contracts.suite.account import Account, person, window


def emails(count: int, first: int = 0) -> set[str]:
    return {person(number)["email"] for number in range(first, first + count)}


def test_every_record_comes_once_at_every_boundary_of_a_page(account: Account) -> None:
    account.vendor.seed(450)
    pages = account.read()
    assert Counter(account.emails(pages)) == Counter(emails(450))
    size = len(pages[0].records)
    assert size < 450
    for count in (0, 1, size - 1, size, size + 1, 2 * size):
        another = account.another()
        another.vendor.seed(count)
        assert Counter(another.emails(another.read())) == Counter(emails(count)), count


def test_an_empty_account_has_no_records_and_one_question_is_enough(account: Account) -> None:
    assert account.emails(account.read()) == []
    asked = [call for call in account.vendor.calls if not account.vendor.is_sign_in(call)]
    assert len(asked) <= 2


def test_no_record_is_lost_while_others_change(account: Account) -> None:
    account.vendor.seed(450)
    seen: list[str] = []
    for number, page in enumerate(account.source().read(window())):
        seen += account.emails([page])
        # One that was read, one that was not yet, and one that is new.
        account.vendor.change(number, 5000 + 3 * number)
        account.vendor.change(449 - number, 5001 + 3 * number)
        if number < 3:
            account.vendor.seed(1, first=900 + number)
    assert emails(450) <= set(seen)


def test_a_window_begins_with_its_first_second_and_ends_before_its_last(account: Account) -> None:
    account.vendor.seed(30)
    pages = account.read(10, 20)
    taken = account.judged(pages, window(10, 20))
    assert {account.vendor.read_email(record.data) for record in taken} == emails(10, first=10)


def test_only_what_is_new_is_read(account: Account) -> None:
    account.vendor.seed(30)
    pages = account.read(20)
    assert {account.vendor.read_email(record.data) for record in account.judged(pages, window(20))} == emails(
        10, first=20
    )
    if account.source_options().cursor is not None:
        assert len(account.emails(pages)) < 20


def test_a_changed_record_is_new_again_under_its_own_key(account: Account) -> None:
    account.vendor.seed(12)
    before = {record.key for record in account.judged(account.read(), window())}
    account.vendor.change(3, 100)
    (record,) = account.judged(account.read(100), window(100))
    assert account.vendor.read_email(record.data) == person(3)["email"]
    assert record.key in before
    assert record.version is not None


def test_records_are_read_again_by_their_keys(account: Account) -> None:
    account.vendor.seed(12)
    records = [record for page in account.read() for record in page.records]
    options = account.source_options()
    chosen = [{name: record[name] for name in options.key} for record in records[3:6]]
    source = account.source()
    if not options.can_fetch():
        with pytest.raises(NotImplementedError):
            list(source.fetch(chosen))
        return
    again = account.emails(list(source.fetch(chosen)))
    assert sorted(again) == sorted(account.vendor.read_email(record) or "" for record in records[3:6])

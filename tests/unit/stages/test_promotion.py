"""Promoting and retiring versions of a mapping, and what flows run with then."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider_flux.errors import ConfigError, FluxError
from airflow_provider_flux.flow.loader import load_flow
from airflow_provider_flux.mapping.engine import Mapping
from airflow_provider_flux.stages.promotion import Promoted, promote, retire
from airflow_provider_flux.stages.versions import resolve, versions
from airflow_provider_flux.store import Store, open_store

FLOW = """\
source: {connector: sql, connection: crm, table: people, key: id, columns: [id, name, phone]}
destination: {connector: sql, connection: warehouse, table: people, key: id}
mapping: MAPPING
"""
RULES = "rules:\n  - {from: id, to: id, required: true}\n  - {value: VERSION, to: version}\n"


class Place:
    """An include folder and a store."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.include = folder / "include"
        self.store = store

    def flow(self, name: str, mapping: str = "people", more: str = "") -> None:
        path = self.include / "flows" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(FLOW.replace("MAPPING", mapping) + more)

    def version(self, number: int, rules: str = RULES) -> Path:
        path = self.include / "mappings" / "people" / f"v{number}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(rules.replace("VERSION", str(number)))
        return path

    def promote(self, number: int) -> Promoted:
        return promote(self.store, self.include, "people", number, by="ann", reason="why")

    def retire(self, number: int) -> None:
        retire(self.store, self.include, "people", number, by="ann", reason=None)

    def resolve(self, flow: str = "sync", version: int | None = None) -> Mapping:
        return resolve(self.store, self.include, load_flow(self.include, flow), version)

    def runs(self, flow: str = "sync", version: int | None = None) -> object:
        """What the version that runs writes of itself."""
        mapped, errors = self.resolve(flow, version).apply({"id": 1})
        assert mapped is not None, errors
        return mapped["version"]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with open_store(f"sqlite:///{tmp_path / 'flux.db'}") as store:
        found = Place(tmp_path, store)
        found.flow("sync")
        found.version(1)
        yield found


def refused(place: Place, number: int, act: str = "promote") -> str:
    before = (place.store.mapping_rows(), place.store.mapping_changes("people"))
    with pytest.raises(FluxError) as caught:
        getattr(place, act)(number)
    assert (place.store.mapping_rows(), place.store.mapping_changes("people")) == before
    return f"{caught.value.message} {caught.value.next_step}"


def test_a_new_file_is_a_draft_until_it_is_promoted(place: Place) -> None:
    place.version(2)
    assert place.runs() == 1
    place.promote(2)
    assert place.runs() == 2
    known = versions(place.store, place.include, "people")
    assert [known.state(number) for number in known.all] == ["draft", "active"]


def test_it_says_which_flows_take_it_and_which_pin_another(place: Place) -> None:
    place.flow("pinned", "people@1")
    place.version(2)
    done = place.promote(2)
    assert (done.replaced, done.followers, done.pinned) == (1, ("sync",), ("pinned",))
    assert (place.runs("sync"), place.runs("pinned")) == (2, 1)


def test_the_version_before_may_come_back(place: Place) -> None:
    place.version(2)
    place.promote(2)
    place.promote(1)
    assert place.runs() == 1


def test_what_was_promoted_runs_whatever_becomes_of_its_file(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    path = place.version(2)
    place.promote(2)
    for text in (RULES.replace("VERSION", "99"), "rules: [", "\xff"):
        path.write_bytes(text.encode("latin-1"))
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            assert place.runs() == 2
        assert "its file was changed since" in caplog.text
    path.unlink()
    assert place.runs() == 2
    assert "its file is gone" in caplog.text


def test_a_draft_that_is_broken_stops_no_flow(place: Place) -> None:
    place.version(2, "rules: [{from: id, to: id, transforms: [nonsense]}]")
    assert place.runs() == 1
    with pytest.raises(ConfigError, match=r"v2\.yaml:1:\d+: rules\[0\]"):
        place.promote(2)
    assert place.store.mapping_rows() == []


def test_a_draft_without_the_destinations_key_stops_no_flow_and_cannot_be_promoted(place: Place) -> None:
    place.version(2, "rules: [{from: name, to: name}]")
    assert place.runs() == 1
    with pytest.raises(ConfigError, match="does not write the field `id`"):
        place.promote(2)


def test_a_run_keeps_its_version_even_when_that_is_retired_meanwhile(place: Place) -> None:
    place.version(2)
    place.promote(2)
    place.retire(1)
    assert place.runs(version=1) == 1


def test_a_flow_that_pins_a_retired_version_says_so(place: Place) -> None:
    place.version(2)
    place.promote(2)
    place.retire(1)
    place.flow("late", "people@1")
    with pytest.raises(ConfigError, match="people@1 is retired; pin another version, or follow `people`"):
        place.resolve("late")


def test_a_pinned_version_is_not_retired_and_the_flows_are_named(place: Place) -> None:
    place.flow("one", "people@1")
    place.flow("broken", "people@1", "nonsense: 1\n")
    place.version(2)
    place.promote(2)
    assert "pinned by broken, one" in refused(place, 1, "retire")


def test_the_active_version_is_not_retired_also_when_nobody_promoted_it(place: Place) -> None:
    place.version(2)
    assert "people@1 is the active version" in refused(place, 1, "retire")
    place.promote(2)
    assert "people@2 is the active version" in refused(place, 2, "retire")


def test_a_retired_version_stays_retired(place: Place) -> None:
    place.version(2)
    place.promote(2)
    place.retire(1)
    assert "is retired. Nothing was changed Copy it to the next version, v3.yaml" in refused(place, 1)
    assert "is retired already" in refused(place, 1, "retire")


def test_a_number_that_skips_is_refused(place: Place) -> None:
    place.version(4)
    assert "people@4 skips version 2: people@2, people@3 never was" in refused(place, 4)


def test_a_number_may_follow_a_file_that_was_removed_after_its_time(place: Place) -> None:
    path = place.version(1)
    place.version(2)
    place.promote(2)
    place.retire(1)
    path.unlink()
    place.version(3)
    assert place.promote(3).replaced == 2


def test_a_version_that_was_promoted_with_another_text_is_a_new_version(place: Place) -> None:
    path = place.version(2)
    place.promote(2)
    place.promote(1)
    path.write_text(path.read_text() + "# a word\n")
    assert "promoted before with another text: its file was changed since" in refused(place, 2)


def test_what_is_not_there_cannot_be_promoted(place: Place) -> None:
    assert "there is no people@7; there are people@1" in refused(place, 7)
    place.promote(1)
    assert "people@1 is active already" in refused(place, 1)
    with pytest.raises(FluxError, match="there is no mapping `nobody`"):
        promote(place.store, place.include, "nobody", 1, by="ann", reason=None)


def test_the_country_of_the_flow_holds_for_numbers_without_one(place: Place) -> None:
    rules = "rules:\n  - {from: id, to: id}\n  - {from: phone, to: phone, transforms: [phone_e164]}\n"
    place.version(1, rules)
    place.flow("german", more="country: DE\n")
    place.flow("plain")
    record = {"id": 1, "phone": "030 901820"}
    assert place.resolve("german").apply(record)[0] == {"id": 1, "phone": "+4930901820"}
    assert place.resolve("plain").apply(record)[1] != []
    place.promote(1)  # from the store, too
    assert place.resolve("german").apply(record)[0] == {"id": 1, "phone": "+4930901820"}


def test_a_country_that_is_none_is_placed(place: Place) -> None:
    place.flow("typo", more="country: UK\n")
    with pytest.raises(ConfigError, match=r"typo\.yaml:4:10: country: 'UK' is not a country code .* did you mean GB"):
        load_flow(place.include, "typo")

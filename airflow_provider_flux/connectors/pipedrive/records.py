"""What Pipedrive can do with one record: search it, make it, change it, delete it. It has no upsert and no batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from airflow_provider_flux.connectors.api.clock import clock
from airflow_provider_flux.connectors.contract import Verdict, WriteItem, Written
from airflow_provider_flux.connectors.lookup import Records
from airflow_provider_flux.connectors.pipedrive import person
from airflow_provider_flux.connectors.pipedrive.newest import Newest
from airflow_provider_flux.connectors.pipedrive.objects import API, IDS, PAGE
from airflow_provider_flux.connectors.rest.bodies import encode_item
from airflow_provider_flux.connectors.rest.placeholders import Unfit
from airflow_provider_flux.connectors.rest.records import NoRecords, find_records
from airflow_provider_flux.connectors.rest.results import RecordJudge
from airflow_provider_flux.errors import CATALOGUE, Disposition, OutcomeUnknown, RecordError
from airflow_provider_flux.transport.answers import NotJson, looks_like_html
from airflow_provider_flux.transport.classify import loosely
from airflow_provider_flux.transport.client import HttpClient
from airflow_provider_flux.transport.failures import Judgement
from airflow_provider_flux.transport.messages import Request, Response
from airflow_provider_flux.transport.paths import MISSING, get

_CUSTOM = "custom_fields."
_GONE = frozenset({404, 410})
# Statuses that may be about the one record; any other refuses every record alike.
_ABOUT_RECORD = frozenset({400, 403, 409, 413, 422, 500})
_JSON = {"Content-Type": "application/json"}


class PipedriveRecords(Records):
    """The records of one object.

    :param name: of the object, as its path has it
    :param archives: whether a record that is gone is archived instead of deleted (deals)
    """

    def __init__(
        self, name: str, client: HttpClient, judgement: Judgement, judge: RecordJudge, *, archives: bool
    ) -> None:
        self._name = name
        self._path = f"{API}/{name}"
        self._client = client
        self._judgement = judgement
        self._judge = judge
        self._archives = archives
        self._newest = Newest(self._newest_pages)

    def search(self, fields: tuple[str, ...], values: tuple[Any, ...]) -> Sequence[str]:
        """The ids of the records with this value, of the search and of what is too new for it."""
        [field], [value] = fields, values
        if field == "id":
            return [str(value)] if self.exists(str(value)) else []
        found = [*self._searched(field, value), *self._newest.ids(field, value)]
        return [key for key in dict.fromkeys(found) if not self._newest.is_gone(key)]

    def exists(self, key: str) -> bool:
        """Whether the record can be read, and is not marked as deleted."""
        return self._current(key) is not None

    def create(self, data: dict[str, Any]) -> Verdict:
        """POST. What was sent and not answered makes the newest records worth another look."""
        body = person.written(data) if self._name == "persons" else dict(data)
        try:
            response = self._send("POST", self._path, body, repeatable=False)
            return response if isinstance(response, RecordError) else self._made(response, data)
        except OutcomeUnknown:
            self._newest.doubtful()
            raise

    def change(self, key: str, data: dict[str, Any]) -> Verdict:
        """PATCH the fields of the record; where others of its e-mails are to be kept, they are read before."""
        body = dict(data)
        if self._name == "persons":
            now = self._current(key) if person.is_short(data) else {}
            if now is None:
                return self._missing(key)
            body = person.written(data, now)
        if self._archives:
            body.setdefault("is_archived", False)  # it is there again
        return self._patched(key, body, data)

    def remove(self, key: str) -> Verdict:
        """DELETE, which Pipedrive undoes for 30 days, or archive."""
        if self._archives:
            return self._patched(key, {"is_archived": True}, {})
        response = self._client.send(Request("DELETE", self._one(key), repeatable=True))
        self._newest.gone(key)
        if response.status in _GONE:
            return self._missing(key)
        return self._refused(response, {}) if response.status >= 300 else Written(key)

    def _made(self, response: Response, data: dict[str, Any]) -> Verdict:
        if not 200 <= response.status < 300:
            return self._refused(response, data)
        record = self._record(response, data, new=True)
        if isinstance(record, RecordError):
            return record
        key = str(record["id"])
        self._newest.made(key, record)
        return Written(key)

    def _patched(self, key: str, body: dict[str, Any], data: dict[str, Any]) -> Verdict:
        response = self._send("PATCH", self._one(key), body, repeatable=True)
        if isinstance(response, RecordError):
            return response
        if response.status in _GONE:
            self._newest.gone(key)
            return self._missing(key)
        if not 200 <= response.status < 300:
            return self._refused(response, data)
        record = self._record(response, data, new=False)
        if isinstance(record, RecordError):
            return record
        if record.get("is_deleted") is True:
            self._newest.gone(key)
            return self._missing(key)
        self._newest.changed(key, record)
        return Written(key)

    def _send(self, method: str, path: str, body: dict[str, Any], *, repeatable: bool) -> Response | RecordError:
        body.pop("id", None)  # Pipedrive gives it and refuses one that is sent
        try:
            content = bytes(encode_item(body))
        except Unfit as unfit:
            return unfit.error
        return self._client.send(Request(method, path, {}, _JSON, content, repeatable, wants="json"))

    def _record(self, response: Response, data: dict[str, Any], *, new: bool) -> dict[str, Any] | RecordError:
        """The record that a 2xx answer holds, or why it was not stored: Pipedrive may say that with any status.

        :raises OutcomeUnknown: the answer to a create does not say
        """
        try:
            answer = response.decoded.value
        except NotJson:
            answer = None
        if get(answer, "success") is False:
            error = self._judge.refused(answer, response.status, WriteItem(data), response.endpoint)
            return self._judgement.about_record(response, error)
        record = get(answer, "data")
        if isinstance(record, dict) and isinstance(record.get("id"), int):
            return record
        page = "a page for people came" if looks_like_html(response.body) else "the answer holds no `data.id`"
        unreadable = self._judgement.unreadable(response, page)
        if new:
            raise OutcomeUnknown("OUTCOME_UNKNOWN", unreadable.message, answer=unreadable.answer)
        raise unreadable

    def _refused(self, response: Response, data: dict[str, Any]) -> RecordError:
        """:raises FluxError: what refuses every record alike"""
        value = loosely(response.body, response.content_type)
        known = self._judge.known(response.status, value)
        if known is None and response.status not in _ABOUT_RECORD:
            raise self._judgement.failed(response)
        if known is not None and CATALOGUE[known.code].disposition in (Disposition.STOP, Disposition.RETRY):
            raise self._judgement.failed(response)
        error = self._judge.refused(value, response.status, WriteItem(data), response.endpoint)
        return self._judgement.about_record(response, error)

    def _missing(self, key: str) -> RecordError:
        return RecordError("RECORD_NOT_FOUND", f"Pipedrive has no {self._path}/{key}, or it is deleted", value=key)

    def _one(self, key: str) -> str:
        """The path of a record. A key that is no id of Pipedrive leads nowhere."""
        return f"{self._path}/{key if key.isdecimal() else 0}"

    def _current(self, key: str) -> dict[str, Any] | None:
        response = self._client.send(Request("GET", self._one(key), wants="json"))
        if response.status in _GONE:
            return None
        self._judgement.check(response)
        record = get(self._judgement.value(response).value, "data")
        return None if not isinstance(record, dict) or record.get("is_deleted") is True else record

    def _searched(self, field: str, value: Any) -> list[str]:
        """The ids that the search finds, without those that only look alike."""
        custom = field.startswith(_CUSTOM)
        asked = {"term": str(value), "fields": "custom_fields" if custom else field, "exact_match": "true"}
        response = self._client.send(Request("GET", f"{self._path}/search", asked, wants="json"))
        items = [get(entry, "item") for entry in self._list(response, "data.items")]
        if custom:
            return self._with_custom([str(item["id"]) for item in items], field, value)
        return [str(item["id"]) for item in items if person.plain(field, value) in _said(item, field)]

    def _with_custom(self, ids: list[str], field: str, value: Any) -> list[str]:
        """Those of the ids whose custom field holds the value: the search does not say in which field it found it."""
        if not ids:
            return []
        wanted = {"ids": ",".join(ids[:IDS]), "custom_fields": field.removeprefix(_CUSTOM), "limit": IDS}
        records = self._list(self._client.send(Request("GET", self._path, wanted, wants="json")), "data")
        return [str(record["id"]) for record in records if person.plain(field, value) in person.values(record, field)]

    def _newest_pages(self) -> Iterator[tuple[list[dict[str, Any]], datetime | None]]:
        asked: dict[str, Any] = {"sort_by": "add_time", "sort_direction": "desc", "limit": PAGE}
        while True:
            response = self._client.send(Request("GET", self._path, asked, wants="json"))
            yield self._list(response, "data"), clock(response)
            cursor = get(response.decoded.value, "additional_data.next_cursor")
            if cursor is MISSING or not cursor:
                return
            asked = {**asked, "cursor": cursor}

    def _list(self, response: Response, path: str) -> list[Any]:
        self._judgement.check(response)
        try:
            return find_records(self._judgement.value(response).value, path, optional=False)
        except NoRecords as error:
            raise self._judgement.unreadable(response, str(error)) from None


def _said(item: dict[str, Any], field: str) -> set[str]:
    """What a result of the search holds in the field; of e-mails and phones it has only the values."""
    found = item.get(person.SHORT.get(field, field))
    return {person.plain(field, value) for value in (found if isinstance(found, list) else [found])}

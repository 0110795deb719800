"""Nimbus CRM, the demo's source: lists contacts by their last change, with a cursor in the body."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow_provider_flux.demo.contacts import Contact
from airflow_provider_flux.demo.http_api import Answer, Api, Faults, Request

KEY = "nimbus-demo-key"
_MOST = 100  # per page; a larger `limit` is lowered silently, as many real APIs do


class Crm:
    """`GET /v1/contacts?limit=&cursor=&updated_since=&updated_before=` with `Authorization: Bearer KEY`.

    Answers `{"data": [...], "paging": {"next": {"cursor": "..."}}}`; the last page has no `next`. Both bounds are
    ISO 8601 instants, `updated_since` inclusive and `updated_before` exclusive.
    """

    def __init__(self, contacts: list[Contact]) -> None:
        self._contacts = contacts

    def serve(self, port: int = 0, faults: Faults | None = None) -> Api:
        """The API, not started yet."""
        return Api(port, self._authorised, self._answer, faults or Faults())

    def _authorised(self, headers: Any) -> bool:
        return bool(headers.get("Authorization") == f"Bearer {KEY}")

    def _answer(self, request: Request) -> Answer:
        if request.method != "GET" or request.path != "/v1/contacts":
            return _error(404, "not_found", f"there is no {request.method} {request.path}")
        try:
            return self._page(request.query)
        except ValueError as error:
            return _error(400, "bad_parameter", str(error))

    def _page(self, query: dict[str, str]) -> Answer:
        since, before = _moment(query, "updated_since"), _moment(query, "updated_before")
        found = [contact for contact in self._contacts if _within(contact, since, before)]
        start = _cursor(query.get("cursor"))
        limit = min(int(query.get("limit", "50")), _MOST)
        if limit < 1:
            raise ValueError("limit must be at least 1")
        paging = {"next": {"cursor": f"after:{start + limit}"}} if start + limit < len(found) else {}
        return Answer(200, {"data": found[start : start + limit], "paging": paging})


def _moment(query: dict[str, str], name: str) -> datetime | None:
    text = query.get(name)
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{name} needs a time zone")
    return moment


def _within(contact: Contact, since: datetime | None, before: datetime | None) -> bool:
    changed = datetime.fromisoformat(contact["updated_at"])
    return (since is None or changed >= since) and (before is None or changed < before)


def _cursor(text: str | None) -> int:
    if not text:
        return 0
    mark, _, place = text.partition(":")
    if mark != "after" or not place.isdigit():
        raise ValueError("unknown cursor")
    return int(place)


def _error(status: int, code: str, message: str) -> Answer:
    return Answer(status, {"error": {"code": code, "message": message}})

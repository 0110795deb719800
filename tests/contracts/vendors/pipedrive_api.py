"""Pipedrive's API v2: one company with persons, organizations, deals and products, all in memory.

Shapes and costs are those of the vendor's OpenAPI description; error bodies are those that were seen of the live API
(`errorCode`, `error_info`), and of v1 where v2 is not known. Deleted records stay for 30 days and are in no list but
that of deals. The search knows only what was there when `index()` was called.
"""

from __future__ import annotations

import base64
import copy
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from tests.contracts.servers.wire import Call, Reply

TOKEN = "pd-4f5e6d7c8b9a0f1e2d3c4b5a69788796a5b4c3d2"
CLIENT = ("pd-app", "pd-app-s3cret")
REFRESH = "pd-refresh-11223344"
CUSTOM = "9dc80c50d78a15643bfc4ca79d76156a73a1ca0e"
"""Code of a custom field of persons, a text; `customer number`."""
CHOICE = "3f5b7f8a0b5c4e19b2d3c4f5a6b7c8d9e0f1a2b3"
"""Code of another, a choice."""

Record = dict[str, Any]
_INFO = "Please check developers.pipedrive.com"
_FIELD_LISTS = {
    "personFields": "required_fields",
    "organizationFields": "required_fields",
    "dealFields": "required_fields",
    "productFields": "ui_visibility",
    "activityFields": "ui_visibility",
}
"""What may be included in each."""
_MESSAGES = {
    400: "Bad request",
    401: "unauthorized access",
    402: "payment required",
    403: "Scope and URL mismatch",
    404: "Resource not found",
    410: "Resource is deleted",
    413: "Payload too large",
    429: "request over limit",
    500: "Internal server error",
    503: "Service unavailable",
}
_WRITABLE = {
    "persons": {"name", "owner_id", "org_id", "add_time", "update_time", "emails", "phones", "visible_to", "label_ids"},
    "organizations": {"name", "owner_id", "add_time", "update_time", "visible_to", "label_ids", "address"},
    "deals": {"title", "owner_id", "person_id", "org_id", "value", "currency", "status", "is_archived", "label_ids"},
    "products": {"name", "code", "description", "unit", "tax", "prices", "owner_id"},
    "activities": {"subject", "type", "due_date", "done", "participants", "note", "deal_id"},
}
_NAME = {"deals": "title"}


def refusal(status: int, message: str | None = None, headers: dict[str, str] | None = None, **more: Any) -> Reply:
    """An error in Pipedrive's words."""
    said = message or _MESSAGES[status]
    body = {"success": False, "error": said, "errorCode": status, "error_info": _INFO, **more}
    return Reply(status, body, headers or {})


class PipedriveApi:
    """A company whose lists hand out at most `largest_page` records: the API may lower the 500 of its documents."""

    largest_page = 100

    def __init__(self) -> None:
        self.records: dict[str, dict[int, Record]] = {name: {} for name in _WRITABLE}
        self.seen_by_search: dict[str, dict[int, Record]] = {name: {} for name in _WRITABLE}
        self.tokens = 0
        """What the calls have cost of the daily budget."""
        self.access_token = ""
        self._next = 1

    # --- the API ----------------------------------------------------------------------------------

    def handle(self, call: Call) -> Reply:
        if call.path == "/oauth/token":
            return self._grant(call)
        bearer = call.headers.get("authorization", "").removeprefix("Bearer ")
        if call.headers.get("x-api-token") != TOKEN and (not bearer or bearer != self.access_token):
            return refusal(401)
        if call.path == "/v1/users/me":
            self.tokens += 2
            return Reply(200, {"success": True, "data": {"id": 1, "name": "Flux"}})
        parts = call.path.removeprefix("/api/v2/").split("/")
        if not call.path.startswith("/api/v2/"):
            return refusal(404)
        if parts[0].endswith("Fields"):
            self.tokens += 10
            return self._fields(parts[0], call)
        if parts[0] not in self.records:
            return refusal(404)
        if parts[1:] == ["search"]:
            self.tokens += 20
            return self._search(parts[0], call)
        if parts[1:] == ["archived"]:
            self.tokens += 20
            return self._list(parts[0], call, archived=True)
        return self._records(call, parts[0], parts[1] if len(parts) > 1 else None)

    def _grant(self, call: Call) -> Reply:
        """A token of an hour, for the app and a refresh token that does not change."""
        asked = {name: values[0] for name, values in parse_qs(call.body.decode()).items()}
        pair = base64.b64encode(f"{CLIENT[0]}:{CLIENT[1]}".encode()).decode()
        if call.headers.get("authorization") != f"Basic {pair}":
            return Reply(401, {"success": False, "error": "invalid_client", "message": "Client is invalid"})
        if asked != {"grant_type": "refresh_token", "refresh_token": REFRESH}:
            return Reply(400, {"success": False, "error": "invalid_grant", "message": "Invalid grant"})
        self.access_token += "pd-access-"
        granted = {"access_token": self.access_token, "token_type": "Bearer", "refresh_token": REFRESH}
        return Reply(200, granted | {"scope": "base", "expires_in": 3599, "api_domain": "https://acme.pipedrive.com"})

    def _records(self, call: Call, name: str, key: str | None) -> Reply:
        if key is None and call.method == "GET":
            self.tokens += 10
            return self._list(name, call)
        if key is None and call.method == "POST":
            self.tokens += 5
            return self._create(name, call.json())
        record = self.records[name].get(int(key)) if key is not None and key.isdecimal() else None
        if record is None or record["is_deleted"]:
            return refusal(404, f"{name.removesuffix('s').capitalize()} not found")
        if call.method == "GET":
            self.tokens += 1
            return Reply(200, {"success": True, "data": record})
        if call.method == "PATCH":
            self.tokens += 5
            return self._change(name, record, call.json())
        if call.method == "DELETE":
            self.tokens += 3
            self._touch(record | {"is_deleted": True}, name)
            return Reply(200, {"success": True, "data": {"id": record["id"]}})
        return refusal(401)  # so it answers a wrong method

    def _list(self, name: str, call: Call, *, archived: bool = False) -> Reply:
        limit = int(call.param("limit", "100"))
        if limit > 500:
            return refusal(400, "limit must be less than or equal to 500", code="ERR_SCHEMA_VALIDATION_FAILED")
        field, down = call.param("sort_by", "id"), call.param("sort_direction", "asc") == "desc"
        try:
            rows = [row for row in self.records[name].values() if self._shown(row, call, archived)]
        except ValueError as error:
            return refusal(400, str(error), code="ERR_SCHEMA_VALIDATION_FAILED")
        rows.sort(key=lambda row: _place(row, field), reverse=down)
        if call.param("cursor"):
            after = tuple(json.loads(base64.urlsafe_b64decode(call.param("cursor"))))
            rows = [row for row in rows if (_place(row, field) < after if down else _place(row, field) > after)]
        page = [self._with_fields(row, call) for row in rows[: min(limit, self.largest_page)]]
        last = None
        if len(rows) > len(page):
            last = base64.urlsafe_b64encode(json.dumps([page[-1][field], page[-1]["id"]]).encode()).decode()
        return Reply(200, {"success": True, "data": page, "additional_data": {"next_cursor": last}})

    def _shown(self, row: Record, call: Call, archived: bool) -> bool:
        since, until = call.param("updated_since"), call.param("updated_until")
        for moment in (since, until):
            if "." in moment:
                raise ValueError(f"{moment} is not a valid datetime")  # seen of the live API: it takes whole seconds
        wanted = call.param("status").split(",")
        if row["is_deleted"] and "deleted" not in wanted:
            return False
        if bool(row.get("is_archived")) is not archived and not row["is_deleted"]:
            return False
        if call.param("ids") and str(row["id"]) not in call.param("ids").split(",")[:100]:
            return False
        return (not since or row["update_time"] >= since) and (not until or row["update_time"] < until)

    def _with_fields(self, row: Record, call: Call) -> Record:
        if not call.param("custom_fields"):
            return row
        wanted = call.param("custom_fields").split(",")
        return row | {"custom_fields": {code: value for code, value in row["custom_fields"].items() if code in wanted}}

    def _search(self, name: str, call: Call) -> Reply:
        term, fields = call.param("term").casefold(), call.param("fields").split(",")
        if len(term) < (1 if call.param("exact_match") == "true" else 2):
            return refusal(400, "term must be at least 2 characters long")
        found = []
        for row in self.seen_by_search[name].values():
            held = [str(value).casefold() for field in fields for value in _held(row, field)]
            exact = call.param("exact_match") == "true"
            if not row["is_deleted"] and (term in held if exact else any(term in value for value in held)):
                item = {"id": row["id"], "type": name.removesuffix("s"), "custom_fields": _held(row, "custom_fields")}
                item |= {key: row[key] for key in ("name", "title", "code") if key in row}
                item |= {key: [entry["value"] for entry in row.get(key) or []] for key in ("emails", "phones")}
                found.append({"result_score": 1.2, "item": item})
        return Reply(200, {"success": True, "data": {"items": found}, "additional_data": {"next_cursor": None}})

    def _create(self, name: str, data: Record) -> Reply:
        title = _NAME.get(name, "name")
        if name in ("persons", "organizations", "deals", "products") and not data.get(title):
            return refusal(400, f"{title.capitalize()} must be given.", data=None, additional_data=None)
        if wrong := self._wrong(name, data):
            return wrong
        record = {"id": self._next, "add_time": _now(), "update_time": _now(), "is_deleted": False}
        record |= {"custom_fields": {}, **data}
        self._next += 1
        self._touch(record, name)
        return Reply(201, {"success": True, "data": record})

    def _change(self, name: str, record: Record, data: Record) -> Reply:
        if wrong := self._wrong(name, data):
            return wrong
        custom = record["custom_fields"] | data.pop("custom_fields", {})
        changed = record | data | {"custom_fields": custom, "update_time": data.get("update_time") or _now()}
        self._touch(changed, name)
        return Reply(200, {"success": True, "data": changed})

    def _wrong(self, name: str, data: Record) -> Reply | None:
        unknown = sorted(set(data) - _WRITABLE[name] - {"custom_fields"})
        if unknown:
            return refusal(400, f"Invalid field(s) in the payload: {unknown[0]}", code="ERR_SCHEMA_VALIDATION_FAILED")
        if set(data.get("custom_fields", {})) - {CUSTOM, CHOICE}:
            return refusal(400, "custom_fields holds an unknown key", code="ERR_SCHEMA_VALIDATION_FAILED")
        title = _NAME.get(name, "name")
        if len(data.get(title) or "") > 255:
            return refusal(400, f"{title} length must be less than or equal to 255 characters long")
        for field in ("emails", "phones"):
            entries = data.get(field, [])
            if not isinstance(entries, list) or any(not isinstance(entry, dict) for entry in entries):
                return refusal(400, f"{field} must be array", code="ERR_SCHEMA_VALIDATION_FAILED")
        return None

    def _fields(self, path: str, call: Call) -> Reply:
        if path not in _FIELD_LISTS:
            return refusal(404)
        if call.param("include_fields", _FIELD_LISTS[path]) != _FIELD_LISTS[path]:
            return refusal(400, "include_fields is not one of those allowed", code="ERR_SCHEMA_VALIDATION_FAILED")
        told = [_field("name", "varchar", required=True), _field("email", "varchar"), _field("add_time", "date")]
        told += [_field("activities_count", "int")]
        if path == "personFields":
            told.append(_field(CUSTOM, "varchar", custom=True, field_name="Customer number"))
            options = [{"id": 1, "label": "Inbound"}, {"id": 2, "label": "Outbound"}]
            choice = _field(CHOICE, "enum", custom=True, required=True, field_name="Lead source", options=options)
            told.append(choice)
        start = int(call.param("cursor", "0"))
        page = told[start : start + 3]
        following = str(start + 3) if start + 3 < len(told) else None
        return Reply(200, {"success": True, "data": page, "additional_data": {"next_cursor": following}})

    def _touch(self, record: Record, name: str) -> None:
        self.records[name][record["id"]] = record

    def index(self) -> None:
        """The search learns of everything that is there now."""
        self.seen_by_search = copy.deepcopy(self.records)


def _place(row: Record, field: str) -> tuple[Any, int]:
    return row[field], row["id"]


def _field(code: str, kind: str, *, custom: bool = False, required: bool = False, **more: Any) -> Record:
    declared = {"field_name": code, "field_code": code, "field_type": kind, "is_custom_field": custom}
    return declared | {"is_optional_response_field": False, "required_fields": {"enabled": required}, **more}


def _held(row: Record, field: str) -> list[str]:
    if field == "custom_fields":
        return [str(value) for value in row["custom_fields"].values()]
    if field in ("email", "phone"):
        return [entry["value"] for entry in row.get(f"{field}s") or []]
    return [row[field]] if row.get(field) else []


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

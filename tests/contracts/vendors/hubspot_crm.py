"""HubSpot's CRM API v3 in memory: records of several objects, their properties, and its ways of refusing.

Shapes are those of HubSpot's OpenAPI description; messages and categories those that were quoted from live accounts:
`Property values were not valid: [...]` (a JSON list inside the message), `Duplicate IDs found in batch input`, `Could
not get some CONTACT objects`, `Unable to infer object type from`. A batch whose inputs all carry an
`objectWriteTraceId` is answered record by record (207); any other one is refused as a whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.contracts.servers.wire import Reply

Record = dict[str, Any]
Properties = dict[str, Any]

CORRELATION = "aeb5f871-7f07-4993-9211-075dc63e7cbf"
FIRST_SECOND = datetime(2026, 3, 1, tzinfo=UTC)
_CEILING = 10_000
_LONGEST = 65_536
_REQUIRED_OF_A_SEARCH = ("after", "filterGroups", "limit", "properties", "sorts")


def stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def prop(name: str, type: str = "string", **more: Any) -> Properties:
    """A property as HubSpot lists it."""
    rights = {"archivable": False, "readOnlyDefinition": True, "readOnlyValue": more.pop("read_only", False)}
    options = [{"label": value.title(), "value": value, "hidden": False} for value in more.pop("options", ())]
    return {
        "name": name,
        "label": name.title(),
        "type": type,
        "fieldType": more.pop("field_type", "text"),
        "options": options,
        "hasUniqueValue": more.pop("unique", False),
        "hubspotDefined": not more.pop("custom", False),
        "calculated": False,
        "modificationMetadata": rights,
        **more,
    }


def _defaults(modified: str) -> list[Properties]:
    read_only = [("hs_object_id", "number"), ("createdate", "datetime"), (modified, "datetime")]
    return [prop(name, type, read_only=True) for name, type in read_only]


OBJECTS: dict[str, list[Properties]] = {
    "contacts": [
        *_defaults("lastmodifieddate"),
        prop("email"),
        prop("hs_additional_emails"),
        prop("firstname"),
        prop("lastname"),
        prop("phone", "phone_number"),
        prop("company"),
        prop("jobtitle"),
        prop("lifecyclestage", "enumeration", field_type="radio", options=("lead", "customer")),
        prop("languages", "enumeration", field_type="checkbox", options=("de", "en"), custom=True),
        prop("age", "number", custom=True),
        prop("customer_number", unique=True, custom=True),
    ],
    "companies": [*_defaults("hs_lastmodifieddate"), prop("name"), prop("domain"), prop("erp_id", unique=True)],
    "deals": [*_defaults("hs_lastmodifieddate"), prop("dealname"), prop("amount", "number")],
    "tickets": [*_defaults("hs_lastmodifieddate"), prop("subject"), prop("hs_pipeline_stage", "enumeration")],
    "2-1234567": [*_defaults("hs_lastmodifieddate"), prop("plate", unique=True, custom=True), prop("colour")],
}
REQUIRED = {"tickets": {"hs_pipeline_stage"}, "2-1234567": {"plate"}}


class Crm:
    """One account.

    :param whole: refuse batches as a whole even where inputs have traces
    :param largest_page: of a search; HubSpot's was 100 until 2024
    :param lagging: ids that the search does not know yet
    :param nulls: answer null for a property that was asked for and has no value, as live accounts do (the description
        knows texts only)
    """

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Record]] = {name: {} for name in OBJECTS}
        self.archived: dict[str, dict[str, Record]] = {name: {} for name in OBJECTS}
        self.lagging: set[str] = set()
        self.largest_page = 200
        self.whole = False
        self.nulls = True
        self._numbers = 100
        self._now = FIRST_SECOND + timedelta(days=1)

    # --- records --------------------------------------------------------------------------------

    def add(self, name: str, properties: Properties, moment: datetime | None = None) -> Record:
        self._numbers += 1
        self._now += timedelta(seconds=1)
        number, created = str(self._numbers), stamp(moment or self._now)
        record = {
            "id": number,
            "properties": {"hs_object_id": number, "createdate": created},
            "createdAt": created,
            "archived": False,
        }
        self.objects[name][number] = record
        self.change(name, record, properties, moment)
        return record

    def change(self, name: str, record: Record, properties: Properties, moment: datetime | None = None) -> None:
        self._now += timedelta(seconds=1)
        changed = stamp(moment or self._now)
        record["properties"].update(properties)
        record["properties"]["lastmodifieddate" if name == "contacts" else "hs_lastmodifieddate"] = changed
        record["updatedAt"] = changed

    def archive(self, name: str, number: str, moment: datetime | None = None) -> None:
        record = self.objects[name].pop(number, None)
        if record is not None:
            record |= {"archived": True, "archivedAt": stamp(moment or self._now)}
            self.archived[name][number] = record

    def find(self, name: str, by: str | None, value: str) -> Record | None:
        """By id, or by a unique property (contacts also by any of their e-mails)."""
        if by is None:
            return self.objects[name].get(value)
        for record in self.objects[name].values():
            held = [record["properties"].get(by) or ""]
            if by == "email":
                held += (record["properties"].get("hs_additional_emails") or "").split(";")
            if value and value.casefold() in [one.casefold() for one in held]:
                return record
        return None

    # --- reading --------------------------------------------------------------------------------

    def list(self, name: str, limit: int, after: str, archived: bool, wanted: list[str]) -> Reply:
        if limit > 100:
            return refused(400, "Max page size for list requests is 100")
        kept = self.archived[name] if archived else self.objects[name]
        numbers = sorted((number for number in kept if int(number) > int(after or 0)), key=int)
        body: dict[str, Any] = {"results": [self._shown(kept[number], wanted) for number in numbers[:limit]]}
        if len(numbers) > limit:
            last = numbers[limit - 1]
            body["paging"] = {"next": {"after": last, "link": f"?after={last}"}}
        return Reply(200, body)

    def search(self, name: str, body: dict[str, Any]) -> Reply:
        missing = [key for key in _REQUIRED_OF_A_SEARCH if key not in body]
        values = [one.get("value") for group in body.get("filterGroups", ()) for one in group["filters"]]
        if missing or not all(isinstance(value, str) for value in values) or not isinstance(body["after"], str):
            return refused(400, f"Invalid input JSON: {missing or 'a value is no string'}")
        limit, after = body["limit"], int(body["after"] or 0)
        if limit > 200 or len(body["filterGroups"]) > 5 or len(body["sorts"]) > 1:
            return refused(400, "too many: limit 200, 5 filterGroups, 1 sort")
        if after + limit > _CEILING:
            return refused(400, "The request failed because it would exceed 10000 results")
        found = [record for number, record in self.objects[name].items() if number not in self.lagging]
        groups = body["filterGroups"]
        if groups:
            found = [one for one in found if any(all(_fits(one, f) for f in group["filters"]) for group in groups)]
        if body["sorts"]:
            found.sort(key=lambda record: _number(record["properties"].get(body["sorts"][0])))
        limit = min(limit, self.largest_page)
        page = found[after : after + limit]
        shown = [self._shown(one, body["properties"]) for one in page]
        answer: dict[str, Any] = {"total": len(found), "results": shown}
        if len(found) > after + limit:
            answer["paging"] = {"next": {"after": str(after + limit), "link": "?after=" + str(after + limit)}}
        return Reply(200, answer)

    def read(self, name: str, body: dict[str, Any]) -> Reply:
        if not {"properties", "propertiesWithHistory"} <= body.keys():
            return refused(400, "Invalid input JSON: properties and propertiesWithHistory are required")
        by = body.get("idProperty")
        if by is not None and not self._is_unique(name, by):
            return refused(400, f"Unable to perform read by non-unique {name} property: {by}")
        results, missing = [], []
        for one in body["inputs"]:
            record = self.find(name, by, one["id"])
            if record is None:
                missing.append(one["id"])
            else:
                results.append(self._shown(record, body["properties"]))
        return batch(200, results, [_gone(name, missing)] if missing else [])

    # --- writing --------------------------------------------------------------------------------

    def write(self, action: str, name: str, inputs: list[dict[str, Any]]) -> Reply:
        if len(inputs) > 100:
            return refused(400, "The maximum number of inputs supported in a batch request is 100")
        if not all(isinstance(v, str) for one in inputs for v in one.get("properties", {}).values()):
            return refused(400, "Invalid input JSON: properties must be strings")
        if action == "archive":
            for one in inputs:
                self.archive(name, one["id"])
            return Reply(204)
        ids = [one["id"].casefold() for one in inputs if "id" in one]
        if twice := sorted({one for one in ids if ids.count(one) > 1}):
            said = f"Duplicate IDs found in batch input: [{', '.join(twice)}]. IDs must be unique"
            return refused(400, said, context={"ids": twice})
        for by in {one.get("idProperty") for one in inputs} - {None}:
            if not self._is_unique(name, by):
                return refused(400, f"Unable to perform update/upsert by non-unique {name} property: {by}")
        one_by_one: Callable[[str, dict[str, Any]], tuple[Record, bool] | Reply] = {
            "create": self._create,
            "update": self._update,
            "upsert": self._upsert,
        }[action]
        return self._each(action, name, inputs, one_by_one)

    def _each(self, action: str, name: str, inputs: list[dict[str, Any]], do: Any) -> Reply:
        traced = all(one.get("objectWriteTraceId") for one in inputs) and not self.whole
        if not traced:
            before = json.dumps(self.objects[name])
            for one in inputs:
                done = do(name, one)
                if isinstance(done, Reply):
                    self.objects[name] = json.loads(before)
                    return done
            self.objects[name] = json.loads(before)
        results, errors = [], []
        for one in inputs:
            done = do(name, one)
            trace = one.get("objectWriteTraceId")
            if isinstance(done, Reply):
                body = done.body
                context = {**body.get("context", {}), "objectWriteTraceId": [trace]}
                errors.append({"errors": [], "links": {}, **body, "status": "error", "context": context})
            else:
                record, new = done
                shown = self._shown(record, list(record["properties"]))
                results.append({**shown, **({"new": new} if action == "upsert" else {}), "objectWriteTraceId": trace})
        return batch(201 if action == "create" else 200, results, errors)

    def _create(self, name: str, one: dict[str, Any]) -> tuple[Record, bool] | Reply:
        if "associations" not in one:
            return refused(400, "Invalid input JSON: associations are required")
        return self._new(name, one["properties"])

    def _new(self, name: str, properties: Properties) -> tuple[Record, bool] | Reply:
        wanting = sorted(REQUIRED.get(name, set()) - properties.keys())
        if wanting:
            said = f"Error creating {name}. Some required properties were not set."
            detail = {"message": said, "code": "REQUIRED_FIELD", "context": {"properties": wanting}, "in": wanting[0]}
            return refused(400, said, errors=[detail])
        return self._refusal(name, properties, None) or (self.add(name, properties), True)

    def _update(self, name: str, one: dict[str, Any]) -> tuple[Record, bool] | Reply:
        record = self.find(name, one.get("idProperty"), one["id"])
        if record is None:
            return Reply(404, _gone(name, [one["id"]]))
        if reply := self._refusal(name, one["properties"], record):
            return reply
        self.change(name, record, one["properties"])
        return record, False

    def _upsert(self, name: str, one: dict[str, Any]) -> tuple[Record, bool] | Reply:
        if self.find(name, one["idProperty"], one["id"]) is not None:
            return self._update(name, one)
        return self._new(name, {one["idProperty"]: one["id"], **one["properties"]})

    def _refusal(self, name: str, properties: Properties, own: Record | None) -> Reply | None:
        """What is wrong with the properties of a record that is made (own is None) or changed."""
        known = {one["name"]: one for one in OBJECTS[name]}
        wrong = [found for key, value in properties.items() if (found := _wrong(known.get(key), key, value))]
        if wrong:
            details = [
                {"message": one["message"], "code": one["error"], "context": {"propertyName": [one["name"]]}}
                for one in wrong
            ]
            return refused(400, f"Property values were not valid: {json.dumps(wrong)}", errors=details)
        for key, value in properties.items():
            other = self.find(name, key, value) if self._is_unique(name, key) else None
            if other is not None and other is not own:
                return refused(409, f"Contact already exists. Existing ID: {other['id']}", "CONFLICT")
        return None

    def _is_unique(self, name: str, key: str) -> bool:
        unique = {one["name"] for one in OBJECTS[name] if one["hasUniqueValue"]}
        return key in unique or (name, key) == ("contacts", "email")

    def _shown(self, record: Record, wanted: list[str]) -> Record:
        modified = "lastmodifieddate" if "lastmodifieddate" in record["properties"] else "hs_lastmodifieddate"
        shown = {key: record["properties"].get(key) for key in (*wanted, "createdate", modified, "hs_object_id")}
        return {
            **record, "properties": {key: value for key, value in shown.items() if self.nulls or value is not None}
        }  # fmt: skip


def refused(status: int, message: str, category: str = "VALIDATION_ERROR", **more: Any) -> Reply:
    """A refusal in HubSpot's words."""
    body = {"status": "error", "message": message, "correlationId": CORRELATION, "category": category, **more}
    return Reply(status, body)


def batch(status: int, results: list[Record], errors: list[Any]) -> Reply:
    """The answer to a batch."""
    now = stamp(FIRST_SECOND)
    body: dict[str, Any] = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
    if errors:
        return Reply(207, {**body, "numErrors": len(errors), "errors": errors})
    return Reply(status, body)


def _gone(name: str, ids: list[str]) -> dict[str, Any]:
    said = f"Could not get some {name.rstrip('s').upper()} objects, they may be deleted or not exist. "
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": said + "Check that ids are valid.",
        "context": {"ids": ids},
        "errors": [],
        "links": {},
    }


def _wrong(known: Properties | None, key: str, value: str) -> dict[str, Any] | None:
    def bad(error: str, message: str) -> dict[str, Any]:
        return {"isValid": False, "message": message, "error": error, "name": key}

    if known is None:
        return bad("PROPERTY_DOESNT_EXIST", f'Property "{key}" does not exist')
    if known["modificationMetadata"]["readOnlyValue"]:
        return bad("READ_ONLY_VALUE", f'"{key}" is a read only property; its value cannot be set.')
    allowed = [one["value"] for one in known["options"]]
    chosen = value.split(";") if known["fieldType"] == "checkbox" else [value]
    if value and allowed and not set(chosen) <= set(allowed):
        return bad("INVALID_OPTION", f"{value} was not one of the allowed options: {allowed}")
    if key == "email" and re.fullmatch(r"[^@\s]+@[^@\s]+\.[a-z]{2,}", value) is None:
        return bad("INVALID_EMAIL", f"Email address {value} is invalid")
    if known["type"] == "number" and value and re.fullmatch(r"-?\d+(\.\d+)?", value) is None:
        return bad("INVALID_LONG", f"{value} was not a valid long.")
    if len(value) > _LONGEST:
        return bad("VALUE_TOO_LONG", f"{key} is too long. The maximum is {_LONGEST} characters.")
    return None


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return datetime.fromisoformat(str(value).replace("Z", "+00:00")).timestamp() * 1000


def _fits(record: Record, asked: dict[str, str]) -> bool:
    held = record["properties"].get(asked["propertyName"])
    if asked["operator"] == "EQ":
        return held is not None and held.casefold() == asked["value"].casefold()
    if held is None:
        return False
    value, wanted = _number(held), float(asked["value"])
    return {"GT": value > wanted, "GTE": value >= wanted, "LT": value < wanted, "LTE": value <= wanted}[
        asked["operator"]
    ]

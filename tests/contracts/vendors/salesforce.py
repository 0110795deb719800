"""An org at Salesforce: OAuth2, SOQL, sObject collections, describe, the recycle bin.

Shapes: REST API Developer Guide, and bodies from live orgs that third parties quote; docs/connectors/salesforce.md says
which are not verified.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar
from urllib.parse import parse_qs

from tests.contracts.servers.wire import Call, Reply
from tests.contracts.vendors import soql
from tests.contracts.vendors.vendor import Person, Vendor

KEY, SECRET = "3MVG9lKcPoNINVBIPJjdw1J9LLM82Hn", "1955279925675241571-consumer-secret"
REFRESH = "5Aep861TSESvWeug_xvFHRBTTbf_refresh"

_DATA = "/services/data/v63.0/"
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
Record = dict[str, Any]


def problem(code: str, message: str, *fields: str) -> Record:
    """An error inside a collection: `statusCode`, where others say `errorCode`."""
    return {"statusCode": code, "message": message, "fields": list(fields)}


def refused(status: int, code: str, message: str, *fields: str) -> Reply:
    """An error of a whole request."""
    told = {"message": message, "errorCode": code}
    return Reply(status, [told | {"fields": list(fields)} if fields else told])


def column(name: str, kind: str = "string", length: int = 0, **more: Any) -> Record:
    """A field as `describe` tells it."""
    return {
        "name": name, "label": name, "type": kind, "length": length, "nillable": True, "defaultedOnCreate": False,
        "createable": True, "updateable": True, "custom": name.endswith("__c"), "externalId": False, "unique": False,
        "picklistValues": [], "restrictedPicklist": False, "relationshipName": None, **more,
    }  # fmt: skip


_SET = {"createable": False, "updateable": False, "nillable": False, "defaultedOnCreate": True}
_SYSTEM = (
    column("Id", "id", 18, **_SET),
    column("IsDeleted", "boolean", **_SET),
    column("SystemModstamp", "datetime", **_SET),
)
_STAGES = [
    {"value": "new", "active": True}, {"value": "won", "active": True}, {"value": "gone", "active": False},
]  # fmt: skip
OBJECTS: dict[str, tuple[Record, ...]] = {
    "Contact": (
        *_SYSTEM,
        column("LastName", "string", 80, nillable=False),
        column("Phone", "phone", 40),
        column("Email", "email", 80),
        column("Email__c", "string", 120, externalId=True, unique=True),
        column("Stage__c", "picklist", 255, picklistValues=_STAGES, restrictedPicklist=True),
        column("AccountId", "reference", 18, relationshipName="Account"),
        column("Score__c", "double"),
    ),
    "Account": (
        *_SYSTEM,
        column("Name", "string", 255, nillable=False),
        column("Key__c", "string", 40, externalId=True, unique=True),
    ),
}
_PREFIXES = {"Contact": "003", "Account": "001"}


class SalesforceVendor(Vendor):
    """Contacts by the external id `Email__c`."""

    connector: ClassVar[str] = "salesforce"
    modes: ClassVar[frozenset[str]] = frozenset({"create", "update", "upsert", "create_if_missing"})
    deletes: ClassVar[frozenset[str]] = frozenset({"ignore", "archive"})
    max_name: ClassVar[int | None] = 80
    required: ClassVar[str | None] = "name"
    fallback_key: ClassVar[str | None] = "Phone"
    form_fields: ClassVar[tuple[str, ...]] = ("extra.consumer_key", "extra.consumer_secret")

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[str, dict[str, Record]] = {name: {} for name in OBJECTS}
        self.tokens: set[str] = set()
        self.locators: dict[str, tuple[list[Record], int]] = {}
        self.locked: dict[str, int] = {}
        """Email -> how often its record is still locked."""
        self.grants: list[dict[str, str]] = []
        self.numbers = 0
        self.url = ""

    # --- the API --------------------------------------------------------------------------------

    def handle(self, call: Call) -> Reply:
        if call.path == "/services/oauth2/token":
            return self._token(call)
        if call.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return refused(401, "INVALID_SESSION_ID", "Session expired or invalid")
        if not call.path.startswith(_DATA):
            return refused(404, "NOT_FOUND", "The requested resource does not exist")
        rest = call.path.removeprefix(_DATA)
        if rest == "":
            return Reply(200, {"sobjects": f"{_DATA}sobjects", "query": f"{_DATA}query"})
        if rest.startswith(("query/", "queryAll/")):
            return self._more(rest.partition("/")[2])
        if rest in ("query", "queryAll"):
            return self._query(call, deleted=rest == "queryAll")
        if rest.startswith("composite/sobjects"):
            return self._collection(call, rest.split("/")[2:])
        if match := re.fullmatch(r"sobjects/(\w+)/describe", rest):
            return self._describe(match[1])
        return refused(404, "NOT_FOUND", "The requested resource does not exist")

    def _token(self, call: Call) -> Reply:
        form = {name: values[0] for name, values in parse_qs(call.body.decode()).items()}
        self.grants.append(form)
        kind = form.get("grant_type")
        signed = kind == "urn:ietf:params:oauth:grant-type:jwt-bearer" and "assertion" in form
        if not signed and form.get("client_id") != KEY:
            return Reply(400, {"error": "invalid_client_id", "error_description": "client identifier invalid"})
        if kind == "client_credentials" and form.get("client_secret") != SECRET:
            return Reply(400, {"error": "invalid_client", "error_description": "invalid client credentials"})
        if kind == "refresh_token" and form.get("refresh_token") != REFRESH:
            return Reply(400, {"error": "invalid_grant", "error_description": "expired access/refresh token"})
        self.numbers += 1
        token = f"00D000000000001!AQ.token-{self.numbers}"
        self.tokens = {token}
        # No `expires_in`: how long a session lives is a setting of the org.
        answer = {
            "access_token": token, "instance_url": f"http://127.0.0.1:{call.port}", "token_type": "Bearer",
            "id": "https://login.salesforce.com/id/00D000000000001/005000000000001", "issued_at": "1772323200000",
        }  # fmt: skip
        return Reply(200, answer | ({"refresh_token": REFRESH} if kind == "authorization_code" else {}))

    def _query(self, call: Call, *, deleted: bool) -> Reply:
        try:
            query = soql.parse(call.param("q"))
        except soql.Malformed as error:
            return refused(400, "MALFORMED_QUERY", str(error))
        if query.name not in OBJECTS:
            text = f"sObject type '{query.name}' is not supported."
            return refused(400, "INVALID_TYPE", f"\nSELECT Id FROM {query.name}\n^\nERROR at Row:1:Column:1\n{text}")
        known = {one["name"] for one in OBJECTS[query.name]}
        for name in sorted(query.used):
            if name.partition(".")[0] not in known | {"Account"}:
                return refused(400, "INVALID_FIELD", f"No such column '{name}' on entity '{query.name}'.")
        for asked in query.ids:
            if _ID.fullmatch(asked) is None:
                return refused(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {asked}")
        rows = [row for row in self.records[query.name].values() if deleted or not row["IsDeleted"]]
        rows = sorted(filter(query.keeps, rows), key=lambda row: [soql.compared(row[name]) for name in query.order])
        found = [self._shown(query, row) for row in rows]
        size = re.fullmatch(r"batchSize=(\d+)", call.headers.get("sforce-query-options", "batchSize=2000"))
        assert size is not None
        return self._page(found, max(200, int(size[1])), 0)

    def _shown(self, query: soql.Query, row: Record) -> Record:
        shown: Record = {"attributes": {"type": query.name, "url": f"{_DATA}sobjects/{query.name}/{row['Id']}"}}
        for name in query.fields:
            relation, _, inner = name.partition(".")
            if not inner:
                shown[name] = row.get(name)
                continue
            other = self.records["Account"].get(row.get("AccountId") or "")
            shown[relation] = None if other is None else {"attributes": {"type": "Account"}, inner: other.get(inner)}
        return shown

    def _more(self, locator: str) -> Reply:
        name, _, start = locator.rpartition("-")
        if name not in self.locators:
            return refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        rows, size = self.locators[name]
        return self._page(rows, size, int(start), name)

    def _page(self, rows: list[Record], size: int, start: int, name: str = "") -> Reply:
        end = start + size
        page: Record = {"totalSize": len(rows), "done": end >= len(rows), "records": rows[start:end]}
        if not page["done"]:
            if not name:
                self.numbers += 1
                name = f"01gRO{self.numbers:010d}AYA2"
                self.locators[name] = (rows, size)
            page["nextRecordsUrl"] = f"{_DATA}query/{name}-{end}"
        return Reply(200, page, {"Sforce-Limit-Info": "api-usage=18/5000"})

    def _describe(self, name: str) -> Reply:
        if name not in OBJECTS:
            return refused(404, "NOT_FOUND", "The requested resource does not exist")
        return Reply(200, {"name": name, "custom": False, "fields": list(OBJECTS[name])})

    def _collection(self, call: Call, rest: list[str]) -> Reply:
        if call.method == "DELETE":
            return Reply(200, [self._remove(key) for key in call.param("ids").split(",")])
        records = call.json()["records"]
        if len(records) > 200:
            return refused(400, "EXCEEDED_ID_LIMIT", "record limit reached. cannot submit more than 200 records")
        external_id = rest[1] if rest else None
        by = external_id or "id"
        given = [str(record.get(by)).lower() for record in records] if call.method == "PATCH" else []
        results = []
        for place, record in enumerate(records):
            name = record.pop("attributes", {}).get("type", "")
            if given and given.count(given[place]) > 1:
                text = f"Duplicate {'external ' if external_id else ''}id specified: {record[by]}"
                results.append(self._failed(problem("DUPLICATE_VALUE", text)))
            elif name not in OBJECTS:
                results.append(self._failed(problem("INVALID_TYPE", f"sObject type '{name}' is not supported.")))
            else:
                results.append(self._write(call.method, name, record, external_id))
        return Reply(200, results)

    def _write(self, method: str, name: str, record: Record, external_id: str | None) -> Record:
        key = record.pop("id", None)
        if external_id is not None:
            if not record.get(external_id):
                return self._failed(problem("MISSING_ARGUMENT", f"{external_id} not specified"))
            key = self._having(name, external_id, record[external_id])
        elif method == "PATCH" and (error := self._gone(name, str(key))):
            return self._failed(error)
        known = self.records[name].get(key) if key else None
        if error := self._refusal(name, record, known):
            return self._failed(error)
        if known is None:
            self.numbers += 1
            key = f"{_PREFIXES[name]}{self.numbers:012d}AAA"
            known = {one["name"]: None for one in OBJECTS[name]} | {"Id": key, "IsDeleted": False}
        stamp = {"SystemModstamp": "2026-03-02T00:00:00.000+0000"}
        created = key not in self.records[name]
        self.records[name][key] = {**known, **record, **stamp}
        answer = {"id": key, "success": True, "errors": []}
        return answer if external_id is None else {**answer, "created": created}

    def _refusal(self, name: str, record: Record, known: Record | None) -> Record | None:
        columns = {one["name"]: one for one in OBJECTS[name]}
        for field, value in record.items():
            one = columns.get(field)
            if one is None:
                return problem("INVALID_FIELD", f"No such column '{field}' on sobject of type {name}")
            if not one["createable"]:
                text = f"Unable to create/update fields: {field}. Please check the security settings of this field"
                return problem("INVALID_FIELD_FOR_INSERT_UPDATE", text, field)
            if isinstance(value, str) and one["length"] and len(value) > one["length"]:
                text = f"{one['label']}: data value too large: {value} (max length={one['length']})"
                return problem("STRING_TOO_LONG", text, field) | {"extendedErrorDetails": None}
            if one["type"] == "email" and value and "@" not in value:
                return problem("INVALID_EMAIL_ADDRESS", f"Email: invalid email address: {value}", field)
            if one["restrictedPicklist"] and value and value not in ("new", "won"):
                text = f"bad value for restricted picklist field: {value}"
                return problem("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", text, field)
            if one["type"] == "reference" and value and value not in self.records["Account"]:
                return problem("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", field)
            if one["unique"] and value:
                other = self._having(name, field, value)
                if other is not None and (known is None or other != known["Id"]):
                    text = f"duplicate value found: {field} duplicates value on record with id: {other}"
                    return {"duplicateResult": None, **problem("DUPLICATE_VALUE", text)}
        missing = [
            one["name"] for one in OBJECTS[name]
            if not one["nillable"] and one["createable"] and not {**(known or {}), **record}.get(one["name"])
        ]  # fmt: skip
        if missing:
            return problem("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", *missing)
        email = record.get("Email__c") or (known or {}).get("Email__c")
        if self.locked.get(email, 0) > 0:
            self.locked[email] -= 1
            text = "unable to obtain exclusive access to this record or 1 records: 0035c000000001"
            return problem("UNABLE_TO_LOCK_ROW", text)
        return None

    def _remove(self, key: str) -> Record:
        name = next((name for name, prefix in _PREFIXES.items() if key.startswith(prefix)), "Contact")
        if error := self._gone(name, key):
            return self._failed(error) | {"id": key}
        self.records[name][key]["IsDeleted"] = True
        return {"id": key, "success": True, "errors": []}

    def _gone(self, name: str, key: str) -> Record | None:
        if _ID.fullmatch(key) is None:
            return problem("MALFORMED_ID", f"Record ID: id value of incorrect type: {key}", "Id")
        if key not in self.records[name]:
            return problem("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        return problem("ENTITY_IS_DELETED", "entity is deleted") if self.records[name][key]["IsDeleted"] else None

    def _having(self, name: str, field: str, value: Any) -> str | None:
        for key, record in self.records[name].items():
            if not record["IsDeleted"] and soql.compared(record.get(field)) == soql.compared(value):
                return key
        return None

    def _failed(self, error: Record) -> Record:
        return {"success": False, "errors": [error]}

    # --- how the suite speaks of it -------------------------------------------------------------

    def is_sign_in(self, call: Call) -> bool:
        return call.path == "/services/oauth2/token"

    def connection(self, url: str) -> dict[str, Any]:
        extra = {"consumer_key": KEY, "consumer_secret": SECRET, "token_url": f"{url}/services/oauth2/token"}
        return {"conn_type": "salesforce", "extra": extra}

    def source(self) -> dict[str, Any]:
        return {"object": "Contact", "fields": ["Email__c", "LastName", "Phone"], "page_size": 200}

    def destination(self, mode: str = "upsert", deletes: str = "ignore") -> dict[str, Any]:
        return {"object": "Contact", "key": "Email__c", "mode": mode, "deletes": deletes}

    def mapped(self, person: Person) -> dict[str, Any]:
        names = {"email": "Email__c", "name": "LastName", "phone": "Phone"}
        return {names[name]: value for name, value in person.items() if name in names}

    def seed(self, count: int, first: int = 0) -> None:
        for number in range(first, first + count):
            key = f"003{number:012d}SED"
            self.records["Contact"][key] = {
                **{one["name"]: None for one in OBJECTS["Contact"]},
                "Id": key, "IsDeleted": False, "SystemModstamp": stamp(number),
                "Email__c": f"person{number}@example.com", "LastName": f"Person {number}",
            }  # fmt: skip

    def change(self, number: int, second: int) -> None:
        self.records["Contact"][f"003{number:012d}SED"]["SystemModstamp"] = stamp(second)

    def read_email(self, record: dict[str, Any]) -> str | None:
        return record.get("Email__c")

    def stored(self) -> dict[str, Person]:
        people = sorted(self.records["Contact"].values(), key=lambda one: not one["IsDeleted"])
        return {
            one["Email__c"]: {
                "id": one["Id"], "email": one["Email__c"], "name": one["LastName"], "phone": one["Phone"],
                "archived": one["IsDeleted"],
            }
            for one in people
        }  # fmt: skip

    def count(self) -> int:
        return sum(not one["IsDeleted"] for one in self.records["Contact"].values())

    def failure(self, status: int) -> Reply:
        code, text = {
            400: ("JSON_PARSER_ERROR", "Unexpected character at [line:1, column:2]"),
            401: ("INVALID_SESSION_ID", "Session expired or invalid"),
            403: ("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id"),
            404: ("NOT_FOUND", "The requested resource does not exist"),
            429: ("TOO_MANY_REQUESTS", "Too many requests"),
            500: ("UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId"),
            503: ("SERVER_UNAVAILABLE", "Server is unavailable"),
        }[status]
        reply = refused(status, code, text)
        reply.headers = {"Retry-After": "0.1"} if status in (429, 503) else {}
        return reply


def stamp(second: int) -> str:
    """An instant as Salesforce answers it."""
    return f"2026-03-01T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}.000+0000"

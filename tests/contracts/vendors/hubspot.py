"""A HubSpot account behind real HTTP: sign-in, limits, paths. What it does with records is `hubspot_crm`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qs

from tests.contracts.servers.wire import Call, Reply
from tests.contracts.vendors.hubspot_crm import CORRELATION, FIRST_SECOND, OBJECTS, REQUIRED, Crm, refused
from tests.contracts.vendors.vendor import Person, Vendor

TOKEN = "pat-na1-11111111-2222-3333-4444-555555555555"

_DENIED = {
    "message": "One or more of the following scopes are required.",
    "context": {"requiredGranularScopes": ["crm.objects.contacts.read", "crm.objects.contacts.write"]},
}
_FAILURES: dict[int, dict[str, Any]] = {
    400: {"message": "Invalid input JSON on line 1, column 1", "category": "VALIDATION_ERROR"},
    401: {"message": "The OAuth token used to make this call expired", "category": "EXPIRED_AUTHENTICATION"},
    403: {
        "message": "This app hasn't been granted all required scopes to make this call.",
        "category": "MISSING_SCOPES",
        "errors": [_DENIED],
    },
    404: {"message": "resource not found", "category": "OBJECT_NOT_FOUND"},
    429: {
        "message": "You have reached your ten_secondly_rolling limit.",
        "errorType": "RATE_LIMIT",
        "policyName": "TEN_SECONDLY_ROLLING",
    },
    500: {"message": "internal error", "category": "INTERNAL_ERROR"},
    503: {"message": "temporarily unavailable", "category": "SERVICE_UNAVAILABLE"},
}


class HubspotVendor(Vendor):
    """Contacts by their e-mail; a person's name is `firstname`."""

    connector: ClassVar[str] = "hubspot"
    modes: ClassVar[frozenset[str]] = frozenset({"create", "update", "upsert", "create_if_missing"})
    deletes: ClassVar[frozenset[str]] = frozenset({"ignore", "archive"})
    max_name: ClassVar[int | None] = 65_536
    required: ClassVar[str | None] = None
    fallback_key: ClassVar[str | None] = "phone"
    form_fields: ClassVar[tuple[str, ...]] = ("password",)

    def __init__(self) -> None:
        super().__init__()
        self.crm = Crm()
        self.tokens = {TOKEN}
        """Access tokens that are good now."""
        self.refreshed = 0

    def handle(self, call: Call) -> Reply:
        if call.path == "/oauth/v1/token":
            return self._token(call)
        if call.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            said = "Authentication credentials not found. This API supports OAuth 2.0 authentication."
            return refused(401, said, "INVALID_AUTHENTICATION")
        if call.path == "/account-info/v3/details":
            return Reply(200, {"portalId": 62515, "timeZone": "US/Eastern", "accountType": "STANDARD"})
        parts = call.path.split("/")
        if parts[:3] != ["", "crm", "v3"] or len(parts) < 5:
            return refused(404, "resource not found", "OBJECT_NOT_FOUND")
        kind, name, action = parts[3], parts[4], "/".join(parts[5:])
        if name not in OBJECTS:
            body = {"status": "error", "message": f"Unable to infer object type from: {name}"}
            return Reply(400, {**body, "correlationId": CORRELATION})
        if kind == "objects":
            return self._objects(call, name, action)
        if kind == "properties":
            return Reply(200, {"results": OBJECTS[name]})
        if not name.startswith("2-"):
            return refused(404, "resource not found", "OBJECT_NOT_FOUND")
        return Reply(200, {"name": "car", "objectTypeId": name, "requiredProperties": sorted(REQUIRED[name])})

    def _objects(self, call: Call, name: str, action: str) -> Reply:
        if call.method in ("GET", "HEAD"):
            wanted = [one for one in call.param("properties").split(",") if one]
            limit = int(call.param("limit", "10"))
            return self.crm.list(name, limit, call.param("after"), call.param("archived") == "true", wanted)
        body = call.json()
        if action == "search":
            return self.crm.search(name, body)
        if action == "batch/read":
            return self.crm.read(name, body)
        return self.crm.write(action.removeprefix("batch/"), name, body["inputs"])

    def _token(self, call: Call) -> Reply:
        form = {key: values[0] for key, values in parse_qs(call.body.decode()).items()}
        if (form.get("client_id"), form.get("client_secret")) != ("app-1", "s3cret-app"):
            return Reply(400, {"status": "BAD_CLIENT_ID", "message": "missing or unknown client id"})
        if form.get("refresh_token") != "r-0001":
            return Reply(400, {"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token"})
        self.refreshed += 1
        token = f"access-{self.refreshed:04d}"
        self.tokens = {token}
        return Reply(
            200, {"access_token": token, "refresh_token": "r-0001", "expires_in": 1800, "token_type": "bearer"}
        )

    # --- what the suite asks of a vendor --------------------------------------------------------

    def is_sign_in(self, call: Call) -> bool:
        return call.path == "/oauth/v1/token"

    def is_write(self, call: Call) -> bool:
        return call.method == "POST" and not call.path.endswith(("/search", "/batch/read", "/oauth/v1/token"))

    def connection(self, url: str) -> dict[str, Any]:
        return {"conn_type": "flux_hubspot", "host": url, "password": TOKEN}

    def source(self) -> dict[str, Any]:
        return {"object": "contacts"}

    def destination(self, mode: str = "upsert", deletes: str = "ignore") -> dict[str, Any]:
        return {"object": "contacts", "mode": mode, "deletes": deletes}

    def mapped(self, person: Person) -> dict[str, Any]:
        names = {"email": "email", "name": "firstname", "phone": "phone"}
        return {target: person[name] for name, target in names.items() if name in person}

    def seed(self, count: int, first: int = 0) -> None:
        for number in range(first, first + count):
            properties = {"email": f"person{number}@example.com", "firstname": f"Person {number}"}
            self.crm.add("contacts", properties, FIRST_SECOND + timedelta(seconds=number))

    def change(self, number: int, second: int) -> None:
        record = self.crm.find("contacts", "email", f"person{number}@example.com")
        assert record is not None
        self.crm.change("contacts", record, {}, FIRST_SECOND + timedelta(seconds=second))

    def read_email(self, record: dict[str, Any]) -> str | None:
        return record.get("email")

    def stored(self) -> dict[str, Person]:
        found: dict[str, Person] = {}
        for record in (*self.crm.archived["contacts"].values(), *self.crm.objects["contacts"].values()):
            held = record["properties"]
            person = {"email": held.get("email"), "name": held.get("firstname"), "phone": held.get("phone")}
            found[held.get("email") or record["id"]] = {**person, "id": record["id"], "archived": record["archived"]}
        return found

    def count(self) -> int:
        return len(self.crm.objects["contacts"])

    def failure(self, status: int) -> Reply:
        return Reply(status, {"status": "error", "correlationId": CORRELATION, **_FAILURES[status]})

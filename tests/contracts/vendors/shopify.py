"""A Shopify shop: customers, products and orders behind the Admin GraphQL API.

Facts: Shopify's Admin schema (see `shopify_schema`), https://shopify.dev/docs/api/admin-graphql, and throttled answers
as people met them (https://community.shopify.com, topic 8456).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from graphql import GraphQLError

from tests.contracts.servers.wire import Call, Reply
from tests.contracts.vendors.ruby_graphql import Node, Refused, Server, connection
from tests.contracts.vendors.shopify_schema import SDL
from tests.contracts.vendors.vendor import Person, Vendor

TOKEN = "shpat_5ecret0123456789"
VERSION = "2026-10"
MAX_NAME = 255
MAX_COST = 1000

_FIRST = datetime(2026, 3, 1, tzinfo=UTC)
_COMPARED = re.compile(r"updated_at:(>=|<=|>|<)'([^']+)'")
_PLAIN = ("firstName", "lastName", "note", "tags", "taxExempt", "locale")


class Shopify(Vendor):
    """One shop. `scopes` are those of its app; `old_words` makes throttles tell no code, as they once did."""

    connector = "shopify"
    modes = frozenset({"create", "update", "upsert", "create_if_missing"})
    deletes = frozenset({"ignore", "delete"})
    max_name = MAX_NAME
    graphql = True
    required = None
    fallback_key = "phone"
    form_fields = ("host", "password")

    def __init__(self) -> None:
        super().__init__()
        self.customers: dict[str, Node] = {}
        self.products: dict[str, Node] = {}
        self.orders: dict[str, Node] = {}
        self.scopes = {f"{right}_{name}" for right in ("read", "write") for name in ("customers", "products", "orders")}
        self.old_words = False
        self.documents: list[dict[str, Any]] = []
        self._number = 1000
        root = {
            name: getattr(self, f"_{name}")
            for name in (
                "shop", "customers", "customer", "customerByIdentifier", "customerSet", "customerCreate",
                "customerUpdate", "customerDelete", "products", "product", "productByIdentifier", "productSet",
                "productDelete", "orders", "order", "orderUpdate",
            )
        }  # fmt: skip
        self.server = Server(SDL, root, _price, self._admit)

    # --- what the suite asks ----------------------------------------------------------------------

    def is_sign_in(self, call: Call) -> bool:
        return call.path == "/admin/oauth/access_token"

    def handle(self, call: Call) -> Reply:
        if self.is_sign_in(call):
            return self._token(call)
        if call.path != f"/admin/api/{VERSION}/graphql.json" or call.method != "POST":
            return Reply(404, {"errors": "Not Found"})
        if call.headers.get("x-shopify-access-token") != TOKEN:
            return self.failure(401)
        if call.headers.get("content-type", "").partition(";")[0] != "application/json":
            return Reply(400, {"errors": {"query": "Required parameter missing or invalid"}})
        self.documents.append(call.json())
        return Reply(200, self.server.answer(call.json()))

    def connection(self, url: str) -> dict[str, Any]:
        return {"conn_type": "flux_shopify", "host": url, "password": TOKEN}

    def source(self) -> dict[str, Any]:
        return {"object": "customers"}

    def destination(self, mode: str = "upsert", deletes: str = "ignore") -> dict[str, Any]:
        return {"object": "customers", "key": "email", "mode": mode, "deletes": deletes}

    def mapped(self, person: Person) -> dict[str, Any]:
        names = {"email": "email", "name": "lastName", "phone": "phone"}
        return {names[name]: value for name, value in person.items() if name in names}

    def seed(self, count: int, first: int = 0) -> None:
        for number in range(first, first + count):
            customer = self.customer(f"person{number}@example.com", lastName=f"Person {number}")
            customer["updatedAt"] = _moment(number)

    def change(self, number: int, second: int) -> None:
        self.at(f"person{number}@example.com")["updatedAt"] = _moment(second)

    def read_email(self, record: dict[str, Any]) -> str | None:
        email = record.get("defaultEmailAddress")
        return email["emailAddress"] if email else None

    def stored(self) -> dict[str, Person]:
        return {
            customer["email"]: {
                "id": customer["id"], "email": customer["email"], "name": customer["lastName"],
                "phone": customer["phone"], "archived": False,
            }
            for customer in self.customers.values()
        }  # fmt: skip

    def failure(self, status: int) -> Reply:
        if status == 401:
            words = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return Reply(401, {"errors": words})
        if status == 403:
            return Reply(200, {"errors": [_denied("customers", "read_customers")], "data": None})
        if status == 429:
            return Reply(200, self.throttled(110, 100, 100))
        words = {400: "Bad Request", 404: "Not Found", 500: "Internal Server Error", 503: "Service Unavailable"}
        return Reply(status, {"errors": words[status]})

    def throttled(self, requested: int, available: int, rate: int) -> dict[str, Any]:
        """The answer to a query for which the bucket holds too little: HTTP 200, without data."""
        error = _throttle(self.old_words)
        status = {"maximumAvailable": 1000, "currentlyAvailable": available, "restoreRate": rate}
        cost = {"requestedQueryCost": requested, "actualQueryCost": None, "throttleStatus": status}
        return {"errors": [error], "extensions": {"cost": cost}}

    # --- what is there ----------------------------------------------------------------------------

    def customer(self, email: str | None, **fields: Any) -> Node:
        """Have a customer."""
        given = {"email": email, **fields}
        customer = {
            "id": self._gid("Customer"), "email": email, "phone": None, "firstName": None, "lastName": None,
            "note": None, "tags": [], "taxExempt": False, "locale": "en", "state": "DISABLED", "verifiedEmail": True,
            "numberOfOrders": 0, "amountSpent": {"amount": "0.0", "currencyCode": "EUR"}, "addresses": [],
            "createdAt": _moment(0), "updatedAt": _now(), "metafields": {}, **given,
        }  # fmt: skip
        customer["addresses"] = [{"id": self._gid("MailingAddress"), **address} for address in customer["addresses"]]
        self.customers[customer["id"]] = customer
        return customer

    def product(self, handle: str, **fields: Any) -> Node:
        """Have a product."""
        product = {
            "id": self._gid("Product"), "handle": handle, "title": handle, "descriptionHtml": "", "vendor": "Acme",
            "productType": "", "status": "ACTIVE", "tags": [], "totalInventory": 0, "createdAt": _moment(0),
            "updatedAt": _now(), "publishedAt": None, "variantList": [], **fields,
        }  # fmt: skip
        self.products[product["id"]] = product
        return product

    def order(self, name: str, items: int = 1, **fields: Any) -> Node:
        """Have an order with so many line items."""
        money = {"amount": "9.90", "currencyCode": "EUR"}
        bag = {"shopMoney": money, "presentmentMoney": money}
        lines = [
            {
                "id": self._gid("LineItem"), "title": f"Thing {number}", "sku": f"T{number}", "quantity": 1,
                "variantTitle": None, "originalUnitPriceSet": bag, "product": None,
            }
            for number in range(items)
        ]  # fmt: skip
        order = {
            "id": self._gid("Order"), "name": name, "email": None, "phone": None, "note": None, "poNumber": None,
            "tags": [], "createdAt": _moment(0), "updatedAt": _moment(0), "processedAt": _moment(0),
            "cancelledAt": None, "currencyCode": "EUR", "displayFinancialStatus": "PAID",
            "displayFulfillmentStatus": "UNFULFILLED", "totalPriceSet": bag, "customer": None,
            "shippingAddress": None, "billingAddress": None, "lines": lines, **fields,
        }  # fmt: skip
        self.orders[order["id"]] = order
        return order

    def at(self, email: str) -> Node:
        """The customer with this e-mail."""
        return next(customer for customer in self.customers.values() if customer["email"] == email)

    def _token(self, call: Call) -> Reply:
        """An access token by client credentials, for a day."""
        form = {name: values[0] for name, values in parse_qs(call.body.decode()).items()}
        if form != {"grant_type": "client_credentials", "client_id": "app", "client_secret": "shpss_5ecret"}:
            return Reply(400, {"error": "invalid_client", "error_description": "Client authentication failed"})
        return Reply(200, {"access_token": TOKEN, "scope": ",".join(sorted(self.scopes)), "expires_in": 86399})

    # --- queries ----------------------------------------------------------------------------------

    def _shop(self, info: Any) -> Node:
        return {"id": "gid://shopify/Shop/1", "name": "Test shop", "myshopifyDomain": "test-shop.myshopify.com"}

    def _customers(self, info: Any, **asked: Any) -> Node:
        self._need("read_customers", "customers")
        return _list(list(self.customers.values()), _told_customer, asked)

    def _customer(self, info: Any, id: str) -> Node | None:
        self._need("read_customers", "customer")
        found = self.customers.get(id)
        return None if found is None else _told_customer(found)

    def _customerByIdentifier(self, info: Any, identifier: dict[str, Any]) -> Node | None:
        self._need("read_customers", "customerByIdentifier")
        names = {"emailAddress": "email", "phoneNumber": "phone"}
        found = self._identified({names.get(name, name): value for name, value in identifier.items()})
        return None if found is None else _told_customer(found)

    def _products(self, info: Any, **asked: Any) -> Node:
        self._need("read_products", "products")
        return _list(list(self.products.values()), _told_product, asked)

    def _product(self, info: Any, id: str) -> Node | None:
        found = self.products.get(id)
        return None if found is None else _told_product(found)

    def _productByIdentifier(self, info: Any, identifier: dict[str, Any]) -> Node | None:
        found = self._product_at(identifier)
        return None if found is None else _told_product(found)

    def _orders(self, info: Any, **asked: Any) -> Node:
        self._need("read_orders", "orders")
        return _list(list(self.orders.values()), _told_order, asked)

    def _order(self, info: Any, id: str) -> Node | None:
        found = self.orders.get(id)
        return None if found is None else _told_order(found)

    # --- mutations --------------------------------------------------------------------------------

    def _customerSet(self, info: Any, input: dict[str, Any], identifier: dict[str, Any] | None = None) -> Node:
        self._need("write_customers", "customerSet")
        found = None
        if identifier is not None:
            ((name, value),) = identifier.items()
            if name in ("email", "phone") and input.get(name) is None:
                message = "The input field corresponding to the identifier is required."
                return _set_refused(["input", name], message, "MISSING_FIELD_REQUIRED")
            if name in ("email", "phone") and input[name] != value:
                message = "The identifier value does not match the value of the corresponding field in the input."
                return _set_refused(["input", name], message, "INPUT_MISMATCH")
            found = self._identified(identifier)
            if found is None and name == "id":
                return _set_refused(["identifier"], "Resource matching the identifier was not found.", "NOT_FOUND")
        for field, message, code in self._complaints(input, found):
            return _set_refused(["input", field] if field else None, message, code)
        stored = self._store(input, found)
        if identifier is not None and "customId" in identifier:
            custom = identifier["customId"]
            stored["metafields"][f"{custom.get('namespace')}.{custom['key']}"] = custom["value"]
        return {"customer": _told_customer(stored), "userErrors": []}

    def _customerCreate(self, info: Any, input: dict[str, Any]) -> Node:
        self._need("write_customers", "customerCreate")
        for field, message, _ in self._complaints(input, None):
            return _refused("customer", [field] if field else None, message)
        return {"customer": _told_customer(self._store(input, None)), "userErrors": []}

    def _customerUpdate(self, info: Any, input: dict[str, Any]) -> Node:
        self._need("write_customers", "customerUpdate")
        found = self.customers.get(input.get("id", ""))
        if found is None:
            return _refused("customer", ["id"], "Customer does not exist")
        for field, message, _ in self._complaints(input, found):
            return _refused("customer", [field] if field else None, message)
        return {"customer": _told_customer(self._store(input, found)), "userErrors": []}

    def _customerDelete(self, info: Any, input: dict[str, Any]) -> Node:
        self._need("write_customers", "customerDelete")
        found = self.customers.get(input["id"])
        message = None
        if found is None:
            message = "Customer can't be found"
        elif found["numberOfOrders"]:
            message = "Customer can’t be deleted because they have associated orders"
        if message is not None:
            return {**_refused("deletedCustomerId", ["id"], message), "shop": self._shop(info)}
        del self.customers[input["id"]]
        return {"deletedCustomerId": input["id"], "shop": self._shop(info), "userErrors": []}

    def _productSet(self, info: Any, input: dict[str, Any], identifier: dict[str, Any] | None = None, **_: Any) -> Node:
        found = None if identifier is None else self._product_at(identifier)
        refusal = None
        if identifier is not None and "id" in identifier and found is None:
            refusal = (["identifier", "id"], "Product does not exist", "PRODUCT_DOES_NOT_EXIST")
        elif found is None and not input.get("title"):
            refusal = (["input", "title"], "Title can't be blank", "MISSING_FIELD_REQUIRED")
        elif input.get("handle") and self._product_at({"handle": input["handle"]}) not in (None, found):
            refusal = (["input", "handle"], f"Handle '{input['handle']}' already in use", "HANDLE_NOT_UNIQUE")
        if refusal is not None:
            field, message, code = refusal
            return {"product": None, "userErrors": [{"field": field, "message": message, "code": code}]}
        product = found or self.product(input.get("handle") or input["title"].lower().replace(" ", "-"))
        product.update(input, updatedAt=_now())
        return {"product": _told_product(product), "userErrors": []}

    def _productDelete(self, info: Any, input: dict[str, Any], **_: Any) -> Node:
        gone = self.products.pop(input["id"], None)
        if gone is None:
            return {**_refused("deletedProductId", ["id"], "Product does not exist"), "shop": self._shop(info)}
        return {"deletedProductId": gone["id"], "shop": self._shop(info), "userErrors": []}

    def _orderUpdate(self, info: Any, input: dict[str, Any]) -> Node:
        self._need("write_orders", "orderUpdate")
        order = self.orders.get(input["id"])
        if order is None:
            return _refused("order", ["id"], "Order does not exist")
        order.update(input, updatedAt=_now())
        return {"order": _told_order(order), "userErrors": []}

    # --- rules ------------------------------------------------------------------------------------

    def _complaints(self, given: dict[str, Any], found: Node | None) -> list[tuple[str | None, str, str]]:
        """Field, message and code of what is wrong with a customer."""
        wrong: list[tuple[str | None, str, str]] = []
        others = [customer for customer in self.customers.values() if customer is not found]
        after = {**(found or {}), **given}
        for field in ("email", "phone"):
            if after.get(field) and any(other[field] == after[field] for other in others):
                wrong.append((field, f"{field.capitalize()} has already been taken", "TAKEN"))
        if given.get("email") and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", given["email"]):
            wrong.append(("email", "Email is invalid", "INVALID"))
        if given.get("phone") and not re.fullmatch(r"\+?[\d ()./-]{4,}", given["phone"]):
            wrong.append(("phone", "Phone is invalid", "INVALID"))
        for field, label in (("firstName", "First name"), ("lastName", "Last name")):
            if len(given.get(field) or "") > MAX_NAME:
                wrong.append((field, f"{label} is too long (maximum is {MAX_NAME} characters)", "TOO_LONG"))
        if not any(after.get(field) for field in ("email", "phone", "firstName", "lastName")):
            wrong.append((None, "Customer must have a name, phone number or email address", "BLANK"))
        return wrong

    def _store(self, given: dict[str, Any], found: Node | None) -> Node:
        customer = found or self.customer(None)
        for field in ("email", "phone", *_PLAIN):
            if field in given:
                customer[field] = given[field]
        if "addresses" in given:
            customer["addresses"] = [{"id": self._gid("MailingAddress"), **one} for one in given["addresses"]]
        customer["updatedAt"] = _now()
        return customer

    def _identified(self, identifier: dict[str, Any]) -> Node | None:
        ((name, value),) = identifier.items()
        if name == "customId":
            named = f"{value.get('namespace')}.{value['key']}"
            matches = [one for one in self.customers.values() if one["metafields"].get(named) == value["value"]]
        else:
            matches = [one for one in self.customers.values() if one[name] == value]
        return matches[0] if matches else None

    def _product_at(self, identifier: dict[str, Any]) -> Node | None:
        ((name, value),) = identifier.items()
        return next((product for product in self.products.values() if product.get(name) == value), None)

    def _need(self, scope: str, field: str) -> None:
        if scope not in self.scopes:
            told = _denied(field, scope)
            raise GraphQLError(told["message"], extensions=told["extensions"])

    def _admit(self, cost: float) -> None:
        if cost > MAX_COST:
            words = f"Query cost is {int(cost)}, which exceeds the single query max cost limit ({MAX_COST})."
            extensions = {"code": "MAX_COST_EXCEEDED", "cost": int(cost), "maxCost": MAX_COST, **_LIMITS}
            raise Refused({"message": words, "extensions": extensions})
        if cost > self.server.points.left():
            raise Refused(_throttle(self.old_words))

    def _gid(self, kind: str) -> str:
        self._number += 1
        return f"gid://shopify/{kind}/{self._number}"


_LIMITS = {"documentation": "https://shopify.dev/api/usage/rate-limits"}


def _throttle(old_words: bool) -> dict[str, Any]:
    return {"message": "Throttled", **({} if old_words else {"extensions": {"code": "THROTTLED", **_LIMITS}})}


def _denied(field: str, scope: str) -> dict[str, Any]:
    needed = f"`{scope}` access scope."
    extensions = {
        "code": "ACCESS_DENIED",
        "documentation": "https://shopify.dev/api/usage/access-scopes",
        "requiredAccess": needed,
    }
    message = f"Access denied for {field} field. Required access: {needed}"
    return {"message": message, "locations": [{"line": 1, "column": 2}], "extensions": extensions, "path": [field]}


def _price(field: str, kind: str, first: int, inner: float, leaf: bool) -> float:
    """Objects cost 1, connections 2 and what their nodes cost, mutations 10 (shopify.dev, API rate limits)."""
    if leaf:
        return 0
    if kind.endswith("Connection"):
        return 2 + first * inner
    if kind == "PageInfo":
        return 0
    return (10 if kind.endswith("Payload") else 1) + inner


def _list(nodes: list[Node], told: Any, asked: dict[str, Any]) -> Node:
    for comparison, moment in _COMPARED.findall(asked.get("query") or ""):
        nodes = [node for node in nodes if _compares(node["updatedAt"], comparison, moment)]
    by = (lambda node: f"{node['updatedAt']} {node['id']}") if asked.get("sortKey") == "UPDATED_AT" else _by_id
    page = connection(sorted(nodes, key=by), by, asked.get("after"), asked.get("first"))
    page["nodes"] = [told(node) for node in page["nodes"]]
    return page


def _by_id(node: Node) -> str:
    return str(node["id"])


def _compares(value: str, comparison: str, other: str) -> bool:
    return {">=": value >= other, "<=": value <= other, ">": value > other, "<": value < other}[comparison]


def _told_customer(customer: Node) -> Node:
    name = " ".join(filter(None, (customer["firstName"], customer["lastName"])))
    email, phone, addresses = customer["email"], customer["phone"], customer["addresses"]
    return {
        **customer,
        "legacyResourceId": int(customer["id"].rpartition("/")[2]),
        "displayName": name or email or phone,
        "defaultEmailAddress": {"emailAddress": email, "validFormat": True} if email else None,
        "defaultPhoneNumber": {"phoneNumber": phone} if phone else None,
        "canDelete": not customer["numberOfOrders"],
        "defaultAddress": {**addresses[0], "countryCodeV2": addresses[0].get("countryCode")} if addresses else None,
        "addressesV2": lambda info, **asked: connection(addresses, _by_id, asked.get("after"), asked.get("first")),
    }


def _told_product(product: Node) -> Node:
    variants = product["variantList"]
    return {
        **product,
        "legacyResourceId": int(product["id"].rpartition("/")[2]),
        "variants": lambda info, **asked: connection(variants, _by_id, asked.get("after"), asked.get("first")),
    }


def _told_order(order: Node) -> Node:
    lines = order["lines"]
    return {
        **order,
        "legacyResourceId": int(order["id"].rpartition("/")[2]),
        "lineItems": lambda info, **asked: connection(lines, _by_id, asked.get("after"), asked.get("first")),
    }


def _set_refused(field: list[str] | None, message: str, code: str) -> Node:
    return {"customer": None, "userErrors": [{"field": field, "message": message, "code": code}]}


def _refused(what: str, field: list[str] | None, message: str) -> Node:
    return {what: None, "userErrors": [{"field": field, "message": message}]}


def _moment(second: int) -> str:
    return (_FIRST + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""Ledger, the demo's second API: takes customers in batches and answers for each of them."""

from __future__ import annotations

import threading
from typing import Any

from airflow_provider_flux.demo.http_api import Answer, Api, Faults, Request

KEY = "ledger-demo-key"
_MOST = 50  # customers in one batch
_LONGEST_NAME = 40


class Ledger:
    """`POST /v2/customers/batch` with `X-Api-Key: KEY` and `{"customers": [{"external_id": ..., ...}]}`.

    Upserts by `external_id` and answers 207 with one result per customer, in order: `{"results": [{"status": 201,
    "id": "L-1"}, {"status": 422, "error": {"code": ..., "message": ..., "field": ...}}]}`.
    `GET /v2/customers?page=&per_page=` lists what is stored.
    """

    def __init__(self) -> None:
        self.customers: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def serve(self, port: int = 0, faults: Faults | None = None) -> Api:
        """The API, not started yet."""
        return Api(port, self._authorised, self._answer, faults or Faults())

    def _authorised(self, headers: Any) -> bool:
        return bool(headers.get("X-Api-Key") == KEY)

    def _answer(self, request: Request) -> Answer:
        endpoint = (request.method, request.path)
        if endpoint == ("POST", "/v2/customers/batch"):
            return self._batch(request.body)
        if endpoint == ("GET", "/v2/customers"):
            return self._list(request.query)
        return _error(404, "not_found", f"there is no {request.method} {request.path}")

    def _batch(self, body: Any) -> Answer:
        customers = body.get("customers") if isinstance(body, dict) else None
        if not isinstance(customers, list):
            return _error(400, "bad_body", 'send {"customers": [...]}')
        if len(customers) > _MOST:
            return _error(413, "batch_too_large", f"at most {_MOST} customers in one batch")
        with self._lock:
            return Answer(207, {"results": [self._upsert(customer) for customer in customers]})

    def _upsert(self, customer: Any) -> dict[str, Any]:
        refusal = _refusal(customer)
        if refusal is not None:
            return {"status": 422, "error": refusal}
        known = self.customers.get(customer["external_id"])
        identifier = known["id"] if known else f"L-{len(self.customers) + 1}"
        self.customers[customer["external_id"]] = {**customer, "id": identifier}
        return {"status": 200 if known else 201, "id": identifier}

    def _list(self, query: dict[str, str]) -> Answer:
        page, size = query.get("page", "1"), query.get("per_page", "50")
        if not (page.isdigit() and size.isdigit() and int(page) and int(size)):
            return _error(400, "bad_parameter", "page and per_page must be positive integers")
        start = (int(page) - 1) * int(size)
        with self._lock:
            customers = list(self.customers.values())
        return Answer(200, {"customers": customers[start : start + int(size)], "total": len(customers)})


def _refusal(customer: Any) -> dict[str, str] | None:
    """Why this customer cannot be stored, or None."""
    if not isinstance(customer, dict) or not isinstance(customer.get("external_id"), str):
        return {"code": "missing", "message": "external_id is required", "field": "external_id"}
    name = customer.get("name")
    if not isinstance(name, str) or not name.strip():
        return {"code": "missing", "message": "name is required", "field": "name"}
    if len(name) > _LONGEST_NAME:
        return {"code": "too_long", "message": f"name has more than {_LONGEST_NAME} characters", "field": "name"}
    if customer.get("segment") not in ("prospect", "client"):
        return {"code": "invalid", "message": "segment must be prospect or client", "field": "segment"}
    return None


def _error(status: int, code: str, message: str) -> Answer:
    return Answer(status, {"error": {"code": code, "message": message}})

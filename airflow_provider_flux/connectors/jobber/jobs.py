"""What Jobber lets us do with jobs. A job belongs to a property of a client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_provider_flux.connectors.contract import Verdict, Written
from airflow_provider_flux.connectors.graphql.graph import Graph
from airflow_provider_flux.connectors.graphql.writing import Mutation
from airflow_provider_flux.connectors.jobber.clients import Clients
from airflow_provider_flux.connectors.jobber.objects import CREATE_ONLY
from airflow_provider_flux.connectors.jobber.searching import ids, search, send, unknown
from airflow_provider_flux.connectors.lookup import Records
from airflow_provider_flux.errors import RecordError

_PAYLOAD = "{ job { id } userErrors { message path } }"

CREATE = Mutation(
    f"mutation($input: JobCreateAttributes!) {{ jobCreate(input: $input) {_PAYLOAD} }}", id="data.jobCreate.job.id"
)
EDIT = Mutation(
    f"mutation($jobId: EncodedId!, $input: JobEditInput!) {{ jobEdit(jobId: $jobId, input: $input) {_PAYLOAD} }}",
    id="data.jobEdit.job.id",
    idempotent=True,
)
ONE = "query($id: EncodedId!) { job(id: $id) { id } }"
SEARCH = (
    "query($term: String, $first: Int, $after: String) { jobs(searchTerm: $term, first: $first, after: $after) { "
    "nodes { id jobNumber } pageInfo { hasNextPage endCursor } } }"
)

_INVOICING = {"invoicingType": "FIXED_PRICE", "invoicingSchedule": "ON_COMPLETION"}


class Jobs(Records):
    """Single jobs.

    :param clients: where the property of a new job is looked up
    """

    def __init__(self, graph: Graph, clients: Clients) -> None:
        self._graph = graph
        self._clients = clients

    def search(self, fields: tuple[str, ...], values: tuple[Any, ...]) -> Sequence[str]:
        """Jobs with that number, or that id."""
        wanted = dict(zip(fields, values, strict=True))
        if "id" in wanted:
            return [str(wanted["id"])] if self.exists(str(wanted["id"])) else []
        number = str(wanted["jobNumber"])
        return ids(search(self._graph, SEARCH, "jobs", number, lambda job: str(job.get("jobNumber")) == number))

    def exists(self, key: str) -> bool:
        """Whether there is a job with that id."""
        return bool(self._graph.ask(ONE, {"id": key}).at("data.job.id") == key)

    def create(self, data: dict[str, Any]) -> Verdict:
        """Make a job at the property of the record, or of its client."""
        own = {name: value for name, value in data.items() if name not in ("id", "clientId", "clientEmail")}
        if not own.get("propertyId"):
            found = self._property(data)
            if isinstance(found, RecordError):
                return found
            own["propertyId"] = found
        return send(self._graph, CREATE, {"input": {"invoicing": _INVOICING, **own}}, data)

    def change(self, key: str, data: dict[str, Any]) -> Verdict:
        """Change the job; what only a new job takes is left as it is."""
        if not self.exists(key):
            return unknown("job", key)
        changes = {name: value for name, value in data.items() if name not in CREATE_ONLY and name != "id"}
        return send(self._graph, EDIT, {"jobId": key, "input": changes}, data) if changes else Written(key)

    def remove(self, key: str) -> Verdict:
        """Never called: the object declares no deletes."""
        raise NotImplementedError("jobs are neither archived nor deleted")

    def _property(self, data: dict[str, Any]) -> str | RecordError:
        """The only property of the record's client."""
        client = data.get("clientId")
        if not client and data.get("clientEmail"):
            found = self._clients.search(("email",), (data["clientEmail"],))
            if len(found) != 1:
                message = f"{len(found) or 'no'} clients have this e-mail: the job needs one"
                return RecordError("REFERENCE_MISSING", message, field="clientEmail", value=str(data["clientEmail"]))
            client = found[0]
        field = "clientId" if data.get("clientId") else "clientEmail" if client else "propertyId"
        if not client:
            message = "a new job needs `propertyId`, or `clientId` or `clientEmail` of a client with one property"
            return RecordError("REQUIRED_FIELD_MISSING", message, field=field)
        properties = self._clients.properties(str(client))
        if properties is not None and len(properties) == 1:
            return properties[0]
        why = "is not there" if properties is None else f"has {'several' if properties else 'no'} properties"
        message = f"the client {why}: say which property by `propertyId`"
        return RecordError("REFERENCE_MISSING", message, field=field, value=str(data.get(field)))

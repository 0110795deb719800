"""What Jobber lets us do with clients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from airflow_provider_flux.connectors.contract import Verdict, Written
from airflow_provider_flux.connectors.graphql.graph import Graph
from airflow_provider_flux.connectors.graphql.writing import Mutation
from airflow_provider_flux.connectors.jobber.contact_points import created, edited, same
from airflow_provider_flux.connectors.jobber.recent import COMPARED, Recent
from airflow_provider_flux.connectors.jobber.searching import ids, search, send, unknown
from airflow_provider_flux.connectors.lookup import Records
from airflow_provider_flux.errors import FluxError, OutcomeUnknown, RecordError
from airflow_provider_flux.transport.paths import MISSING

_PAYLOAD = "{ client { id } userErrors { message path } }"

CREATE = Mutation(
    f"mutation($input: ClientCreateInput!) {{ clientCreate(input: $input) {_PAYLOAD} }}",
    id="data.clientCreate.client.id",
)
EDIT = Mutation(
    "mutation($clientId: EncodedId!, $input: ClientEditInput!) { "
    f"clientEdit(clientId: $clientId, input: $input) {_PAYLOAD} }}",
    id="data.clientEdit.client.id",
)
ARCHIVE = Mutation(
    f"mutation($clientId: EncodedId!) {{ clientArchive(clientId: $clientId) {_PAYLOAD} }}",
    id="data.clientArchive.client.id",
    idempotent=True,
)
UNARCHIVE = Mutation(
    f"mutation($clientId: EncodedId!) {{ clientUnarchive(clientId: $clientId) {_PAYLOAD} }}",
    id="data.clientUnarchive.client.id",
    idempotent=True,
)
NOW = (
    "query($id: EncodedId!) { client(id: $id) { id isArchived emails { id address primary description } "
    "phones { id number primary description smsAllowed } } }"
)
SEARCH = (
    "query($term: String, $first: Int, $after: String) { clients(searchTerm: $term, first: $first, after: $after) { "
    f"nodes {{ {COMPARED} }} pageInfo {{ hasNextPage endCursor }} }} }}"
)
PROPERTIES = "query($id: EncodedId!) { client(id: $id) { id clientProperties(first: 2) { nodes { id } } } }"

_LISTS = {"email": ("emails", "address"), "phone": ("phones", "number")}


class Clients(Records):
    """Single clients. One that is archived is found, too.

    :param revive: whether one that is archived is brought back when it is to be changed; else it counts as missing
    :param replace_lists: whether e-mails and phones that a record does not have are deleted
    """

    def __init__(self, graph: Graph, *, revive: bool = False, replace_lists: bool = False) -> None:
        self._graph = graph
        self._recent = Recent(graph)
        self._revive = revive
        self._replace_lists = replace_lists

    def search(self, fields: tuple[str, ...], values: tuple[Any, ...]) -> Sequence[str]:
        """Clients with these values, whatever their case; phone numbers by their digits."""
        if fields == ("id",):
            return [str(values[0])] if self._now(str(values[0])) is not None else []
        wanted = {name: str(value) for name, value in zip(fields, values, strict=True)}
        term = next(iter(wanted.values()))
        found = search(self._graph, SEARCH, "clients", term, lambda client: _is(client, wanted))
        return ids([*found, *self._recent.find(lambda client: _is(client, wanted))])

    def exists(self, key: str) -> bool:
        """Whether there is a client with that id that is not archived."""
        now = self._now(key)
        return now is not None and not now.get("isArchived")

    def create(self, data: dict[str, Any]) -> Verdict:
        """Make a client. Jobber refuses none that is there already."""
        try:
            verdict = send(self._graph, CREATE, {"input": created(data)}, data)
        except OutcomeUnknown:
            self._recent.doubtful()
            raise
        if isinstance(verdict, Written) and verdict.key is not None:
            self._recent.made(verdict.key, data)
        return verdict

    def change(self, key: str, data: dict[str, Any]) -> Verdict:
        """Change the client: what it has now decides what is added, changed and deleted."""
        now = self._now(key)
        if now is None:
            return unknown("client", key)
        if now.get("isArchived") and not self._revive:
            return replace(unknown("client", key), message=f"the client with the id {key} is archived")
        self._recent.changed(key)
        if now.get("isArchived"):
            restored = send(self._graph, UNARCHIVE, {"clientId": key}, data)
            if isinstance(restored, RecordError):
                return restored
        changes = edited(data, now, replace=self._replace_lists)
        return self._edit(key, changes, data) if changes else Written(key)

    def remove(self, key: str) -> Verdict:
        """Archive the client; Jobber's API deletes none."""
        self._recent.changed(key)
        return send(self._graph, ARCHIVE, {"clientId": key}, {})

    def properties(self, key: str) -> list[str] | None:
        """The ids of the first two properties of a client; None where there is no such client.

        :raises FluxError: Jobber cannot be asked
        """
        nodes = self._graph.ask(PROPERTIES, {"id": key}).at("data.client.clientProperties.nodes")
        return None if nodes in (None, MISSING) else [node["id"] for node in nodes]

    def _edit(self, key: str, changes: dict[str, Any], data: dict[str, Any]) -> Verdict:
        """Send differences. What adds or deletes must not be sent twice as it is; a retry computes it anew."""
        repeatable = not any(name.endswith(("ToAdd", "ToDelete")) for name in changes)
        variables = {"clientId": key, "input": changes}
        try:
            verdict = send(self._graph, replace(EDIT, idempotent=repeatable), variables, data)
        except OutcomeUnknown as unknown:
            code = "CONNECTION_TIMEOUT" if unknown.code == "OUTCOME_UNKNOWN" else unknown.code
            raise FluxError(
                code, unknown.message, answer=unknown.answer, retry_after=unknown.retry_after
            ) from None
        if isinstance(verdict, RecordError) and verdict.code == "OUTCOME_UNKNOWN":
            return replace(verdict, code="UNREADABLE_ANSWER")
        return verdict

    def _now(self, key: str) -> dict[str, Any] | None:
        client = self._graph.ask(NOW, {"id": key}).at("data.client")
        return client if isinstance(client, dict) else None


def _is(client: dict[str, Any], wanted: dict[str, str]) -> bool:
    for name, value in wanted.items():
        if name in _LISTS:
            listed, text = _LISTS[name]
            if not any(same(listed, str(entry.get(text) or ""), value) for entry in client.get(listed) or ()):
                return False
        elif str(client.get(name) or "").strip().casefold() != value.strip().casefold():
            return False
    return True

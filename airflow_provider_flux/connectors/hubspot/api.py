"""What reading, writing and describing share: a client of one object, and errors in HubSpot's own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec

from airflow_provider_flux.connectors.api.connection import open_client
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.hubspot.faults import missing_scopes
from airflow_provider_flux.connectors.hubspot.profile import PROFILE, path_of
from airflow_provider_flux.connectors.rest.records import NoRecords, find_records
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.answers import Decoded
from airflow_provider_flux.transport.classify import SOURCE, loosely
from airflow_provider_flux.transport.client import HttpClient
from airflow_provider_flux.transport.failures import Judgement
from airflow_provider_flux.transport.messages import Request, Response
from airflow_provider_flux.transport.tally import Tally

_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Api:
    """One object of one account. Safe to use from several threads."""

    object: str
    client: HttpClient
    judgement: Judgement

    @classmethod
    def open(
        cls,
        credentials: Credentials,
        name: str,
        *,
        outage: str = SOURCE,
        timeout: timedelta | None = None,
        connections: int = 1,
        tally: Tally | None = None,
    ) -> Api:
        """No call is made.

        :param outage: the code of HubSpot's own failures, `classify.SOURCE` or `classify.DESTINATION`
        :raises FluxError: CONNECTION_INVALID, with the field at fault
        """
        client = open_client(
            credentials, None, profile=PROFILE, timeout=timeout, connections=connections, tally=tally
        )
        judgement = Judgement(credentials.conn_id, client.mask, PROFILE.rows, outage, client.tally)
        return cls(name, client, judgement)

    @property
    def path(self) -> str:
        """Of the object's records."""
        return path_of(self.object)

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Response:
        """The answer to a GET, whatever its status."""
        return self.client.send(Request("GET", path, params or {}, wants="json"))

    def post(self, path: str, body: bytes | Mapping[str, Any], *, repeatable: bool = True) -> Response:
        """The answer to a POST below the object's path, whatever its status.

        :param repeatable: whether HubSpot may execute it twice without harm
        :raises OutcomeUnknown: it may not be repeated, and no verdict came
        """
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        wants: Any = "anything" if path.endswith("/archive") else "json"
        return self.client.send(
            Request("POST", self.path + path, {}, _JSON, content, repeatable=repeatable, wants=wants)
        )

    def results(self, response: Response) -> tuple[Decoded, list[Any]]:
        """The list `results` of an answer.

        :raises FluxError: what HubSpot answers instead; UNREADABLE_ANSWER where there is no list
        """
        if not 200 <= response.status < 300:
            raise self.failed(response)
        decoded = self.judgement.value(response)
        try:
            return decoded, find_records(decoded.value, "results", optional=False)
        except NoRecords as error:
            raise self.judgement.unreadable(response, str(error)) from None

    def records(self, response: Response) -> list[dict[str, Any]]:
        """The records in an answer, each with its `id` and its `properties`.

        :raises FluxError: as `results`
        """
        _, found = self.results(response)
        for one in found:
            if not isinstance(one, dict) or not isinstance(one.get("id"), str):
                raise self.judgement.unreadable(response, "a record has no id")
        return [{**one, "properties": one.get("properties") or {}} for one in found]

    def failed(self, response: Response) -> FluxError:
        """The error for an answer whose status says that the request failed."""
        error = self.judgement.failed(response)
        scopes = missing_scopes(loosely(response.body, response.content_type))
        if error.code == "PERMISSION_DENIED" and scopes:
            error.message += f" Required: {', '.join(scopes)}."
            error.next_step = (
                f"Give the app one of these scopes in HubSpot ({', '.join(scopes)}); an app with OAuth must be "
                "consented to again afterwards. Then clear the failed task."
            )
        if error.code == "NOT_FOUND":
            error.message += f" (object '{self.object}')"
            error.next_step = (
                f"Correct `object: {self.object}` in the flow. An object of your own is named by its object type id, "
                "as 2-1234567, or as p_name; HubSpot shows both under Settings, Objects."
            )
        return error

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

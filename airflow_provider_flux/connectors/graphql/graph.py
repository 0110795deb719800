"""One GraphQL endpoint: sends documents, and tells what failed as a whole from what failed in a part."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from airflow_provider_flux.connectors.api.auth_options import Auth
from airflow_provider_flux.connectors.api.clock import clock
from airflow_provider_flux.connectors.api.connection import open_client
from airflow_provider_flux.connectors.api.profile import ANY_API, ApiProfile
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.rest.bodies import encode_item
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport import graphql
from airflow_provider_flux.transport.answers import Decoded
from airflow_provider_flux.transport.classify import Row
from airflow_provider_flux.transport.client import HttpClient
from airflow_provider_flux.transport.failures import Judgement
from airflow_provider_flux.transport.messages import Request, Response
from airflow_provider_flux.transport.paths import get
from airflow_provider_flux.transport.tally import Tally

log = logging.getLogger(__name__)

PATH = "/graphql"
"""Where most servers have their endpoint."""


@dataclass(frozen=True)
class Told:
    """An answer of the GraphQL form.

    :param said: its data, and its errors wherever they stand
    """

    response: Response
    decoded: Decoded
    said: graphql.GraphqlAnswer

    def at(self, path: str) -> Any:
        """What stands at a path of the answer (`data.customer.id`); `paths.MISSING` where nothing does."""
        return get(self.decoded.value, path)


class Graph:
    """One endpoint over one connection. Safe to use from several threads.

    :param path: of the endpoint, below the connection's base URL
    :param rows: recognise the vendor's own bodies; the same that `judgement` has
    :param headers: of every call
    """

    def __init__(
        self,
        client: HttpClient,
        judgement: Judgement,
        path: str = PATH,
        *,
        rows: Sequence[Row] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.client = client
        self.judgement = judgement
        self.rows = rows
        self._path = path
        self._headers = {"Content-Type": "application/json", **(headers or {})}

    @classmethod
    def open(
        cls,
        credentials: Credentials,
        profile: ApiProfile = ANY_API,
        *,
        outage: str,
        path: str = PATH,
        auth: Auth | None = None,
        rows: Sequence[Row] = (),
        headers: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
        connections: int = 1,
        tally: Tally | None = None,
    ) -> Graph:
        """The endpoint of a connection. No call is made.

        :param outage: the code of the server's own failures, `classify.SOURCE` or `classify.DESTINATION`
        :param auth: what the flow says; without it what the connection says
        :param rows: asked before the rows of the profile
        :param connections: most calls at the same time
        :raises FluxError: CONNECTION_INVALID, with the field at fault
        """
        client = open_client(
            credentials, auth, profile=profile, timeout=timeout, connections=connections, tally=tally, rows=rows
        )
        rows = (*rows, *profile.rows)
        judgement = Judgement(credentials.conn_id, client.mask, rows, outage, client.tally)
        return cls(client, judgement, path, rows=rows, headers=headers)

    def ask(self, document: str, variables: Mapping[str, Any] | None = None) -> Told:
        """Ask what may be asked twice. Errors beside data are left to the caller (`said.errors`).

        :raises FluxError: the request failed; UNREADABLE_ANSWER for what no GraphQL server answers
        """
        return self.told(self.send(document, variables, repeatable=True))

    def send(
        self, document: str, variables: Mapping[str, Any] | None, *, repeatable: bool, once: bool = False
    ) -> Response:
        """Send a document; the answer, whatever its status.

        :param repeatable: whether the server may execute it twice without harm
        :param once: do not try again
        :raises Unfit: a variable holds what JSON cannot (`rest.placeholders.Unfit`)
        :raises OutcomeUnknown: what must not be repeated was sent, and no verdict came
        :raises FluxError: no answer came
        """
        body = bytes(encode_item({"query": document, "variables": dict(variables or {})}))
        request = Request("POST", self._path, {}, self._headers, body, repeatable=repeatable, wants="json")
        return self.client.send(request, once=once)

    def told(self, response: Response) -> Told:
        """The answer to a read, if it holds data.

        :raises FluxError: as `ask`
        """
        told = self.answered(response)
        if told.said.data is None:
            raise self.judgement.graphql(response, told.said.errors[0])
        return told

    def answered(self, response: Response) -> Told:
        """The answer to a read, with data or only with errors.

        :raises FluxError: as `ask`, but for errors in the answer
        """
        self.judgement.check(response)
        decoded = self.judgement.value(response)
        said = graphql.judge(decoded.value, asked=True)
        if said is None:
            raise self.judgement.unreadable(
                response,
                "it is no answer of a GraphQL server: it has neither `data` nor `errors`",
                "Correct the path of the GraphQL endpoint, or the host of the connection.",
            )
        return Told(response, decoded, said)

    def now(self) -> datetime | None:
        """The server's clock: the `Date` of its answer to a HEAD, whatever the status. None where it has none."""
        try:
            return clock(self.client.send(Request("HEAD", self._path, headers=self._headers), once=True))
        except FluxError as error:
            log.warning("the clock of the source is not known: %s", error)
            return None

    def calls(self) -> Tally:
        """The calls made so far."""
        return self.client.tally

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

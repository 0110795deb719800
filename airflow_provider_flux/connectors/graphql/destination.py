"""What destinations behind a GraphQL API share: one mutation per record."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from airflow_provider_flux.connectors.api.one_by_one import raise_if_all_alike, write_each
from airflow_provider_flux.connectors.contract import Destination, Verdict, WriteItem
from airflow_provider_flux.connectors.graphql.graph import Graph
from airflow_provider_flux.connectors.options import DestinationOptions
from airflow_provider_flux.transport.tally import Tally


class GraphDestination(Destination):
    """Writes each record by a call of its own (`write_one`).

    :param idempotent: whether the same batch may be sent twice
    :param can_find: whether `find` is there
    """

    one_by_one = True

    def __init__(
        self, options: DestinationOptions, graph: Graph, *, idempotent: bool, can_find: bool = False
    ) -> None:
        self.batch_size = options.batch_size
        self.in_flight = options.in_flight
        self.idempotent = idempotent
        self.can_find = can_find
        self.graph = graph

    @abstractmethod
    def write_one(self, item: WriteItem) -> Verdict:
        """Write one record, or delete it.

        :raises OutcomeUnknown: it was sent, must not be repeated, and no verdict came
        :raises FluxError: what keeps every record from being stored, not only this one
        """

    def write(self, items: Sequence[WriteItem]) -> list[Verdict]:
        """Write one batch: one verdict per item, in order."""
        verdicts = write_each(items, self.write_one, idempotent=self.idempotent, can_find=self.can_find)
        raise_if_all_alike(verdicts)
        return verdicts

    def calls(self) -> Tally:
        """The calls made so far."""
        return self.graph.calls()

    def close(self) -> None:
        """Close the connections."""
        self.graph.close()

"""Lists of which a GraphQL server could not tell every record."""

from __future__ import annotations

import logging
from collections.abc import Callable

from airflow_provider_flux.errors import CATALOGUE, Disposition, RecordError
from airflow_provider_flux.transport.classify import SOURCE
from airflow_provider_flux.transport.failures import Judgement
from airflow_provider_flux.transport.graphql import GraphqlAnswer, GraphqlError
from airflow_provider_flux.transport.messages import Response

log = logging.getLogger(__name__)


def defects(
    response: Response, said: GraphqlAnswer, path: str | None, judgement: Judgement, mask: Callable[[str], str]
) -> dict[int, RecordError]:
    """The errors of single records of a list, which cost only these; by their position.

    :param path: of the list in the answer: `data.contacts.nodes`
    :raises FluxError: for an error after which records may be missing
    """
    records, whole = said.of_list(path)
    if whole:
        raise judgement.graphql(response, whole[0])
    for error in said.errors:
        log.warning("%s answered an error beside its data: %s", response.endpoint, mask(error.message))
    return {index: _defect(error, mask) for index, error in records.items()}


def _defect(error: GraphqlError, mask: Callable[[str], str]) -> RecordError:
    finding = error.finding(200, outage=SOURCE, record=False)
    # Only a part of the record came: nothing may try to deliver that part by itself.
    known = finding is not None and CATALOGUE[finding.code].disposition is not Disposition.RETRY
    where = ".".join(str(step) for step in error.path if isinstance(step, str))
    message = mask(f"the source could not tell '{where}': {error.message}")
    return RecordError(finding.code if finding and known else "UNKNOWN", message, source_path=where)

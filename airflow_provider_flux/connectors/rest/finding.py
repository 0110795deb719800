"""Asks the API whether a record is there."""

from __future__ import annotations

from airflow_provider_flux.connectors.contract import WriteItem
from airflow_provider_flux.connectors.rest.api import Api
from airflow_provider_flux.connectors.rest.destination_options import Find
from airflow_provider_flux.connectors.rest.placeholders import Unfit, compile_template
from airflow_provider_flux.connectors.rest.records import NoRecords, find_records
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.messages import Request
from airflow_provider_flux.transport.paths import MISSING, get


class Finder:
    """Looks a record up, by its key or by a search."""

    def __init__(self, api: Api, find: Find) -> None:
        self._api = api
        self._find = find
        self._path = compile_template(find.path, api.options.one_key, url=True)
        self._params = compile_template(find.params, api.options.one_key)

    def find(self, item: WriteItem) -> str | None:
        """The destination's key of the record, None where it is not there.

        :raises FluxError: when the API does not say
        """
        try:
            request = Request("GET", self._path(item), self._params(item), self._api.options.headers, wants="json")
        except Unfit as unfit:
            raise FluxError(unfit.error.code, f"the record cannot be looked up: {unfit.error.message}") from None
        response = self._api.client.send(request)
        if response.status in (404, 410):
            return None
        self._api.judgement.check(response)
        answer = self._api.judgement.value(response).value
        if self._find.records is not None:
            try:
                found = find_records(answer, self._find.records, optional=False, option="find.records")
            except NoRecords as error:
                raise self._api.judgement.unreadable(response, str(error)) from None
            if not found:
                return None
            answer = found[0]
        key = get(answer, self._find.id)
        if key is MISSING or key is None:
            raise self._api.judgement.unreadable(response, f"`find.id: {self._find.id}` is not in what was found")
        return str(key)

"""Asks the API whether a record is there."""

from __future__ import annotations

from airflow_provider_flux.connectors.contract import WriteItem
from airflow_provider_flux.connectors.rest.api import Api
from airflow_provider_flux.connectors.rest.placeholders import Unfit, compile_template
from airflow_provider_flux.connectors.rest.records import NoRecords, find_records
from airflow_provider_flux.connectors.rest.write_blocks import Find
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.messages import Request
from airflow_provider_flux.transport.paths import MISSING, get


class Finder:
    """Looks a record up, by its key or by a search.

    :param key: the field that `{key}` stands for
    """

    def __init__(self, api: Api, find: Find, key: str | None) -> None:
        self._api = api
        self._find = find
        self._path = compile_template(find.path, key, url=True)
        self._params = compile_template(find.params, key)

    def ids(self, item: WriteItem) -> list[str]:
        """The destination's keys of all records that it could be.

        :raises FluxError: when the API does not say
        """
        try:
            request = Request("GET", self._path(item), self._params(item), self._api.options.headers, wants="json")
        except Unfit as unfit:
            raise FluxError(unfit.error.code, f"the record cannot be looked up: {unfit.error.message}") from None
        response = self._api.client.send(request)
        if response.status in (404, 410):
            return []
        self._api.judgement.check(response)
        answer = self._api.judgement.value(response).value
        found = [answer]
        if self._find.records is not None:
            try:
                found = find_records(answer, self._find.records, optional=False, option="find.records")
            except NoRecords as error:
                raise self._api.judgement.unreadable(response, str(error)) from None
        keys = [get(record, self._find.id) for record in found]
        if any(key is MISSING or key is None for key in keys):
            raise self._api.judgement.unreadable(response, f"`find.id: {self._find.id}` is not in what was found")
        return [str(key) for key in keys]

    def find(self, item: WriteItem) -> str | None:
        """The destination's key of the record, None where it is not there; as `ids`."""
        return next(iter(self.ids(item)), None)

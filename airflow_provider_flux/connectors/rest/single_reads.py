"""One request per record, by its key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_flux.connectors.contract import Page, WriteItem
from airflow_provider_flux.connectors.rest.placeholders import Unfit, compile_template
from airflow_provider_flux.connectors.rest.records import page_of
from airflow_provider_flux.connectors.rest.source_options import RestSourceOptions
from airflow_provider_flux.transport.client import HttpClient
from airflow_provider_flux.transport.failures import Judgement
from airflow_provider_flux.transport.messages import Request
from airflow_provider_flux.transport.paths import MISSING, get, place

_GONE = frozenset({404, 410})


class SingleReads:
    """Asks for records as the option `item` of a source says."""

    def __init__(self, options: RestSourceOptions, client: HttpClient, judgement: Judgement) -> None:
        assert options.item is not None
        self._headers = options.headers
        self._record = options.item.record
        self._path = compile_template(options.item.path, options.one_key, url=True)
        self._params = compile_template(options.item.params, options.one_key)
        self._client = client
        self._judgement = judgement

    def pages(self, keys: Sequence[Mapping[str, Any]]) -> Iterator[Page]:
        """A page for every record that is there.

        :raises FluxError: what the API answers; UNREADABLE_ANSWER for one of another shape than declared
        """
        for key in keys:
            page = self._page(key)
            if page is not None:
                yield page

    def _page(self, key: Mapping[str, Any]) -> Page | None:
        named: dict[str, Any] = {}
        for path, value in key.items():
            place(named, path, value)
        try:
            path, params = self._path(WriteItem(named)), self._params(WriteItem(named))
        except Unfit:
            return None  # no record of the API can have such a key
        response = self._client.send(Request("GET", path, params, self._headers, wants="json"))
        if response.status in _GONE:
            return None
        self._judgement.check(response)
        decoded = self._judgement.value(response)
        record = decoded.value if self._record is None else get(decoded.value, self._record)
        if record is MISSING:
            raise self._judgement.unreadable(response, f"`item.record: {self._record}` is not in the answer")
        return None if record is None else page_of(decoded, [record])

"""One request per record."""

from __future__ import annotations

from airflow_provider_flux.connectors.contract import Verdict, WriteItem, Written
from airflow_provider_flux.connectors.rest.api import Api
from airflow_provider_flux.connectors.rest.bodies import encode_item
from airflow_provider_flux.connectors.rest.placeholders import Unfit, compile_template, has_placeholder
from airflow_provider_flux.errors import CATALOGUE, Disposition, RecordError
from airflow_provider_flux.transport.answers import NotJson
from airflow_provider_flux.transport.classify import loosely, recognise
from airflow_provider_flux.transport.messages import Request, Response

# Statuses that may be about the one record; any other refuses every record alike.
_ABOUT_RECORD = frozenset({400, 403, 409, 412, 413, 422, 423, 424, 428, 451, 500})
_ABOUT_PATH = frozenset({404, 410})
# What a GraphQL server answers with status 200 to every record alike.
_ABOUT_CALLER = frozenset({"AUTHENTICATION_FAILED", "RATE_LIMIT_EXCEEDED", "PAYLOAD_MISMATCH", "CONNECTION_TIMEOUT"})


class SingleWrites:
    """Sends each record by a request of its own.

    :param path: with placeholders
    :param body: a template; None for requests without a body
    :param repeatable: whether the same request twice does no harm
    """

    def __init__(self, api: Api, method: str, path: str, body: object, *, repeatable: bool) -> None:
        self._api = api
        self._method = method
        self._path = compile_template(path, api.options.one_key, url=True)
        self._about_record = _ABOUT_RECORD | (_ABOUT_PATH if has_placeholder(path) else frozenset())
        self._body = None if body is None else compile_template(body, api.options.one_key)
        self._repeatable = repeatable

    def write(self, item: WriteItem) -> Verdict:
        """Send one record.

        :raises FluxError: what keeps every record from being stored, not only this one
        """
        try:
            request = self._request(item)
        except Unfit as unfit:
            return unfit.error
        response = self._api.client.send(request)
        if 200 <= response.status < 300:
            return self._accepted(response, item)
        if item.deleted and response.status in _ABOUT_PATH:
            return Written()
        return self._refused(response, item)

    def _request(self, item: WriteItem) -> Request:
        options = self._api.options
        headers = dict(options.headers)
        body = None
        if self._body is not None:
            body = bytes(encode_item(self._body(item)))
            headers.setdefault("Content-Type", "application/json")
        return Request(
            self._method,
            self._path(item),
            options.params,
            headers,
            body,
            repeatable=self._repeatable,
            wants="json" if self._api.looks_inside and not item.deleted else "data",
        )

    def _accepted(self, response: Response, item: WriteItem) -> Verdict:
        self._api.check_no_page(response)
        if item.deleted or not self._api.looks_inside:
            return Written()
        try:
            answer = response.decoded.value
        except NotJson as error:
            raise self._api.unreadable(response, f"the answer is not JSON: {error}") from None
        if recognise(self._api.rows, response.status, answer, failed=False) is not None:
            return self._api.judge.refused(answer, response.status, item, response.endpoint)
        verdict = self._api.judge.one(answer, item)
        if isinstance(verdict, RecordError) and verdict.code in _ABOUT_CALLER:
            raise self._api.judgement.inside(response, verdict)
        return verdict

    def _refused(self, response: Response, item: WriteItem) -> RecordError:
        value = loosely(response.body, response.content_type)
        known = self._api.judge.known(response.status, value)
        if known is None and response.status not in self._about_record:
            raise self._api.judgement.failed(response)
        error = self._api.judge.refused(value, response.status, item, response.endpoint)
        if known is not None and CATALOGUE[known.code].disposition in (Disposition.STOP, Disposition.RETRY):
            raise self._api.judgement.failed(response)
        return self._api.judgement.about_record(response, error)

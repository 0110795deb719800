"""The pager of each kind of paging."""

from __future__ import annotations

from airflow_provider_flux.connectors.rest.page_numbers import ByPage
from airflow_provider_flux.connectors.rest.paging import ByOffset, ByToken, OnePage, Pager, next_link, token_at
from airflow_provider_flux.connectors.rest.source_options import Paging


def pager_for(options: Paging) -> Pager:
    """The pager of a kind."""
    if options.kind == "none":
        return OnePage(options)
    if options.kind == "page":
        return ByPage(options)
    if options.kind == "offset":
        return ByOffset(options)
    if options.kind == "link_header":
        return ByToken(options, lambda seen: next_link(seen.headers.get("link", "")))
    if options.kind == "next_url_header":
        header = options.header or ""
        return ByToken(options, lambda seen: seen.headers.get(header) or None)
    path = options.next or ""
    return ByToken(options, lambda seen: token_at(seen, path))

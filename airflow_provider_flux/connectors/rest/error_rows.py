"""The flow's rows that recognise answers, ready for use."""

from __future__ import annotations

import re
from collections.abc import Sequence

from airflow_provider_flux.connectors.rest.options import ErrorRow
from airflow_provider_flux.transport.classify import Row


def compiled(rows: Sequence[ErrorRow]) -> tuple[Row, ...]:
    """The rows of a flow file as the transport understands them."""
    return tuple(
        Row(
            code=row.code,
            status=frozenset(row.status) if row.status is not None else None,
            path=row.path,
            pattern=re.compile(row.match) if row.match is not None else None,
            field=row.field,
        )
        for row in rows
    )

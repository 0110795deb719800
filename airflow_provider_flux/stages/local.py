"""A whole run in this process, recorded like any other."""

from __future__ import annotations

import logging

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.stages.context import RunContext
from airflow_provider_flux.stages.read import read
from airflow_provider_flux.stages.report import RunReport
from airflow_provider_flux.stages.settle import settle
from airflow_provider_flux.stages.transform import transform
from airflow_provider_flux.stages.write import write

log = logging.getLogger(__name__)


def run_flow(ctx: RunContext) -> RunReport:
    """Read, transform, write and settle; a stage that fails ends the run, and settle says so.

    :raises FluxError: only what settle raises; a failing stage stands in the report
    """
    for stage in (read, transform, write):
        try:
            stage(ctx)
        except FluxError as error:
            log.error("%s", error)
            break
    return settle(ctx)

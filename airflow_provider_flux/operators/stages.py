"""The four operators of a flow's DAG: `read >> transform >> write >> settle`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.operators.base import FluxOperator

if TYPE_CHECKING:
    from airflow_provider_flux.stages.context import RunContext, StageReport
    from airflow_provider_flux.stages.report import RunReport
    from airflow_provider_flux.store.rows import Run


class FluxReadOperator(FluxOperator):
    """Reads what the run's window holds from the source and stages it."""

    stage = "read"

    def work(self, run: RunContext) -> dict[str, Any]:
        """See `stages.read`."""
        from airflow_provider_flux.stages.read import read

        return _summary(run, read(run))


class FluxTransformOperator(FluxOperator):
    """Maps the records that were read; those that cannot be mapped are stored as errors."""

    stage = "transform"

    def work(self, run: RunContext) -> dict[str, Any]:
        """See `stages.transform`."""
        from airflow_provider_flux.stages.transform import transform

        return _summary(run, transform(run))


class FluxWriteOperator(FluxOperator):
    """Writes the mapped records to the destination, batch by batch, each acknowledged in the store."""

    stage = "write"

    def work(self, run: RunContext) -> dict[str, Any]:
        """See `stages.write`."""
        from airflow_provider_flux.stages.write import write

        return _summary(run, write(run))


class FluxSettleOperator(FluxOperator):
    """Checks the sums, moves the cursor and closes the run; fails when the run failed, so that its colour is true."""

    stage = "settle"

    def work(self, run: RunContext) -> dict[str, Any]:
        """See `stages.settle`; then the run's metrics, its timer and its review, and last the trace.

        :raises AirflowFailException: when the run failed. Settle itself did its work then: there is nothing to retry,
            whatever the code of the stage that failed.
        """
        from airflow_provider_flux.stages.report import run_report, trace_text
        from airflow_provider_flux.stages.settle import red, settle

        failure: FluxError | None
        try:
            report = settle(run)
            failure = red(run, report)
        except FluxError as error:
            if error.transient:
                raise
            report, failure = run_report(run.store, run.run(), run.flow.file), error
            if report.run.error_code is None:
                raise  # the run is not closed: its report does not tell of this
        self._pass_on(run, report)
        self.log.log(logging.INFO if failure is None else logging.ERROR, "%s", trace_text(report))
        if failure is not None:
            raise AirflowFailException(str(failure)) from None
        return {"flow": run.flow.id, "run_id": run.run_id, "state": report.run.state, "counts": _buckets(report.run)}

    def _pass_on(self, run: RunContext, report: RunReport) -> None:
        from airflow_provider_flux.operators.review import ask
        from airflow_provider_flux.operators.stats import emit
        from airflow_provider_flux.operators.timer import arm

        emit(run.store, report)
        arm(run.store, run.flow.id, run.run_id, self.log.warning)
        ask(run.store, report.run, run.epoch, self.log.warning)


def _buckets(run: Run) -> dict[str, int]:
    from airflow_provider_flux.store.rows import BUCKETS

    return {name: getattr(run, name) or 0 for name in ("read", *BUCKETS)}


def _summary(run: RunContext, report: StageReport) -> dict[str, Any]:
    return {
        "flow": run.flow.id,
        "run_id": run.run_id,
        "stage": report.stage,
        "epoch": run.epoch,
        "records": report.records,
        "batches": report.batches,
        "seconds": round(report.seconds, 3),
        "counts": report.counts,
    }

"""The tasks of the DAG `flux_housekeeping`: what the store keeps too long goes, what Airflow ended is closed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_flux import dag_runs, settings
from airflow_provider_flux.operators.timer import arm

if TYPE_CHECKING:
    from airflow_provider_flux.compat import Context


class FluxPurgeOperator(BaseOperator):
    """Removes staged files, the payloads of failed records and whole runs that are older than their retention."""

    def execute(self, context: Context) -> dict[str, Any]:
        """How many of each went.

        :raises FluxError: when the settings are not valid, or store or staging cannot be reached
        """
        from airflow_provider_flux.housekeeping import purge
        from airflow_provider_flux.staging import open_staging
        from airflow_provider_flux.store import open_store

        configured = settings.load()
        with open_store(configured.store) as store:
            gone = purge(store, open_staging(configured.staging), datetime.now(UTC), configured.retention)
        self.log.info(
            "Removed: the files of %d runs, the payloads of %d errors, %d runs", gone.staging, gone.payloads, gone.runs
        )
        return {"staging": gone.staging, "payloads": gone.payloads, "runs": gone.runs}


class FluxReconcileOperator(BaseOperator):
    """Closes runs that Airflow ended or lost, frees the records of replays that never came, sets timers again."""

    def execute(self, context: Context) -> dict[str, Any]:
        """What was found.

        :raises FluxError: when the settings are not valid or the store cannot be reached
        :raises DagRunRefused: when Airflow does not say what became of a run
        """
        from airflow_provider_flux.housekeeping import reconcile
        from airflow_provider_flux.store import open_store

        with open_store(settings.load().store) as store:
            found = reconcile(store, dag_runs.state)
            for flow in found.overdue:
                arm(store, flow, "", self.log.warning)
        for run in found.closed:
            self.log.warning("Closed run %s of flow %s as %s", run.run_id, run.flow, run.state)
        for claim in found.released:
            self.log.warning("The records of replay %s of flow %s are free again", claim.run_id, claim.flow)
        return {"closed": len(found.closed), "released": len(found.released), "overdue": list(found.overdue)}

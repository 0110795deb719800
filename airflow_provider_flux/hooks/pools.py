"""The pools of this Airflow, for `check --online`."""

from __future__ import annotations

from airflow_provider_flux.errors import FluxError


def pool_names() -> frozenset[str]:
    """The names of all pools, read from Airflow's own database: outside of tasks only.

    :raises FluxError: CONFIG_INVALID when that database cannot be read
    """
    from airflow.models.pool import Pool
    from sqlalchemy.exc import SQLAlchemyError

    try:
        return frozenset(str(pool.pool) for pool in Pool.get_pools())
    except SQLAlchemyError as error:
        raise FluxError(
            "CONFIG_INVALID",
            f"the pools of Airflow cannot be read: {type(error).__name__}",
            next_step="Run `airflow db migrate`, or set AIRFLOW__DATABASE__SQL_ALCHEMY_CONN to Airflow's database.",
        ) from None

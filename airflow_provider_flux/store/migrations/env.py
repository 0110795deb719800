"""Run by Alembic: applies the migrations on the connection, and inside the transaction, of `store.upgrade`."""

from __future__ import annotations

from alembic import context

from airflow_provider_flux.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["version_table"],
    target_metadata=metadata,
)
with context.begin_transaction():
    context.run_migrations()

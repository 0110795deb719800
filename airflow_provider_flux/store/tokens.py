"""The tokens of connections that sign in with OAuth, shared by all tasks, and the lease to renew one."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta

from sqlalchemy import or_, select, update

from airflow_provider_flux.store.part import StorePart, insert_into, shared_now
from airflow_provider_flux.store.seal import Unreadable, check_key, seal, unseal
from airflow_provider_flux.store.tables import tokens
from airflow_provider_flux.store.text import clean, instant_text, now_text
from airflow_provider_flux.transport.shared import StoredToken, UnreadableToken


class Tokens(StorePart):
    """One row per connection (`transport.shared.TokenVault`); every method raises FluxError STORE_UNAVAILABLE, and
    CONFIG_INVALID when there is no key to encrypt with."""

    def token(self, connection: str) -> StoredToken | None:
        """The token that was kept last.

        :raises UnreadableToken: none of the present keys reads it
        """
        with self._database.reading() as database:
            sealed = database.execute(select(tokens.c.token).where(tokens.c.connection == clean(connection))).scalar()
        if sealed is None:
            return None
        try:
            return StoredToken(**json.loads(unseal(sealed)))
        except Unreadable:
            raise UnreadableToken(
                "CONFIG_INVALID",
                f"the kept token of connection '{connection}' cannot be read with the present Fernet key",
                next_step="Name the old key behind the new one, with a comma between, in the setting that holds it "
                "(AIRFLOW__CORE__FERNET_KEY or AIRFLOW__FLUX__FERNET_KEY), alike for all processes. If it is lost: "
                f"`airflow-flux connectors reconnect {connection}`.",
            ) from None

    def lease_token(self, connection: str, holder: str, seconds: float) -> bool:
        """Whether `holder` may renew the token now; nobody else may for so many seconds, or until it is kept.

        The clock is the database's: tasks run on several machines.
        """
        check_key()
        name, free = clean(connection), tokens.c.lease_until.is_(None)
        first = {"connection": name}
        with self._database.writing() as database:
            now = shared_now(database)
            # The row is there, and locked, before the one statement that compares.
            database.execute(insert_into(tokens, database.dialect.name).values(first).on_conflict_do_nothing())
            mine = update(tokens).where(
                tokens.c.connection == name,
                or_(free, tokens.c.lease_until <= instant_text(now), tokens.c.lease_by == holder),
            )
            until = instant_text(now + timedelta(seconds=seconds))
            return int(database.execute(mine.values(lease_by=holder, lease_until=until)).rowcount) == 1

    def keep_token(self, connection: str, holder: str, token: StoredToken | None) -> None:
        """Keep the new token, or (None) give the lease back without one.

        A token is kept also when the lease ran out meanwhile: it is the only copy of what the server has handed out.
        """
        name = clean(connection)
        row = None if token is None else {"token": seal(json.dumps(asdict(token))), "kept_at": now_text()}
        mine = update(tokens).where(tokens.c.connection == name, tokens.c.lease_by == holder)
        with self._database.writing() as database:
            if row is not None:
                insert = insert_into(tokens, database.dialect.name).values(connection=name, **row)
                database.execute(insert.on_conflict_do_update(index_elements=[tokens.c.connection], set_=row))
            database.execute(mine.values(lease_by=None, lease_until=None))

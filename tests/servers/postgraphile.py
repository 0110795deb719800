"""PostGraphile (https://postgraphile.org): a GraphQL API over a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
from sqlalchemy.engine import make_url

from tests.conftest import Postgres
from tests.contracts.servers.wire import unused_port
from tests.servers import npm
from tests.servers.process import running
from tests.sql import execute

_TABLES = Path(__file__).with_name("contacts.sql")


@dataclass(frozen=True)
class PostGraphile:
    """:param url: of the GraphQL endpoint
    :param database: SQLAlchemy URL of the database behind it; its table is `crm.contacts` (see contacts.sql)
    """

    url: str
    database: str

    def reset(self) -> None:
        """A thousand contacts, as at first."""
        execute(self.database, "TRUNCATE crm.contacts RESTART IDENTITY")
        execute(self.database, "SELECT crm.fill()")


@contextmanager
def serve(pg: Postgres, log: Path, *, masked: bool = False) -> Iterator[PostGraphile]:
    """Errors of the database are told (`extensions.code` is the SQLSTATE), unlike PostGraphile's default.

    :param masked: as PostGraphile does it: "An error occurred (logged with hash ...)"
    """
    folder = npm.installed("postgraphile")
    database = pg.new_database()
    execute(database, _TABLES.read_text(encoding="utf-8"))
    port = unused_port()
    served = PostGraphile(f"http://127.0.0.1:{port}/graphql", database)
    name = make_url(database).database
    env = {"PORT": str(port), "DATABASE": f"postgres://postgres@/{name}?host={quote(str(pg.socket), safe='')}"}
    if masked:
        env["MASKED"] = "1"
    command = [npm.node(), "node_modules/postgraphile/dist/cli-run.js"]
    with running(command, log, lambda: _is_up(served.url), folder=folder, env=env):
        served.reset()
        yield served


def _is_up(url: str) -> bool:
    try:
        return httpx.post(url, json={"query": "{__typename}"}, timeout=5).is_success
    except httpx.TransportError:
        return False

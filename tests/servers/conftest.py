"""Servers and API descriptions that others wrote, for the tests of this folder (lane `servers`).

prism(name, spec)   URL of a mock of the vendor's own OpenAPI file `spec` of the folder FLUX_VENDOR_SPECS; it refuses
                    requests that break the description. See tests/servers/prism.py.
prism_before(spec, upstream)  the same before a server of the test's own, whose answers are held against it, too.
oidc                an OAuth2 server with 3-second access tokens and refresh tokens that work once; `Oidc`
                    (token_url, authorize_url, client_id, client_secret, refresh_token(), active(token)).
postgraphile        a GraphQL API over 1000 contacts in PostgreSQL; `PostGraphile` (url, database, reset()).
shopify_schema      Shopify's own Admin schema as a graphql-core schema, to validate documents with.
mariadb             a MariaDB server; `MariaDb` (host, port, user, password, new_database(), url(database), sql()).

All live as long as the test session, and are shared by its tests. What they need is installed once into `.servers/` of
the checkout; a test whose server cannot be had (no npm, no network, no FLUX_VENDOR_SPECS, no MariaDB) is skipped, and
the end of the output says why. A test's time limit does not count its fixtures, so installing may take a while.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Postgres
from tests.servers import mariadb as mariadb_server
from tests.servers import npm
from tests.servers import oidc as oidc_server
from tests.servers import postgraphile as postgraphile_server
from tests.servers import prism as prism_server
from tests.servers.mariadb import MariaDb
from tests.servers.oidc import Oidc
from tests.servers.postgraphile import PostGraphile


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.timeout(120, func_only=True))


@pytest.fixture(scope="session")
def specs() -> Path:
    """The folder with the vendors' API descriptions."""
    folder = os.environ.get("FLUX_VENDOR_SPECS")
    if not folder:
        pytest.skip("FLUX_VENDOR_SPECS does not name a folder with the vendors' API descriptions")
    return Path(folder)


@pytest.fixture(scope="session")
def prism(specs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, str], str]]:
    """`prism(name, spec)`: the URL of a mock of that description; one server for each name."""
    urls: dict[str, str] = {}
    logs = tmp_path_factory.mktemp("prism")
    npm.installed("prism")
    with ExitStack() as stack:

        def start(name: str, spec: str) -> str:
            if name not in urls:
                urls[name] = stack.enter_context(prism_server.serve(specs / spec, logs / f"{name}.log"))
            return urls[name]

        yield start


@pytest.fixture(scope="module")
def prism_before(specs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, str], str]]:
    """`prism_before(spec, upstream)`: the URL of a proxy before `upstream`, which lets nothing through that breaks the
    description: neither requests (422) nor answers (500)."""
    logs = tmp_path_factory.mktemp("prism-before")
    npm.installed("prism")
    with ExitStack() as stack:
        yield lambda spec, upstream: stack.enter_context(
            prism_server.serve(specs / spec, logs / "log", upstream)
        )


@pytest.fixture(scope="session")
def oidc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oidc]:
    with oidc_server.serve(tmp_path_factory.mktemp("oidc") / "log", ttl=3) as server:
        yield server


@pytest.fixture(scope="session")
def postgraphile(pg: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostGraphile]:
    with postgraphile_server.serve(pg, tmp_path_factory.mktemp("postgraphile") / "log") as server:
        yield server


@pytest.fixture(scope="session")
def shopify_schema() -> Any:
    """A `graphql.GraphQLSchema`: Shopify's Admin API, version 2026-10, as Shopify publishes it."""
    graphql = pytest.importorskip("graphql", reason="graphql-core is not installed")
    folder = npm.installed("shopify")
    packed = json.loads((folder / "package.json").read_text())["packed"]["file"]
    with gzip.open(folder / packed) as file:
        return graphql.build_client_schema(json.load(file)["data"], assume_valid=True)


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    with mariadb_server.serve() as server:
        yield server

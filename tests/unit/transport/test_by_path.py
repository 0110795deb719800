"""Some calls have a limit of their own."""

from __future__ import annotations

import pytest

from airflow_provider_flux.connectors.api.pacing import limits_of
from airflow_provider_flux.connectors.api.profile import ApiProfile
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.limiter import Limiter
from airflow_provider_flux.transport.messages import Request
from airflow_provider_flux.transport.pace import ByPath, Limit

GENERAL, SEARCH = Limit(2, 60), Limit(1, 60, path="/search")
PROFILE = ApiProfile(limits=(GENERAL, SEARCH))


def pace() -> ByPath:
    return ByPath({limit.path: Limiter("crm", [limit], None, patience=0.01, silence=1) for limit in (GENERAL, SEARCH)})


def use_up(chosen: ByPath, request: Request) -> int:
    """How many calls are let through."""
    for made in range(10):
        try:
            chosen.enter(request)
        except FluxError as error:
            assert error.code == "RATE_LIMIT_EXCEEDED"
            return made
        chosen.left(request, None)
    raise AssertionError("there is no limit")


def test_calls_of_a_path_count_for_its_limit_and_no_other() -> None:
    chosen = pace()
    assert use_up(chosen, Request("POST", "/contacts/search")) == 1
    assert use_up(chosen, Request("GET", "/contacts?q=/search")) == 2
    assert use_up(chosen, Request("POST", "/deals/search?x=1")) == 0


def test_a_call_without_a_limit_is_let_through() -> None:
    chosen = ByPath({"/search": Limiter("crm", [SEARCH], None, patience=0.01, silence=1)})
    with pytest.raises(AssertionError, match="no limit"):
        use_up(chosen, Request("GET", "/contacts"))


@pytest.mark.parametrize(
    ("own", "expected"),
    [(None, (GENERAL, SEARCH)), ("190/10s", (Limit(190, 10.0), SEARCH)), ("none", ())],
)
def test_a_connection_replaces_the_general_limit(own: str | None, expected: tuple[Limit, ...]) -> None:
    extra = {} if own is None else {"limit": own}
    assert limits_of(Credentials("crm", "flux_x", extra=extra), PROFILE) == expected


def test_the_limits_of_two_paths_are_kept_apart_by_their_names() -> None:
    assert {limit.name for limit in (Limit(5, 1), Limit(5, 1, path="/search"))} == {"5/1s", "5/1s /search"}

"""The connector `jobber`: clients and jobs of an account, over Jobber's GraphQL API.

Facts: https://developer.getjobber.com/docs (authorization, versions, rate limits, queries and mutations), and a public
introspection of the live API (GitHub, api-evangelist/jobber, graphql/jobber-introspection.json).
docs/connectors/jobber.md tells all of it for people, and what could not be verified.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from airflow_provider_flux.connectors.api.form import CLIENT, OAUTH, REFRESH
from airflow_provider_flux.connectors.api.profile import ApiProfile, SignIn
from airflow_provider_flux.connectors.contract import Connector, Destination, Source
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.declare import Description, Form, FormField, ObjectType
from airflow_provider_flux.connectors.graphql.objects import GraphObjectSourceOptions, Shape
from airflow_provider_flux.connectors.jobber.objects import OBJECTS, SHAPES, SHORT
from airflow_provider_flux.connectors.object_options import ObjectDestinationOptions
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.transport.buckets import graphql_advice
from airflow_provider_flux.transport.classify import Row
from airflow_provider_flux.transport.pace import Limit
from airflow_provider_flux.transport.tally import Tally

VERSION = "2026-05-12"
"""The version of the API that is asked, unless the connection names another one."""

PROFILE = ApiProfile(
    base_url="https://api.getjobber.com",
    sign_in=SignIn(
        kinds=("refresh_token", "bearer"),
        token_url="https://api.getjobber.com/api/oauth/token",  # noqa: S106 - a URL
        authorize_url="https://api.getjobber.com/api/oauth/authorize",
    ),
    rows=(
        Row("REFERENCE_MISSING", pattern=re.compile(r"\bProperty (?:was |could )?not (?:be )?found")),
        Row("RECORD_NOT_FOUND", pattern=re.compile(r"\b(?:Client|Job) (?:was |could )?not (?:be )?found")),
    ),
    limits=(Limit(2500, 300, "per app and account"),),
    adviser=graphql_advice,
)


class JobberSourceOptions(GraphObjectSourceOptions):
    """Reads clients or jobs."""

    OBJECTS: ClassVar[Mapping[str, ObjectType]] = OBJECTS
    SHAPES: ClassVar[Mapping[str, Shape]] = SHAPES

    def paths(self) -> tuple[str, ...]:
        """As the schema has them: `email` is the primary one of `emails`, `phone` of `phones`."""
        paths = [long for path in super().paths() for long in SHORT.get(path, (path,))]
        return tuple(dict.fromkeys(paths))

    def selected_fields(self) -> frozenset[str] | None:
        """With the short names of what is selected."""
        selected = super().selected_fields() or frozenset()
        paths = self.paths()
        return selected | {short for short, long in SHORT.items() if set(long) <= set(paths)}


class JobberDestinationOptions(ObjectDestinationOptions):
    """Writes clients or jobs."""

    OBJECTS: ClassVar[Mapping[str, ObjectType]] = OBJECTS
    IN_A_ROW: ClassVar[int | None] = 50

    lists: Literal["merge", "replace"] = Field(
        default="merge",
        description="What becomes of e-mails and phone numbers of a client that the record's `emails` and `phones` do "
        "not have: `merge` keeps them, `replace` deletes them.",
    )

    @model_validator(mode="after")
    def _finds_by_that(self) -> JobberDestinationOptions:
        declared = self.OBJECTS.get(self.object)
        for name, keys in (("key", self.key or ()), *(("fallback_keys", keys) for keys in self.fallback_keys)):
            unknown = [field for field in keys if declared is not None and field not in declared.match]
            if unknown and declared is not None:
                raise ValueError(f"`{name}`: {self.object} are not found by {unknown[0]}, but by {_listed(declared)}")
        return self


def _listed(declared: ObjectType) -> str:
    return f"{', '.join(declared.match[:-1])} or {declared.match[-1]}"


class Jobber(Connector):
    """Clients and jobs of a Jobber account."""

    name = "jobber"
    conn_type = "flux_jobber"
    form = Form(
        "Flux Jobber",
        hidden=("schema", "port", "login"),
        labels={"host": "API host", "password": "Access token"},
        placeholders={
            "host": "empty: https://api.getjobber.com",
            "password": "for a try: it ends after an hour; else client ID and secret, then `connectors reconnect`",
        },
        fields={
            "api_version": FormField(
                "API version", f"Sent as X-JOBBER-GRAPHQL-VERSION, for example {VERSION}, which is sent unless given."
            ),
            **OAUTH,
            **REFRESH,
            **CLIENT,
        },
    )
    profile = PROFILE
    objects = tuple(OBJECTS.values())
    source_options = JobberSourceOptions
    destination_options = JobberDestinationOptions

    @classmethod
    def source(cls, options: SourceOptions, credentials: Credentials) -> Source:
        """Open the source."""
        from airflow_provider_flux.connectors.jobber.source import JobberSource

        assert isinstance(options, JobberSourceOptions)
        return JobberSource(options, credentials)

    @classmethod
    def destination(cls, options: DestinationOptions, credentials: Credentials) -> Destination:
        """Open the destination."""
        from airflow_provider_flux.connectors.jobber.destination import JobberDestination

        assert isinstance(options, JobberDestinationOptions)
        return JobberDestination(options, credentials)

    @classmethod
    def test(
        cls,
        credentials: Credentials,
        options: SourceOptions | DestinationOptions | None = None,
        tally: Tally | None = None,
    ) -> str:
        """Ask for the account's name."""
        from airflow_provider_flux.connectors.jobber.asking import account_name

        return account_name(credentials, tally)

    @classmethod
    def describe(
        cls,
        credentials: Credentials,
        options: SourceOptions | DestinationOptions | None = None,
        object_name: str | None = None,
        tally: Tally | None = None,
    ) -> Description | None:
        """Ask for the fields of an object: of what is read for a source, of what is written for a destination."""
        from airflow_provider_flux.connectors.jobber.asking import describe

        return describe(credentials, options, object_name, tally)

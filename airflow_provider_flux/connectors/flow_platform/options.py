"""What `destination:` of a flow file may say when it hands records to a flow platform."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import Field, model_validator

from airflow_provider_flux.connectors.options import DestinationOptions, Duration, Mode
from airflow_provider_flux.connectors.rest.options import ErrorRow
from airflow_provider_flux.connectors.rest.placeholders import compile_template


class FlowPlatformDestinationOptions(DestinationOptions):
    """Starts a run of a flow for each record."""

    MODES = ("create", "upsert")
    DELETES = ("ignore", "delete")

    workflow: str = Field(min_length=1, description="Id of the deployed flow, from its Connect or API panel.")
    payload: dict[str, Any] | str = Field(
        default="{record}",
        description="What the flow gets, as its input schema says, with placeholders: `{contact: '{record}'}`. The "
        "mapped record unless given.",
    )
    delete_workflow: str | None = Field(
        default=None, min_length=1, description="Id of the flow that deletes a record, for `deletes: delete`."
    )
    delete_payload: dict[str, Any] | str = Field(
        default="{record}", description="What that flow gets; the key of the record unless given."
    )
    mode: Mode = Field(
        default="create",
        description="`create`: each record is handed over once. `upsert`: the flow may run twice for a record, because "
        "it makes or changes what has the record's `key`.",
    )
    wait: bool = Field(
        default=True,
        description="Wait for the end of each run, so that one that fails is an error of its record. `false`: a run "
        "that was started counts as delivered.",
    )
    wait_timeout: Duration = Field(
        default=timedelta(minutes=15), description="How long a batch waits for its runs at most."
    )
    batch_size: int = Field(
        default=10, strict=True, ge=1, le=10_000, description="Most runs that are started before they are waited for."
    )
    errors: tuple[ErrorRow, ...] = Field(
        default=(), description="Rows that recognise the platform's own error bodies."
    )
    timeout: Duration | None = Field(
        default=None, description="How long the API may be silent; the connection's `timeout`, or 30s."
    )

    @property
    def one_key(self) -> str | None:
        """The field that `{key}` stands for."""
        return self.key[0] if self.key is not None and len(self.key) == 1 else None

    def advice(self) -> tuple[str, ...]:
        """A run cannot be looked up by its record."""
        if self.mode == "upsert":
            return ()
        return (
            "records whose run may have been started when a worker died are held for a person to decide; write `mode: "
            "upsert` if the flow may run twice for a record",
        )

    @model_validator(mode="after")
    def _fits(self) -> FlowPlatformDestinationOptions:
        for name, template in (("payload", self.payload), ("delete_payload", self.delete_payload)):
            if isinstance(template, str) and template != "{record}":
                raise ValueError(f"`{name}`: write an object, or '{{record}}' for the whole record")
            compile_template(template, self.one_key)
        if self.deletes == "delete" and self.delete_workflow is None:
            raise ValueError("`deletes: delete` needs `delete_workflow`: the flow that deletes a record")
        return self

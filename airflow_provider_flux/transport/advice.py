"""What a connector knows of its system's answers beyond their status: whether to ask again, and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from airflow_provider_flux.transport.messages import Response


@dataclass(frozen=True)
class Advice:
    """What a system's answer says about trying again, beyond its status.

    :param again: False: another try within minutes gets the same answer (a daily quota is used up). True: it did not
        execute the request and may be asked again (a throttle in the body of a 200).
    :param wait: seconds to wait before, where the answer tells
    """

    again: bool
    wait: float | None = None


Adviser = Callable[[Response], Advice | None]
"""Looks at an answer; None where its status says enough."""


def no_advice(response: Response) -> Advice | None:
    """Nothing is known but the status."""
    return None

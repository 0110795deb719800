"""Kills a stage while it writes into the fake of a vendor."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from tests.contracts.servers.wire import Call, Reply
from tests.contracts.vendors.vendor import Vendor
from tests.processes.conftest import Flux


def kill_at(flux: Flux, vendor: Vendor, number: int, moment: str, creates: Callable[[Call], bool]) -> None:
    """Kill the stage's process at that creation.

    :param moment: `before` or `after` the record is made
    :param creates: whether a call makes a record
    """
    seen = 0

    def fault(call: Call) -> Reply | None:
        nonlocal seen
        making = creates(call)
        seen += making
        if not making or seen != number:
            vendor.faults.append(fault)
            return None
        reply = vendor.handle(call) if moment == "after" else Reply(503)
        os.kill(flux.pid, signal.SIGKILL)
        return reply

    vendor.faults.append(fault)

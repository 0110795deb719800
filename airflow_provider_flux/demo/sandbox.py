"""The two APIs of the demo in one process.

`python -m airflow_provider_flux.demo.sandbox` serves them for a try by hand.
"""

from __future__ import annotations

import argparse
import sys
import threading
from contextlib import suppress
from types import TracebackType

from airflow_provider_flux.demo import crm, ledger
from airflow_provider_flux.demo.contacts import Book, make_book
from airflow_provider_flux.demo.http_api import FAULTS, Faults
from airflow_provider_flux.errors import FluxError


class Sandbox:
    """Nimbus CRM and Ledger, served from threads of this process while the `with` block lasts.

    :param crm_port: 0 for a free one; likewise `ledger_port`
    :param faults: what goes wrong with calls to the CRM
    :raises FluxError: CONFIG_INVALID when a port is taken
    """

    def __init__(self, crm_port: int = 0, ledger_port: int = 0, faults: Faults | None = None) -> None:
        self.book: Book = make_book()
        self.ledger = ledger.Ledger()
        try:
            self._crm = crm.Crm(self.book.contacts).serve(crm_port, faults)
        except OSError as error:
            raise _port_taken("Nimbus CRM", crm_port, error) from None
        try:
            self._ledger = self.ledger.serve(ledger_port)
        except OSError as error:
            self._crm.server_close()
            raise _port_taken("Ledger", ledger_port, error) from None

    @property
    def crm_url(self) -> str:
        return self._crm.url

    @property
    def ledger_url(self) -> str:
        return self._ledger.url

    def __enter__(self) -> Sandbox:
        self._crm.start()
        self._ledger.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._crm.stop()
        self._ledger.stop()


def _port_taken(name: str, port: int, error: OSError) -> FluxError:
    return FluxError(
        "CONFIG_INVALID",
        f"the sandbox cannot serve {name} on port {port}: {error.strerror or error}",
        next_step="Choose another port, or stop the program that uses this one.",
    )


def main() -> None:
    """Serve until ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m airflow_provider_flux.demo.sandbox", description=main.__doc__)
    parser.add_argument("--crm-port", type=int, default=8801)
    parser.add_argument("--ledger-port", type=int, default=8802)
    parser.add_argument("--fault-every", type=int, default=0, help="every how many CRM calls something goes wrong")
    parser.add_argument("--fault", choices=FAULTS, action="append", help="what goes wrong, by turns")
    options = parser.parse_args()
    faults = Faults(options.fault_every, tuple(options.fault or ("429", "503")))
    with Sandbox(options.crm_port, options.ledger_port, faults) as sandbox:
        sys.stdout.write(
            f"Nimbus CRM: {sandbox.crm_url}/v1/contacts   Authorization: Bearer {crm.KEY}\n"
            f"Ledger:     {sandbox.ledger_url}/v2/customers   X-Api-Key: {ledger.KEY}\n"
        )
        sys.stdout.flush()
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()

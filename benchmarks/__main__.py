"""`python -m benchmarks [pipeline|writes|mapping|dags|errors] ...`: what is measured, beside a peer in the same run."""

from __future__ import annotations

import argparse
import sys

from benchmarks import dag_generation, errors, mapping, pipeline, writes


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    about = "REST -> map -> PostgreSQL against dlt and a bare loop"
    runs = commands.add_parser("pipeline", help=about, description=about)
    runs.add_argument("--records", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    runs.add_argument("--without", nargs="*", default=[], choices=["dlt", "loop"], help="leave a peer out")
    about = "database -> batches of 100 -> REST API against dlt, without a limit and with one"
    sending = commands.add_parser("writes", help=about, description=about)
    sending.add_argument("--records", type=int, default=100_000)
    sending.add_argument("--rounds", type=int, default=3, help="each contender's best one counts")
    commands.add_parser("mapping", help="map records, against a bare loop, pydantic and jinja")
    commands.add_parser("dags", help="generate 1,000 DAGs, and start a task among them")
    about = "find errors among a million, on SQLite and PostgreSQL"
    finding = commands.add_parser("errors", help=about, description=about)
    finding.add_argument("--errors", type=int, default=1_000_000)
    options = parser.parse_args(arguments or ["pipeline"])
    if options.command == "mapping":
        return mapping.main()
    if options.command == "writes":
        return writes.main(options.records, options.rounds)
    if options.command == "errors":
        return errors.main(options.errors)
    if options.command == "dags":
        return dag_generation.main()
    return pipeline.main(options.records, options.without)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

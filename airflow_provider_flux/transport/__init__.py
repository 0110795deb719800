"""The one way by which Flux talks HTTP: one client, one set of retries, one reading of answers.

It knows URLs, headers and bytes. Connections, flows and records are the connectors' business.
"""

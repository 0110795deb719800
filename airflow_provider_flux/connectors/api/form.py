"""Fields that the connection forms of HTTP APIs share."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_provider_flux.connectors.declare import SECRET, FormField

CLIENT: Mapping[str, FormField] = {
    "timeout": FormField(
        "Timeout",
        "Seconds that the API may be silent; 30 unless given.",
        {"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 3600},
    ),
    "verify": FormField(
        "Check TLS certificates",
        "`false`, or the file of a certificate authority. When empty: the system's authorities.",
    ),
    "proxy": FormField("Proxy", "URL of an HTTP proxy. When empty: what the worker's environment says.", SECRET),
}
"""How the API is reached."""

TEST_PATH = FormField("Path to test", "What the Test button asks for, for example /v1/me.")

"""What must not stand in any file of the project: hosts of package registries, and paths of one machine."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.meta.imports import ROOT

# Put together from pieces, so that this file does not name what it forbids.
_HOSTS = ("pypi." + "org", "python" + "hosted.org", "npmjs." + "org", "deb." + "debian.org", "proxy.golang" + ".org")
FORBIDDEN = {
    "a registry's host": "|".join(re.escape(host) for host in _HOSTS),
    "a path of one machine": r"(?<![\w.~$}-])/(?:work|home|root|Users)/[\w.]|(?<![\w.])/tmp/[\w.]+/",
    "a private key": "-----BEGIN (?:RSA |EC |OPENSSH )?PRIVATE " + "KEY",
}


def findings(name: str, text: str) -> list[str]:
    """What is forbidden in the text of one file, with its place."""
    return [
        f"{name}:{number}: {what}: {found[0]}"
        for number, line in enumerate(text.splitlines(), start=1)
        for what, pattern in FORBIDDEN.items()
        if (found := re.search(pattern, line))
    ]


def tracked_files() -> list[str]:
    """The files that git knows, as paths relative to the project."""
    answer = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [name for name in answer.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_a_registry_or_a_machine() -> None:
    found = []
    for name in tracked_files():
        content = (ROOT / name).read_bytes()
        if b"\0" not in content:
            found += findings(name, content.decode("utf-8", errors="replace"))
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://" + _HOSTS[0] + "/simple",
        "path = '/" + "work/main/x'",
        "see /" + "tmp/build/x",
        "/" + "root/.cache",
    ],
)
def test_a_forbidden_line_is_seen(line: str) -> None:
    assert findings("file", f"fine\n{line}\n")


@pytest.mark.parametrize("line", ["/opt/airflow/dags", "~/airflow", "${HOME}/projects/x", "https://api.example.com/work/1"])
def test_an_ordinary_line_is_not(line: str) -> None:
    assert findings("file", line) == []

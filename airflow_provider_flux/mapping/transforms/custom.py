"""Transforms of other packages, found by their entry points.

A package declares `Transform` objects and names them in its pyproject.toml:

    [project.entry-points."airflow_provider_flux.transforms"]
    iban = "my_package.transforms:IBAN"

(https://packaging.python.org/en/latest/specifications/entry-points/)
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from importlib.metadata import EntryPoint, entry_points

from airflow_provider_flux.mapping.transforms.base import Transform

log = logging.getLogger(__name__)

GROUP = "airflow_provider_flux.transforms"


def custom_transforms(known: Collection[str]) -> tuple[dict[str, Transform], dict[str, str]]:
    """The transforms that installed packages add.

    :param known: names that are taken
    :return: the transforms by name, and by name why one cannot be used; a package that is broken must not stop the
        flows that do not need it, and those that do are told why
    """
    found: dict[str, Transform] = {}
    broken: dict[str, str] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value)):
        transform = _load(entry)
        if isinstance(transform, str):
            broken[entry.name] = transform
        elif entry.name in known or entry.name in found:
            broken[entry.name] = f"{_where(entry)} has a name that is taken"
        else:
            found[entry.name] = transform
    for name in [name for name in broken if name in known or name in found]:
        log.warning("%s, and is not used", broken.pop(name))
    return found, broken


def _load(entry: EntryPoint) -> Transform | str:
    """The transform, or why there is none."""
    try:
        transform = entry.load()
    except Exception as error:  # noqa: BLE001 - whatever another package does when it is imported; it is told
        return f"{_where(entry)} cannot be loaded: {type(error).__name__}: {error}"
    if not isinstance(transform, Transform):
        return f"{_where(entry)} is not a `Transform` but {type(transform).__name__}"
    if transform.name != entry.name:
        return f"{_where(entry)} calls itself `{transform.name}`; both names must be the same"
    return transform


def _where(entry: EntryPoint) -> str:
    package = entry.dist.name if entry.dist is not None else "an unknown package"
    return f"the transform `{entry.name}` of {package} ({entry.value})"

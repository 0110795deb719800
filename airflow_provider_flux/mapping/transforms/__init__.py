"""The transforms of the mapping language, one small file per family.

A new transform is a function and a `Transform` in its family's `TRANSFORMS`: the mapping file, its JSON Schema, the
docs and the tests of its examples follow from that declaration. Other packages add theirs: see `custom`.
"""

from __future__ import annotations

from airflow_provider_flux.mapping.transforms import address, dates, email, encode, names, numbers, phone, text, values
from airflow_provider_flux.mapping.transforms.base import Transform
from airflow_provider_flux.mapping.transforms.custom import custom_transforms

FAMILIES = (text, names, phone, email, dates, numbers, values, address, encode)

BUILT_IN: dict[str, Transform] = {transform.name: transform for family in FAMILIES for transform in family.TRANSFORMS}
"""The transforms of Flux by their names, in the order of the docs."""

_CUSTOM, BROKEN = custom_transforms(BUILT_IN)
"""BROKEN: by name, why the transform of an installed package cannot be used."""

REGISTRY: dict[str, Transform] = BUILT_IN | _CUSTOM
"""Every transform that a mapping file may name."""

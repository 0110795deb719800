"""The transforms of the mapping language, one small file per family.

A new transform is a function and a `Transform` in its family's `TRANSFORMS`: the mapping file, its JSON Schema, the
docs and the tests of its examples follow from that declaration.
"""

from __future__ import annotations

from airflow_provider_flux.mapping.transforms import address, dates, email, encode, names, numbers, phone, text, values
from airflow_provider_flux.mapping.transforms.base import Transform

FAMILIES = (text, names, phone, email, dates, numbers, values, address, encode)

REGISTRY: dict[str, Transform] = {transform.name: transform for family in FAMILIES for transform in family.TRANSFORMS}
"""Every transform by its name, in the order of the docs."""

"""Mappings for the tests, written as they are in a file."""

from __future__ import annotations

from typing import Any

from airflow_provider_flux.mapping.engine import Mapping, compile_mapping
from airflow_provider_flux.mapping.spec import MappingFile
from airflow_provider_flux.mapping.transforms import REGISTRY
from airflow_provider_flux.mapping.transforms.base import Apply


def mapping(*rules: dict[str, Any]) -> Mapping:
    return compile_mapping(MappingFile.model_validate({"rules": list(rules)}), "contacts", 1)


def transform(name: str, **arguments: Any) -> Apply:
    declared = REGISTRY[name]
    return declared.build(declared.arguments.model_validate(arguments))

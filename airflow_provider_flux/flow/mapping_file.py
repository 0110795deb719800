"""The text of a mapping as a mapping: from its file, or as the store kept it when it was promoted."""

from __future__ import annotations

from pydantic import ValidationError

from airflow_provider_flux.errors import ConfigError
from airflow_provider_flux.flow.problems import explain
from airflow_provider_flux.flow.yaml_file import Document, parse
from airflow_provider_flux.mapping.engine import Mapping, MappingProblems, compile_mapping
from airflow_provider_flux.mapping.spec import MappingFile


def validated(document: Document) -> MappingFile:
    """:raises ConfigError: with every problem of the shape of the file"""
    try:
        return MappingFile.model_validate(document.data)
    except ValidationError as error:
        raise ConfigError(
            [
                document.problem(finding.path, finding.message, on_key=finding.on_key)
                for finding in explain(error, MappingFile, document.data)
            ]
        ) from error


def compiled(document: Document, file: MappingFile, name: str, version: int, country: str | None) -> Mapping:
    """:raises ConfigError: with every problem that the shape of the file does not show"""
    try:
        return compile_mapping(file, name, version, country)
    except MappingProblems as error:
        raise ConfigError([document.problem(path, message) for path, message in error.problems]) from error


def mapping_of_text(text: str, place: str, name: str, version: int, country: str | None = None) -> Mapping:
    """The mapping that a text is.

    :param place: where the text stands, for problems
    :param country: that the flow names, for phone numbers and addresses without one of their own
    :raises ConfigError: with every problem
    """
    document = parse(text.encode("utf-8", "surrogateescape"), place)
    return compiled(document, validated(document), name, version, country)

"""Keeps secrets in the store unreadable: encrypted with Fernet, by the key of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.settings import fernet_keys

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


class Unreadable(Exception):
    """The text was encrypted with a key that is not known any more, or somebody changed it."""


def check_key() -> None:
    """:raises FluxError: as `seal`"""
    _fernet()


def seal(text: str) -> str:
    """The text, encrypted with the first key.

    :raises FluxError: CONFIG_INVALID when there is no key, or one that is none
    """
    sealed: bytes = _fernet().encrypt(text.encode())
    return sealed.decode("ascii")


def unseal(sealed: str) -> str:
    """The text that `seal` encrypted, with whichever of the keys.

    :raises Unreadable: none of the keys fits
    :raises FluxError: as `seal`
    """
    from cryptography.fernet import InvalidToken

    try:
        text: bytes = _fernet().decrypt(sealed.encode())
    except InvalidToken:
        raise Unreadable from None
    return text.decode()


def _fernet() -> MultiFernet:
    from cryptography.fernet import Fernet, MultiFernet

    keys = fernet_keys()
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise FluxError(
            "CONFIG_INVALID",
            "the Fernet key cannot be used: it must be 32 bytes in URL-safe base64, or several of them with commas",
            next_step="Set AIRFLOW__CORE__FERNET_KEY (or AIRFLOW__FLUX__FERNET_KEY) to a key as "
            "`cryptography.fernet.Fernet.generate_key()` makes it.",
        ) from None

"""The errors of Flux, as records and exceptions. Their codes stand in `catalogue`.

Everything imports this module, and it imports nothing of ours but the catalogue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from airflow_provider_flux.catalogue import CATALOGUE, Category, Disposition, ErrorCode, Stage

__all__ = [
    "CATALOGUE",
    "BatchRejected",
    "Category",
    "ConfigError",
    "Disposition",
    "ErrorCode",
    "FluxError",
    "NoVerdict",
    "OutcomeUnknown",
    "Problem",
    "RecordError",
    "Stage",
    "preview",
]


@dataclass
class RecordError:
    """Why one record did not arrive.

    :param code: a code of `CATALOGUE`
    :param message: what happened, in a sentence, without secrets
    :param field: path of the target field
    :param source_path: path of the source field
    :param transform: name of the transform that failed
    :param value: the offending value as text (see `preview`)
    :param answer: the destination's raw answer for this record
    :param status: the HTTP status of that answer, if it had one
    """

    code: str
    message: str
    field: str | None = None
    source_path: str | None = None
    transform: str | None = None
    value: str | None = None
    answer: str | None = None
    status: int | None = None


class FluxError(Exception):
    """An error that says what happened, why, and what to do next.

    :param code: a code of `CATALOGUE`
    :param message: what happened, with the names of the things concerned, without secrets
    :param next_step: what to do; the catalogue's solution unless given
    :param answer: the raw answer of the other system, if there is one
    :param retry_after: seconds that the other system asks to wait
    :param status: the HTTP status of its answer, if it had one
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        next_step: str | None = None,
        answer: str | None = None,
        retry_after: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.next_step = next_step or CATALOGUE[code].solution
        self.answer = answer
        self.retry_after = retry_after
        self.status = status

    @property
    def transient(self) -> bool:
        """Whether the same call may succeed later without anybody's doing."""
        return CATALOGUE[self.code].disposition is Disposition.RETRY

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def __reduce__(self) -> tuple[object, ...]:
        # Airflow pickles exceptions between processes; the default would call __init__ with the message only.
        return (_rebuild, (type(self), self.args, self.__dict__))


def _rebuild(kind: type[FluxError], args: tuple[object, ...], state: dict[str, object]) -> FluxError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class BatchRejected(FluxError):
    """The destination refused a whole batch and **nothing** of it was stored.

    The write stage then bisects the batch to find the records at fault.

    :param error: the verdict for the record, should the batch hold just one
    """

    def __init__(self, error: RecordError) -> None:
        super().__init__(error.code, error.message, answer=error.answer)
        self.error = error


class OutcomeUnknown(FluxError):
    """A batch was sent and no verdict came back: it may or may not have been stored."""


class NoVerdict(OutcomeUnknown):
    """A record was sent alone, and the answer does not say whether it was stored. Another try may bring the same."""


@dataclass(frozen=True)
class Problem:
    """One problem in a file that a person wrote. Lines and columns count from 1."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}"
        return f"{where}: {self.path}: {self.message}" if self.path else f"{where}: {self.message}"


class ConfigError(FluxError):
    """Files or settings that are not valid, all problems at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("CONFIG_INVALID", "\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return self.message


def preview(value: object, limit: int = 200) -> str:
    """The value as one short line of text, for error rows and logs."""
    try:
        text = value if isinstance(value, str) else repr(value)
    except (ValueError, RecursionError):  # an integer of more than 4,300 digits, or lists in lists without end
        text = f"a {type(value).__name__} that is too large to show"
    text = text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")
    return text if len(text) <= limit else f"{text[: limit - 1]}… ({len(text)} characters)"

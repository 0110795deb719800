"""What is wrong with YAML that cannot be parsed, in words for those who wrote it."""

from __future__ import annotations

from yaml.error import Mark, MarkedYAMLError

from airflow_provider_flux.errors import Problem

_TAB = "the line is indented with a tab; use spaces"

# Words of libyaml -> ours, and whether the fault lies where the unfinished thing began, not where it was noticed.
_FAULTS: tuple[tuple[str, str, bool], ...] = (
    (
        "mapping values are not allowed",
        "a `:` that cannot stand here: the line is indented too far, or text with `: ` in it needs quotes",
        False,
    ),
    ("could not find expected ':'", "a key without `:` after it, or a line that is indented too little", True),
    ("found unexpected end of stream", "the quote that begins here is never closed", True),
    ("did not find expected ',' or ']'", "a list in brackets is not closed: `,` or `]` is missing", False),
    ("did not find expected ',' or '}'", "braces are not closed: `,` or `}` is missing", False),
    ("did not find expected key", "this does not fit the lines above: wrong indentation, or a quote too many", False),
    (
        "did not find expected '-' indicator",
        "this does not fit the list above: `- ` is missing, or wrong indentation",
        False,
    ),
    ("did not find expected node content", "a value is missing: a bracket, brace or comma too many", False),
    ("but found another document", "a second document begins (`---`); one file holds one document", False),
    ("did not find expected <document start>", "text after the end of the document", False),
    ("found character that cannot start any token", "text may not begin with this character; put it in quotes", False),
    (
        "found unknown escape character",
        "an unknown escape in double quotes; use single quotes for a plain backslash",
        False,
    ),
    ("did not find expected hexdecimal number", "an unfinished escape in double quotes", False),
    ("found a tab character", _TAB, False),
)


def syntax_problem(error: MarkedYAMLError, text: str, file: str) -> Problem:
    """The parser's error in our words, at the place where a person has to look."""
    lines = text.split("\n")
    tab = _tab_in_indent(error.problem_mark, lines)
    if tab is not None:
        return Problem(file, *tab, "", _TAB)
    for words, message, at_start in _FAULTS:
        if words in (error.problem or ""):
            return Problem(file, *_place(error, lines, at_start), "", message)
    said = ", ".join(part for part in (error.context, error.problem) if part) or "not valid YAML"
    return Problem(file, *_place(error, lines, False), "", said)


def _place(error: MarkedYAMLError, lines: list[str], at_start: bool) -> tuple[int, int]:
    mark = (error.context_mark if at_start else None) or error.problem_mark or error.context_mark
    if mark is None:
        return 1, 1
    if mark.line >= len(lines) or (mark.line == len(lines) - 1 and not lines[-1]):
        # Noticed at the end of the file: point behind its last word, not at a line that does not exist.
        last = max((number for number, line in enumerate(lines) if line.strip()), default=0)
        return last + 1, len(lines[last].rstrip()) + 1
    return mark.line + 1, mark.column + 1


def _tab_in_indent(mark: Mark | None, lines: list[str]) -> tuple[int, int] | None:
    if mark is None or mark.line >= len(lines):
        return None
    line = lines[mark.line]
    indent = line[: len(line) - len(line.lstrip())]
    return (mark.line + 1, indent.index("\t") + 1) if "\t" in indent else None

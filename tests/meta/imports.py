"""The imports of this project's own code, read from its text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "airflow_provider_flux"


@dataclass(frozen=True)
class Import:
    """One imported module.

    :param file: the importing file, relative to the project
    :param unit: the part of the package that the file belongs to: its sub-package, or its module at the top
    :param module: the imported module in full (for `from a import b`: `a.b`, which may also be a name in `a`)
    :param deferred: inside a function, so that it runs only when the function is called
    :param typing_only: inside `if TYPE_CHECKING`, so that it never runs
    """

    file: str
    line: int
    unit: str
    module: str
    deferred: bool
    typing_only: bool

    @property
    def target(self) -> str | None:
        """The part of our own package that is imported; None for what others wrote."""
        first, _, rest = self.module.partition(".")
        return rest.partition(".")[0] if first == PACKAGE else None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.unit} imports {self.module}"


def imports_of_package() -> list[Import]:
    """Every import in the package, in the order of the files."""
    files = sorted((ROOT / PACKAGE).rglob("*.py"))
    return [found for path in files for found in imports_of(path.read_text(encoding="utf-8"), path.relative_to(ROOT))]


def imports_of(text: str, path: Path) -> Iterator[Import]:
    """The imports in the text of one file of the package.

    :param path: relative to the project: `airflow_provider_flux/store/rows.py`
    """
    unit = Path(path.parts[1]).stem
    for node, deferred, typing_only in _walk(ast.parse(text, str(path)), deferred=False, typing_only=False):
        for module in _modules(node):
            yield Import(str(path), node.lineno, unit, module, deferred, typing_only)


def _walk(tree: ast.AST, deferred: bool, typing_only: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool, bool]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, deferred, typing_only
        elif isinstance(node, ast.If) and _is_type_checking(node.test):
            for child in node.body:
                yield from _walk(ast.Module([child], []), deferred, typing_only=True)
            for child in node.orelse:
                yield from _walk(ast.Module([child], []), deferred, typing_only)
        else:
            inside = deferred or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _walk(node, inside, typing_only)


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _modules(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    assert node.level == 0, "ruff forbids relative imports"
    return [f"{node.module}.{alias.name}" for alias in node.names]

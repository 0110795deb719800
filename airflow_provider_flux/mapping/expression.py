"""Jinja expressions over one record: `(record.first or '') ~ ' ' ~ record.last`, compiled once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from functools import cache
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError, nodes
from jinja2.environment import Template
from jinja2.parser import Parser
from jinja2.visitor import NodeTransformer

from airflow_provider_flux.mapping.filters import CONCAT, FILTERS, TESTS, plain
from airflow_provider_flux.mapping.paths import Step, join_step
from airflow_provider_flux.mapping.sandbox import METHODS, Evaluation, ExpressionError, Sandbox

LONGEST = 2_000
"""Most characters of an expression."""

_RESULT = "result"
_NAME = "record"
_SIMPLE = frozenset({str, int, float, bool, type(None)})
# What data of an unexpected form can raise in an operator, a method of text or a filter.
_FAULTS = (ArithmeticError, LookupError, MemoryError, RecursionError, TemplateError, TypeError, ValueError)



class Expression:
    """A compiled expression. Called with a record it gives plain data and changes nothing; threads can share it.

    :param text: the expression, without `{{ }}`
    :raises ValueError: when it is not an expression, or uses what is not available; the message says what
    """

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            tree = _parse(text)
            _check(tree)
            self.paths = frozenset(_paths(tree))
            """The fields that it reads, as far as the text names them."""
            self._run = _compile(tree).root_render_func
        except (RecursionError, MemoryError, SyntaxError):  # of Jinja's recursive walk, or of Python's own compiler
            raise ValueError("the expression is nested too deeply") from None

    def __call__(self, record: dict[str, Any]) -> Any:
        """:raises ExpressionError: when it cannot be evaluated for this record"""
        evaluation = Evaluation(_sandbox(), {_NAME: record}, None, {})
        try:
            for _ in self._run(evaluation):
                pass
            result = evaluation.vars[_RESULT]
            return result if type(result) in _SIMPLE else plain(result)
        except ExpressionError:
            raise
        except _FAULTS as fault:
            raise ExpressionError(str(fault) or type(fault).__name__) from fault


def compile_expression(text: str) -> Expression:
    """:raises ValueError: when `text` is not an expression; the message says why"""
    return Expression(text)


def compile_filter(text: str) -> Callable[[dict[str, Any]], bool]:
    """An expression as a condition: null, missing, empty and zero are false.

    :raises ValueError: when `text` is not an expression. The condition itself raises ExpressionError for a record that
        it cannot be evaluated for.
    """
    expression = Expression(text)

    def condition(record: dict[str, Any]) -> bool:
        return bool(expression(record))

    return condition


@cache
def _sandbox() -> Sandbox:
    return Sandbox(FILTERS, TESTS)


def _parse(text: str) -> nodes.Expr:
    if len(text) > LONGEST:
        raise ValueError(f"the expression is longer than {LONGEST:,} characters")
    if "{{" in text or "{%" in text:
        raise ValueError("write the expression alone, without {{ }} or {% %}")
    try:
        parser = Parser(_sandbox(), text, state="variable")
        tree = parser.parse_expression()
        if not parser.stream.eos:
            raise ValueError(f"the expression ends before {str(parser.stream.current)!r}")
    except TemplateSyntaxError as error:
        complaint = (error.message or "").replace("end of template", "end of the expression")
        raise ValueError(f"not an expression: {complaint}") from None
    return tree


def _compile(tree: nodes.Expr) -> Template:
    tree = _ConcatAsFilter().visit(tree)
    assignment = nodes.Assign(nodes.Name(_RESULT, "store"), tree, lineno=1)
    sandbox = _sandbox()
    template = nodes.Template([assignment], lineno=1)
    template.set_environment(sandbox)
    return sandbox.from_string(template)


class _ConcatAsFilter(NodeTransformer):
    """`a ~ b` through our own filter, which knows null and the budget."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return nodes.Filter(nodes.List(node.nodes, lineno=1), CONCAT, [], [], None, None, lineno=1)


def _check(tree: nodes.Node) -> None:
    """:raises ValueError: for a name, filter, test or method that is not available"""
    for node in _all(tree):
        if isinstance(node, nodes.Name) and node.name != _NAME:
            raise ValueError(f"there is no `{node.name}` here; a field of the record is `{_NAME}.{node.name}`")
        if isinstance(node, nodes.Filter):
            _check_name("filter", node.name, FILTERS)
        if isinstance(node, nodes.Test):
            _check_name("test", node.name, TESTS)
        if isinstance(node, nodes.Call):
            _check_call(node)
        name = _constant_name(node)
        if isinstance(name, str) and name.startswith("__") and name.endswith("__"):
            raise ValueError(f"`{name}` is not available")


def _check_name(what: str, name: str, known: dict[str, Any]) -> None:
    if name in known:
        return
    names = sorted(one for one in known if one != CONCAT)
    near = get_close_matches(name, names, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(names)}"
    raise ValueError(f"there is no {what} `{name}`; {hint}")


def _check_call(node: nodes.Call) -> None:
    called = node.node
    if isinstance(called, nodes.Getattr) and called.attr in METHODS:
        return
    name = {nodes.Getattr: "attr", nodes.Name: "name"}.get(type(called))
    what = f"`{getattr(called, name)}()`" if name else "this"
    raise ValueError(f"{what} cannot be called; methods of text can: {', '.join(sorted(METHODS))}")


def _all(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    yield from node.find_all(nodes.Node)


def _constant_name(node: nodes.Node) -> str | int | None:
    """The field or position that the node takes of another, if it is written out."""
    if isinstance(node, nodes.Getattr):
        return node.attr
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, (str, int)):
        return node.arg.value
    return None


def _paths(node: nodes.Node) -> Iterator[str]:
    """Every longest path of fields below `record`."""
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
        yield from _paths(node.node.node)  # the last name is the method
        for argument in node.args:
            yield from _paths(argument)
        return
    steps = _steps(node)
    if steps:
        path = ""
        for step in steps:
            path = join_step(path, step)
        yield path
    elif steps is None:
        for child in node.iter_child_nodes():
            yield from _paths(child)


def _steps(node: nodes.Node) -> tuple[Step, ...] | None:
    if isinstance(node, nodes.Name):
        return ()
    name = _constant_name(node)
    if name is None or not isinstance(node, (nodes.Getattr, nodes.Getitem)):
        return None
    before = _steps(node.node)
    return None if before is None else (*before, name)

"""Reads the docstrings that Python discards: those of fields and constants."""

import ast
import inspect
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from textwrap import dedent
from types import ModuleType


@cache
def of_fields(kind: type) -> Mapping[str, str]:
    """Return the docstring of each field of a class, including inherited ones."""
    found: dict[str, str] = {}
    for base in reversed(inspect.getmro(kind)[:-1]):
        (definition,) = ast.parse(dedent(inspect.getsource(base))).body
        found |= _under(definition.body if isinstance(definition, ast.ClassDef) else ())
    return found


def of_constants(module: ModuleType) -> Mapping[str, str]:
    """Return the docstring of each constant of a module."""
    return _under(ast.parse(inspect.getsource(module)).body)


def of_class(kind: type) -> str:
    """Return the docstring of a class, without line breaks."""
    return _joined(kind.__doc__ or "")


def _under(statements: Sequence[ast.stmt]) -> dict[str, str]:
    return {
        above.target.id: _joined(below.value.value)
        for above, below in pairwise(statements)
        if isinstance(above, ast.AnnAssign)
        and isinstance(above.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }


def _joined(docstring: str) -> str:
    """Join the lines of each paragraph."""
    paragraphs = inspect.cleandoc(docstring).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)

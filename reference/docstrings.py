"""The docstrings that Python throws away: those under fields and under constants."""

import ast
import inspect
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from textwrap import dedent
from types import ModuleType


@cache
def of_fields(kind: type) -> Mapping[str, str]:
    """Read what stands under each field of a class, inherited ones included."""
    found: dict[str, str] = {}
    for base in reversed(inspect.getmro(kind)[:-1]):
        (definition,) = ast.parse(dedent(inspect.getsource(base))).body
        found |= _under(definition.body if isinstance(definition, ast.ClassDef) else ())
    return found


def of_constants(module: ModuleType) -> Mapping[str, str]:
    """Read what stands under each constant of a module."""
    return _under(ast.parse(inspect.getsource(module)).body)


def of_class(kind: type) -> str:
    """Read a class's own docstring as one text."""
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
    """Undo the wrapping of the source, and keep the paragraphs."""
    paragraphs = inspect.cleandoc(docstring).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)

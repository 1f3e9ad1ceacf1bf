"""`python -m operations drift`, step by step."""

import sys
from dataclasses import dataclass
from typing import Final

from rich.console import Console

from operations.drift import told
from operations.drift.checking import check
from operations.project import Project

CLEAN: Final = 0
DRIFT: Final = 7
"""As `pulumi refresh --expect-no-changes` has it. 1 is for what could not be told."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked for."""

    stack: str
    json: bool


def drift(project: Project, request: Request, console: Console) -> int:
    """Check, and say what was found; returns the exit code.

    Raises:
        OperationError: it could not be told.
    """
    report = check(project, request.stack)
    if request.json:
        sys.stdout.write(told.as_json(report) + "\n")
    else:
        told.show(report, console)
    return CLEAN if report.clean else DRIFT

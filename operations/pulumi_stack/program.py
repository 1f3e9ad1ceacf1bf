"""What a stack declares, learnt from the real program: it runs against Pulumi's mocks, in its own process.

Neither a cluster nor a backend nor the `pulumi` command is asked for anything.
"""

import asyncio
import os
import runpy
import sys
from collections.abc import Container, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from traceback import format_exception
from typing import Any

import pulumi
from pulumi.runtime import config as pulumi_config
from pulumi.runtime import mocks
from pulumi.runtime import settings as pulumi_settings
from pulumi.runtime import stack as pulumi_stack

from operations.errors import OperationError
from operations.pulumi_stack.project import Project
from operations.pulumi_stack.recorder import Recorder, Resource

TRACE_LINES = 12
"""Lines of a trace that an error shows: the program's own are at its end."""


@dataclass(frozen=True, kw_only=True)
class Declared:
    """All that a program tells the engine."""

    resources: tuple[Resource, ...]
    outputs: Mapping[str, Any]
    """What it exports, as plain data, without what only a cluster can say."""


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """What comes back from the program's process: what it declares, or why that is nothing."""

    declared: Declared | None = None
    fault: str = ""
    trace: str = ""


def declare(project: Project, stack: str) -> tuple[Resource, ...]:
    """Run the program for a stack and list what it registers.

    Raises:
        OperationError: the stack file has faults, or the program fails.
    """
    return learn(project, stack).resources


def learn(project: Project, stack: str) -> Declared:
    """Run the program for a stack and take down what it registers and exports.

    What the program reads of the cluster is unknown to it, as in a preview of a cluster that is yet to come.

    Raises:
        OperationError: the stack file has faults, or the program fails.
    """
    return learn_each([project], stack)[0]


def learn_each(projects: Sequence[Project], stack: str) -> list[Declared]:
    """Do the same for several drafts of one project, one after the other: the libraries are loaded once.

    Raises:
        OperationError: of the first draft that has faults, or of which the program fails.
    """
    project = projects[0]
    file = project.stack_file(stack).name
    try:
        with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as own_process:
            answers = own_process.submit(_run_each, projects, stack).result()
    except BrokenProcessPool as error:
        raise OperationError(
            f"the program of {project.folder} ended without an answer for {file}",
            fix=f"pulumi preview --stack {stack}",
        ) from error
    return [_declared(each, file) for each in answers]


def _declared(answer: _Answer, file: str) -> Declared:
    if answer.declared is None:
        raise OperationError(
            f"{file}: {answer.fault}",
            evidence=answer.trace,
            fix=f"mend {file} as said above, then try again",
        )
    return answer.declared


def _run_each(projects: Sequence[Project], stack: str) -> list[_Answer]:
    sys.stdout = sys.stderr  # the program may print; standard output belongs to the manifests
    program = projects[0].program
    os.chdir(program)
    sys.path.insert(0, str(program))
    known = frozenset(sys.modules)
    answers = []
    for each in projects:
        answers.append(_run(each, stack))
        _forget(program, known)
    return answers


def _forget(program: Path, known: Container[str]) -> None:
    """Let go of the program's own modules: no run finds anything of another. Libraries stay."""
    for name, module in tuple(sys.modules.items()):
        file = Path(getattr(module, "__file__", None) or "/")
        if name not in known and file.is_relative_to(program) and "site-packages" not in file.parts:
            del sys.modules[name]


def _run(project: Project, stack: str) -> _Answer:
    monitor = Recorder(project.name, stack)
    try:
        config = project.config(stack)
        # As pulumi.runtime.set_mocks does it, less the root stack: the program's own run makes that.
        pulumi_settings.configure(
            mocks.MockSettings(  # type: ignore[no-untyped-call]
                monitor=monitor,
                engine=mocks.MockEngine(None),
                project=project.name,
                stack=stack,
                dry_run=True,
                organization=None,
            )
        )
        pulumi_config.set_all_config(dict(config.values), list(config.secret))
        with asyncio.Runner() as runner:
            runner.run(pulumi_stack.run_in_stack(lambda: _execute(project.program / "__main__.py")))
    except (OperationError, pulumi.RunError) as error:
        return _Answer(fault=str(error))
    except Exception as error:  # noqa: BLE001 (whatever a program can raise)
        trace = "".join(format_exception(error)).splitlines()[-TRACE_LINES:]
        return _Answer(fault=f"the program fails: {error!r}", trace="\n".join(trace))
    return _Answer(declared=Declared(resources=tuple(monitor.declared), outputs=monitor.outputs))


def _execute(program: Path) -> None:
    runpy.run_path(str(program), run_name="__main__")

"""What a stack declares, as its program registers it with Pulumi's mocks.

Neither a cluster nor a backend nor the `pulumi` command is needed.
"""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from multiprocessing import get_context
from traceback import format_exception
from typing import Any, Final

import pulumi
from pulumi.runtime import config as pulumi_config
from pulumi.runtime import mocks
from pulumi.runtime import settings as pulumi_settings
from pulumi.runtime import stack as pulumi_stack

from operations.errors import OperationError
from operations.pulumi_stack.program_run import InlineProgram, execute, program_environment
from operations.pulumi_stack.project import Project
from operations.pulumi_stack.recorder import Recorder, Resource

TRACE_LINES: Final = 12
"""Lines of a stack trace that an error shows: those of the program are the last."""


@dataclass(frozen=True, kw_only=True)
class Declared:
    """Everything that a program registers."""

    resources: tuple[Resource, ...]
    outputs: Mapping[str, Any]
    """The stack's outputs as plain data, without those that depend on a cluster."""


def declare(project: Project, stack: str) -> tuple[Resource, ...]:
    """Run the program for a stack and list the resources that it registers.

    Raises:
        OperationError: the stack file has errors, or the program fails.
    """
    return learn(project, stack).resources


def learn(project: Project, stack: str) -> Declared:
    """Run the program for a stack and return the resources and outputs that it registers.

    Everything that the program reads from the cluster is unknown, as in a preview of a new cluster.

    Raises:
        OperationError: the stack file has errors, or the program fails.
    """
    if InlineProgram.is_unfinished:
        with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as another:
            return another.submit(learn, project, stack).result()
    with program_environment(project.program):
        # A context of its own: Pulumi's settings and config are context variables.
        return copy_context().run(_run, project, stack)


def learn_each(projects: Sequence[Project], stack: str) -> list[Declared]:
    """Return what the program registers for each of several drafts of one stack file.

    Raises:
        OperationError: the first draft that has errors, or for which the program fails.
    """
    return [learn(each, stack) for each in projects]


def _run(project: Project, stack: str) -> Declared:
    config = project.config(stack)
    file = project.stack_file(stack).name
    monitor = Recorder(project.name, stack)
    # As pulumi.runtime.set_mocks does it, without the root stack: `run_in_stack` makes that.
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
    try:
        with asyncio.Runner() as runner:
            runner.run(pulumi_stack.run_in_stack(lambda: execute(project.program)))
    except pulumi.RunError as error:
        raise _failed(file, str(error)) from error
    except Exception as error:  # whatever a program can raise
        trace = "".join(format_exception(error)).splitlines()[-TRACE_LINES:]
        raise _failed(file, f"the program fails: {error!r}", "\n".join(trace)) from error
    return Declared(resources=tuple(monitor.declared), outputs=monitor.outputs)


def _failed(file: str, why: str, trace: str = "") -> OperationError:
    return OperationError(f"{file}: {why}", evidence=trace, fix=f"correct {file}, then run the command again")

"""What a stack declares, learnt from the real program: it runs against Pulumi's mocks, in its own process.

Neither a cluster nor a backend nor the `pulumi` command is asked for anything.
"""

import asyncio
import os
import runpy
import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from traceback import format_exception
from typing import Any

import pulumi
from pulumi.runtime import config as pulumi_config
from pulumi.runtime import mocks, rpc
from pulumi.runtime import settings as pulumi_settings
from pulumi.runtime import stack as pulumi_stack

from operations.errors import OperationError
from operations.project import Project

STACK = "pulumi:pulumi:Stack"
"""The type of the root of a stack's resources."""

TRACE_LINES = 12
"""Lines of a trace that an error shows: the program's own are at its end."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource as the program tells the engine of it."""

    type: str
    name: str
    urn: str
    parent: str
    custom: bool
    """Whether a provider makes it; a component is only a place in the tree."""
    read: bool
    """Whether it is somebody else's, which the program only looks at."""
    dependencies: frozenset[str]
    """The URNs of what must be there before it."""
    inputs: Mapping[str, Any]
    """Plain values; whole numbers are integers."""
    version: str
    """The version of the provider's plugin, where the program's libraries ask for one."""


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """What comes back from the program's process: resources, or why there are none."""

    resources: tuple[Resource, ...] = ()
    fault: str = ""
    trace: str = ""


def declare(project: Project, stack: str) -> tuple[Resource, ...]:
    """Run the program for a stack and list what it registers.

    What the program reads of the cluster is unknown to it, as in a preview of a cluster that is yet to come.

    Raises:
        OperationError: the stack file has faults, or the program fails.
    """
    file = project.stack_file(stack).name
    try:
        with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as own_process:
            answer = own_process.submit(_run, project, stack).result()
    except BrokenProcessPool as error:
        raise OperationError(
            f"the program of {project.folder} ended without an answer for {file}",
            mend=f"pulumi preview --stack {stack}",
        ) from error
    if answer.fault:
        raise OperationError(
            f"{file}: {answer.fault}",
            evidence=answer.trace,
            mend=f"mend {file} as said above, then try again",
        )
    return answer.resources


def _run(project: Project, stack: str) -> _Answer:
    sys.stdout = sys.stderr  # the program may print; standard output belongs to the manifests
    os.chdir(project.program)
    sys.path.insert(0, str(project.program))
    monitor = _Monitor(project.name, stack)
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
    return _Answer(resources=tuple(monitor.declared))


def _execute(program: Path) -> None:
    runpy.run_path(str(program), run_name="__main__")


class _Cluster(mocks.Mocks):
    """Takes everything. Of what is already there it says nothing, so the program sees it as unknown."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        return (args.resource_id, {}) if args.resource_id else (f"{args.name}-id", dict(args.inputs))

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        message = f"it calls {args.token}, which needs a cluster"
        raise pulumi.RunError(message)


class _Monitor(mocks.MockMonitor):
    """Notes what is registered, in whatever order the program's tasks come to it."""

    def __init__(self, project: str, stack: str) -> None:
        super().__init__(_Cluster())
        self.declared: list[Resource] = []
        self._prefix = f"urn:pulumi:{stack}::{project}"

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """Name a resource as the engine does: by the types of all that it stands in, but for the stack."""
        above = parent.split("::")[2] if parent else STACK
        qualified = type_ if above == STACK else f"{above}${type_}"
        return f"{self._prefix}::{qualified}::{name}"

    def RegisterResource(self, request: Any) -> Any:  # noqa: ANN401, N802
        answer = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.type != STACK:
            self._note(request, answer.urn, request.object, custom=request.custom, read=False)
        return answer

    def ReadResource(self, request: Any) -> Any:  # noqa: ANN401, N802
        answer = super().ReadResource(request)  # type: ignore[no-untyped-call]
        self._note(request, answer.urn, request.properties, custom=True, read=True)
        return answer

    def _note(self, request: Any, urn: str, properties: Any, *, custom: bool, read: bool) -> None:  # noqa: ANN401
        inputs = rpc.deserialize_properties(properties)
        self.declared.append(
            Resource(
                type=request.type,
                name=request.name,
                urn=urn,
                parent=request.parent,
                custom=custom,
                read=read,
                dependencies=frozenset(request.dependencies),
                inputs=_plain(inputs, urn),
                version=request.version,
            )
        )


def _plain(value: Any, urn: str) -> Any:  # noqa: ANN401 (nested plain data)
    """Turn what came over the wire into plain data: there, every number is a fraction."""
    if isinstance(value, pulumi.Output) or type(value).__name__ == "Unknown":
        kind, name = urn.split("::")[2].rpartition(":")[2], urn.split("::")[3]
        message = f"{kind} {name} depends on what only a cluster can say, so it cannot be known beforehand"
        raise pulumi.RunError(message)
    if isinstance(value, dict):
        return {key: _plain(each, urn) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each, urn) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value

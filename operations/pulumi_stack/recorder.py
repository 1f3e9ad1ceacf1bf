"""A mock of Pulumi's engine that records what a program registers."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.runtime import mocks, rpc

STACK = "pulumi:pulumi:Stack"
"""The type of the root of a stack's resources."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource as the program registers it."""

    type: str
    name: str
    urn: str
    parent: str
    custom: bool
    """Whether a provider manages it; a component only groups resources."""
    read: bool
    """Whether the program only reads it, as an object that the stack does not own."""
    dependencies: frozenset[str]
    """The URNs of the resources that must exist before it."""
    inputs: Mapping[str, Any]
    """Plain values; whole numbers are integers."""
    ignored: frozenset[str] = frozenset()
    """Inputs whose changes Pulumi ignores: the object has the values that it was created with."""
    version: str
    """The version of the provider's plugin, if the program's libraries require one."""


class _Cluster(mocks.Mocks):
    """Accepts every resource. Outputs of existing objects are unknown to the program."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        return (args.resource_id, {}) if args.resource_id else (f"{args.name}-id", dict(args.inputs))

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        message = f"the program calls {args.token}, which needs a cluster"
        raise pulumi.RunError(message)


class Recorder(mocks.MockMonitor):
    """Records registrations, in the order in which the program's tasks make them."""

    def __init__(self, project: str, stack: str) -> None:
        super().__init__(_Cluster())
        self.declared: list[Resource] = []
        self.outputs: dict[str, Any] = {}
        self._prefix = f"urn:pulumi:{stack}::{project}"

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """Return the URN that the engine gives: with the types of all parents but the stack."""
        above = parent.split("::")[2] if parent else STACK
        qualified = type_ if above == STACK else f"{above}${type_}"
        return f"{self._prefix}::{qualified}::{name}"

    def RegisterResource(self, request: Any) -> Any:  # noqa: ANN401, N802
        """Record a resource that the program creates."""
        with _loop():
            answer = super().RegisterResource(request)  # type: ignore[no-untyped-call]
            if request.type != STACK:
                self._note(request, answer.urn, request.object, custom=request.custom, read=False)
        return answer

    def ReadResource(self, request: Any) -> Any:  # noqa: ANN401, N802
        """Record a resource that the program reads."""
        with _loop():
            answer = super().ReadResource(request)  # type: ignore[no-untyped-call]
            self._note(request, answer.urn, request.properties, custom=True, read=True)
        return answer

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: ANN401, N802
        """Record the outputs of the program, except unknown ones."""
        if request.urn.split("::")[2] == STACK:
            with _loop():
                for name, value in rpc.deserialize_properties(request.outputs).items():
                    with suppress(pulumi.RunError):
                        self.outputs[name] = _plain(value, request.urn)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]

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
                ignored=frozenset(() if read else request.ignoreChanges),
                version=request.version,
            )
        )


@contextmanager
def _loop() -> Iterator[None]:
    """Give a thread the event loop that Pulumi's mocks need, and close it.

    Loops that the mocks create are closed by the garbage collector, which sometimes prints a stack trace.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        yield
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def _plain(value: Any, urn: str) -> Any:  # noqa: ANN401 (nested plain data)
    """Return plain data; in Pulumi's protocol every number is a float."""
    if isinstance(value, pulumi.Output) or type(value).__name__ == "Unknown":
        kind, name = urn.split("::")[2].rpartition(":")[2], urn.split("::")[3]
        message = f"{kind} {name} depends on values of the cluster, which are unknown before the update"
        raise pulumi.RunError(message)
    if isinstance(value, dict):
        return {key: _plain(each, urn) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each, urn) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value

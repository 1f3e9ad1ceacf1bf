"""Runs the real `__main__.py` against Pulumi's mocks and records what it registers."""

import asyncio
import json
import runpy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi.runtime import config as pulumi_config
from pulumi.runtime import mocks, rpc, settings, stack

ROOT = Path(__file__).parents[2]

INGRESS_SERVICE = {
    "spec": {
        "type": "NodePort",
        "ports": [
            {"name": "status-port", "port": 15021, "nodePort": 31021},
            {"name": "http2", "port": 80, "nodePort": 31380},
            {"name": "https", "port": 443, "nodePort": 31390},
        ],
    },
    "status": {"loadBalancer": {}},
}


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A resource as the engine is told of it."""

    type: str
    name: str
    urn: str
    parent: str
    provider: str
    custom: bool
    dependencies: frozenset[str]
    inputs: Mapping[str, Any]
    read: bool = False
    hooks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The names of the hooks by when the engine calls them, where the run has an engine that knows hooks."""

    @property
    def key(self) -> str:
        """A short name to speak of it: `Deployment springbootapp-v1`."""
        return _key(self.type, self.name)


@dataclass(kw_only=True)
class Recording:
    """What one run of the program said to the engine."""

    resources: list[Registered] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    component_outputs: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Registered:
        """Find a resource by kind and name."""
        (found,) = [each for each in self.resources if each.key == key]
        return found

    def keys(self) -> set[str]:
        """List all resources."""
        return {each.key for each in self.resources}

    def waits_for(self, key: str) -> set[str]:
        """List what a resource depends on, by any way: a child also comes after what its parent waits for."""
        by_urn = {each.urn: each for each in self.resources}
        seen: set[str] = set()
        todo = {*self[key].dependencies, self[key].parent}
        while todo:
            urn = todo.pop()
            if urn in by_urn and by_urn[urn].key not in seen:
                seen.add(by_urn[urn].key)
                todo |= {*by_urn[urn].dependencies, by_urn[urn].parent}
        return seen


class _Cluster(mocks.Mocks):
    """Answers as a cluster that takes everything, with an ingress that is already there."""

    def __init__(self, existing: Mapping[str, Mapping[str, Any]]) -> None:
        self._existing = existing

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        if args.resource_id:
            return args.resource_id, dict(self._existing[args.resource_id])
        return f"{args.name}-id", dict(args.inputs)

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        message = f"the program calls {args.token}, which no test expects"
        raise NotImplementedError(message)


class _Monitor(mocks.MockMonitor):
    def __init__(self, cluster: _Cluster, recording: Recording) -> None:
        super().__init__(cluster)
        self._recording = recording

    def RegisterResource(self, request: Any) -> Any:  # noqa: ANN401, N802
        answer = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        self._record(request, answer.urn, request.object, custom=request.custom, read=False)
        return answer

    def ReadResource(self, request: Any) -> Any:  # noqa: ANN401, N802
        answer = super().ReadResource(request)  # type: ignore[no-untyped-call]
        self._record(request, answer.urn, request.properties, custom=True, read=True)
        return answer

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: ANN401, N802
        outputs = rpc.deserialize_properties(request.outputs)
        if "::pulumi:pulumi:Stack::" in request.urn:
            self._recording.outputs.update(outputs)
        else:
            self._recording.component_outputs[_key(*request.urn.split("::")[2:])] = outputs
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]

    def _record(self, request: Any, urn: str, properties: Any, *, custom: bool, read: bool) -> None:  # noqa: ANN401
        if request.type == "pulumi:pulumi:Stack":
            return
        self._recording.resources.append(
            Registered(
                type=request.type,
                name=request.name,
                urn=urn,
                parent=request.parent,
                provider=request.provider,
                custom=custom,
                dependencies=frozenset(request.dependencies),
                inputs=rpc.deserialize_properties(properties),
                read=read,
                hooks={} if read else {each.name: list(names) for each, names in request.hooks.ListFields()},
            )
        )


class _MonitorWithHooks(_Monitor):
    """Takes hooks, as the engine does, and calls none."""

    def RegisterResourceHook(self, request: Any) -> None:  # noqa: ANN401, N802
        """Be a monitor that knows hooks."""


class _Callbacks:
    """Stands for the server that the engine would call."""

    def register_resource_hook(self, hook: pulumi.ResourceHook) -> None:
        """Take a hook around a resource."""

    def register_error_hook(self, hook: pulumi.ErrorHook) -> None:
        """Take a hook that is called after an error."""


def run(
    config: Mapping[str, object],
    existing: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    project: str = "mesh-app",
    folder: Path = ROOT,
    hooks: bool = False,
) -> Recording:
    """Run a folder's program with whole config keys (`mesh-app:weights`) and plain values.

    With hooks it does all that it does in an update, and so may run kubectl.
    """
    recording = Recording()
    cluster = _Cluster(existing or {"istio-system/istio-ingressgateway": INGRESS_SERVICE})
    monitor = (_MonitorWithHooks if hooks else _Monitor)(cluster, recording)
    # Pulumi asks for the thread's loop; a test before may have closed it and left none.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    mocks.set_mocks(cluster, project=project, stack="test", preview=False, monitor=monitor)
    settings.SETTINGS.callbacks = _Callbacks() if hooks else None
    stored = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    pulumi_config.set_all_config(stored, [])
    # set_mocks leaves a stack of its own behind, and waits for it on another loop.
    settings.set_root_resource(None)  # type: ignore[arg-type]
    settings.SETTINGS.rpc_manager.clear()
    settings.SETTINGS.outputs.clear()
    loop.run_until_complete(stack.run_in_stack(lambda: _program(folder)))
    return recording


def stack_file(name: str) -> dict[str, object]:
    """Read the config of a stack file, by its path in the repository."""
    config: dict[str, object] = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))["config"]
    return config


def _program(folder: Path) -> None:
    runpy.run_path(str(folder / "__main__.py"), run_name="__main__")


def _key(type_: str, name: str) -> str:
    return f"{type_.rpartition(':')[2]} {name}"

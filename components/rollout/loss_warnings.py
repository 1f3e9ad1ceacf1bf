"""Warns about changes that cannot avoid losing requests, in the preview and during the update."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import pulumi

from components.model.service import Service
from components.model.stack import Stack
from components.rollout import request_loss
from components.rollout.hooks import is_outside_engine
from components.schema.issues import Issue, Path

HOOK: Final = "loses-requests"

KINDS: Final = ("Service", "Deployment", "Gateway", "VirtualService", "HTTPRoute")
"""The kinds whose updates can lose requests."""

Manifest = Mapping[str, Any]


class LossWarnings:
    """The warnings of one run of the program; a transformation binds their hook to the resources."""

    def __init__(self, stack: Stack) -> None:
        self._services: Mapping[str, tuple[Path, Service]] = {
            service.app.name: (place, service) for place, service in stack.placed.items()
        }
        self._fewer: dict[str, dict[str, tuple[int, int]]] = {}
        """The number of pods before and after, by app and version, if this update scales it down."""

    def register(self) -> None:
        """Compare every object that the program declares from now on with its previous inputs."""
        if is_outside_engine():
            return
        hook = pulumi.ResourceHook(HOOK, self._compare, pulumi.ResourceHookOptions(on_dry_run=True))
        binding = pulumi.ResourceHookBinding(before_update=[hook])

        def bind(resource: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
            if resource.type_.rpartition(":")[2] not in KINDS or resource.opts.id is not None:
                return None
            opts = pulumi.ResourceOptions.merge(pulumi.ResourceOptions(hooks=binding), resource.opts)
            return pulumi.ResourceTransformationResult(props=resource.props, opts=opts)

        pulumi.runtime.register_stack_transformation(bind)

    def _compare(self, args: pulumi.ResourceHookArgs) -> None:
        for each in self.of(_plain(args.old_inputs), _plain(args.new_inputs)):
            pulumi.log.warn(f"this change loses requests:\n{each}")

    def of(self, before: Manifest, after: Manifest) -> Iterable[Issue]:
        """List the requests that an object's update loses. The engine updates pods before routes."""
        kind, metadata = after["kind"], after["metadata"]
        labels = metadata.get("labels") or {}
        old, new = before.get("spec") or {}, after.get("spec") or {}
        if labels.get("app") not in self._services:
            return request_loss.of_extra_ports(old, new) if kind == "Service" else ()
        place, service = self._services[labels["app"]]
        if kind == "Deployment":
            self._note(service, labels.get("version", ""), old, new)
        elif kind == "Gateway":
            return request_loss.of_gateway(old, new, place)
        elif kind != "Service":
            prefix, fewer = service.workload(""), self._fewer.pop(service.app.name, {})
            return request_loss.of_weights(
                request_loss.shares(old, prefix), request_loss.shares(new, prefix), fewer, place
            )
        elif metadata["name"] == service.app.name:
            return request_loss.of_service(old, new, place)
        return ()

    def _note(self, service: Service, version: str, old: Manifest, new: Manifest) -> None:
        before, after = old.get("replicas"), new.get("replicas")
        if before is not None and after is not None and before > after:
            self._fewer.setdefault(service.app.name, {})[version] = (before, after)


def _plain(value: Any) -> Any:  # noqa: ANN401 (nested plain data)
    """Convert the engine's numbers, which are all floats, to integers where possible."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value

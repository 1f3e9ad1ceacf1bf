"""Finds the pods and containers of an object."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mesh_rules.objects import Kind, Object, Value, at, entries, may_equal

CONTROLLERS: Final[Sequence[Kind]] = (("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet"))
"""Workloads whose pods run until they are deleted."""

TEMPLATES: Final[dict[Kind, tuple[str, ...]]] = {
    **dict.fromkeys(CONTROLLERS, ("spec", "template")),
    ("batch", "Job"): ("spec", "template"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
    ("core", "Pod"): (),
}

PATCH: Final = "Patch"
"""Pulumi's suffix for the kind of an object of which a stack declares only some fields."""


@dataclass(frozen=True, kw_only=True)
class Container:
    """A container of a pod."""

    path: str
    fields: Value
    init: bool
    """Whether it runs before the others, and ends."""

    @property
    def injected(self) -> bool:
        """Whether Istio's injector fills it in: the proxy of a gateway has `image: auto`."""
        image, name = at(self.fields, "image"), at(self.fields, "name")
        return may_equal(name, "istio-proxy") and may_equal(image, "auto")


def pod(of: Object) -> tuple[str, Value]:
    """Return the pod template of an object, with the path of its spec; None if it has none."""
    group, kind = of.kind
    steps = TEMPLATES.get((group, kind.removesuffix(PATCH)))
    if steps is None:
        return "", None
    return ".".join([*steps, "spec"]), at(of.fields, *steps)


def is_patch(of: Object) -> bool:
    """Return whether the stack declares only some fields: the object may have others."""
    return of.kind[1].endswith(PATCH)


def containers(of: Object) -> Iterator[Container]:
    """List the containers of an object's pod, sidecars among them."""
    path, template = pod(of)
    for key in ("initContainers", "containers"):
        for nth, fields in entries(at(template, "spec", key)):
            # An init container that is restarted is a sidecar.
            init = key == "initContainers" and at(fields, "restartPolicy") != "Always"
            yield Container(path=f"{path}.{key}[{nth}]", fields=fields, init=init)

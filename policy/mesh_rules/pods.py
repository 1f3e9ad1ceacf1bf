"""Where the pods and containers of an object stand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mesh_rules.objects import Kind, Object, Value, at, entries, may_equal

CONTROLLERS: Final[Sequence[Kind]] = (("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet"))
"""Workloads whose pods stay and serve."""

TEMPLATES: Final[dict[Kind, tuple[str, ...]]] = {
    **dict.fromkeys(CONTROLLERS, ("spec", "template")),
    ("batch", "Job"): ("spec", "template"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
    ("core", "Pod"): (),
}

PATCH: Final = "Patch"
"""What Pulumi puts behind the kind of an object of which a stack declares only some fields."""


@dataclass(frozen=True, kw_only=True)
class Container:
    """A container as a pod declares it."""

    path: str
    fields: Value
    init: bool
    """It runs before the others, and ends."""

    @property
    def injected(self) -> bool:
        """Istio's injector writes this one: a gateway's own proxy says `image: auto`."""
        image, name = at(self.fields, "image"), at(self.fields, "name")
        return may_equal(name, "istio-proxy") and may_equal(image, "auto")


def pod(of: Object) -> tuple[str, Value]:
    """Find the pod that an object makes, with the path of its spec; None where it makes none."""
    group, kind = of.kind
    steps = TEMPLATES.get((group, kind.removesuffix(PATCH)))
    if steps is None:
        return "", None
    return ".".join([*steps, "spec"]), at(of.fields, *steps)


def is_patch(of: Object) -> bool:
    """Tell whether the stack declares only some fields: what it leaves out may be there."""
    return of.kind[1].endswith(PATCH)


def containers(of: Object) -> Iterator[Container]:
    """List the containers of an object's pod, sidecars among them."""
    path, template = pod(of)
    for key in ("initContainers", "containers"):
        for nth, fields in entries(at(template, "spec", key)):
            # An init container that is restarted is a sidecar.
            init = key == "initContainers" and at(fields, "restartPolicy") != "Always"
            yield Container(path=f"{path}.{key}[{nth}]", fields=fields, init=init)

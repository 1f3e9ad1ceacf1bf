"""Rules about the stack's namespace and the injection of sidecars into it."""

from collections.abc import Iterator

from components.model.stack import Stack
from components.schema.issues import Issue, Path, assign, command
from components.schema.messages import NAMESPACE_TAKEN, SIDECAR_IGNORED


def namespace_is_free(stack: Stack, at: Path) -> Iterator[Issue]:
    """A stack owns its namespace and deletes it on destroy."""
    name = stack.namespace.name
    if stack.namespace.existing:
        return
    owner = "Kubernetes" if name == "default" or name.startswith("kube-") else "Istio's ingress"
    if owner == "Kubernetes" or name in ("istio-system", stack.ingress.namespace):
        suggestion = next((service.app.name for service in stack.services), "shop")
        yield NAMESPACE_TAKEN.at(
            at / "namespace" / "name", name, name=name, owner=owner, suggestion=suggestion
        )


def sidecars_are_possible(stack: Stack, at: Path) -> Iterator[Issue]:
    """The label of a pod has no effect if its namespace disables injection."""
    injection = stack.namespace.injection
    if injection not in ("disabled", "ambient"):
        return
    for place, service in stack.placed.items():
        for name, version in service.versions.items():
            if version.sidecar:
                here = place / "versions" / name / "sidecar"
                fix = f"{assign(at / 'namespace' / 'injection', 'manual')}, or {command('rm', here)}"
                yield SIDECAR_IGNORED.at(here, version.sidecar, injection=injection, fix=fix)

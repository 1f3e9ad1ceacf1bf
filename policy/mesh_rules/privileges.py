"""Rules for the privileges of pods on their node."""

from collections.abc import Iterator, Sequence
from typing import Final

from mesh_rules.objects import UNKNOWN, Object, Value, at, entries
from mesh_rules.pods import containers, is_patch, pod
from mesh_rules.rule import Rule, Violation

ROOT: Final = 0
HARMLESS: Final = ("NET_BIND_SERVICE",)
"""Capabilities that the level `restricted` of Kubernetes' Pod Security Standards allows."""


def _on_the_host(objects: Sequence[Object]) -> Iterator[Violation]:
    for each in objects:
        path, template = pod(each)
        for key in ("hostNetwork", "hostPID", "hostIPC"):
            if at(template, "spec", key) is True:
                yield Violation(by=each, path=f"{path}.{key}", value=True, fix="remove it")
        for nth, volume in entries(at(template, "spec", "volumes")):
            if isinstance(mounted := at(volume, "hostPath"), dict):
                yield Violation(
                    by=each,
                    path=f"{path}.volumes[{nth}].hostPath",
                    value=at(mounted, "path"),
                    fix="use an emptyDir, a ConfigMap, a Secret or a claim",
                )
        for container in containers(each):
            if at(container.fields, "securityContext", "privileged") is True:
                yield Violation(
                    by=each,
                    path=f"{container.path}.securityContext.privileged",
                    value=True,
                    fix="remove it, and add the one capability that is needed",
                )
            for nth, port in entries(at(container.fields, "ports")):
                if isinstance(number := at(port, "hostPort"), int):
                    yield Violation(
                        by=each,
                        path=f"{container.path}.ports[{nth}].hostPort",
                        value=number,
                        fix="remove it, and reach the pod through a Service",
                    )


def _gains_privileges(objects: Sequence[Object]) -> Iterator[Violation]:
    for each in objects:
        for container in containers(each):
            path, own = f"{container.path}.securityContext", at(container.fields, "securityContext")
            if at(own, "allowPrivilegeEscalation") is True:
                yield Violation(
                    by=each, path=f"{path}.allowPrivilegeEscalation", value=True, fix="set it to false"
                )
            for nth, capability in entries(at(own, "capabilities", "add")):
                if capability not in (*HARMLESS, UNKNOWN):
                    yield Violation(
                        by=each,
                        path=f"{path}.capabilities.add[{nth}]",
                        value=capability,
                        fix="remove it, or exempt the workload that needs it",
                    )


def _root(objects: Sequence[Object]) -> Iterator[Violation]:
    for each in objects:
        for path, user, _ in _users(each):
            if user == ROOT:
                yield Violation(
                    by=each,
                    path=f"{path}.securityContext.runAsUser",
                    value=user,
                    fix="run as another user: runAsUser: 65532, with fsGroup if it writes to volumes",
                )


def _perhaps_root(objects: Sequence[Object]) -> Iterator[Violation]:
    for each in objects:
        for path, user, not_root in () if is_patch(each) else _users(each):
            if user is None and (not_root is None or not_root is False):
                yield Violation(
                    by=each,
                    path=f"{path}.securityContext.runAsNonRoot",
                    value=not_root,
                    fix="set it to true, on the container or on the pod; otherwise the image decides",
                )


def _users(of: Object) -> Iterator[tuple[str, Value, Value]]:
    """List containers with runAsUser and runAsNonRoot; the pod has the defaults."""
    pods = at(pod(of)[1], "spec", "securityContext")
    for container in containers(of):
        if container.injected:
            continue
        own = at(container.fields, "securityContext")
        user, not_root = (
            at(pods, key) if at(own, key) is None else at(own, key) for key in ("runAsUser", "runAsNonRoot")
        )
        yield container.path, user, not_root


RULES: Final = (
    Rule(
        name="no-host-access",
        description="No pod is privileged, mounts the node's files, opens its ports or joins its namespaces.",
        level="mandatory",
        violations=_on_the_host,
        example="`securityContext: {privileged: true}`",
    ),
    Rule(
        name="no-added-privileges",
        description="No container adds capabilities but NET_BIND_SERVICE, or lets a process gain privileges.",
        level="mandatory",
        violations=_gains_privileges,
        example="`securityContext: {capabilities: {add: [SYS_ADMIN]}}`",
    ),
    Rule(
        name="not-root",
        description="No container runs as root.",
        level="mandatory",
        violations=_root,
        example="`securityContext: {runAsUser: 0}`",
    ),
    Rule(
        name="root-ruled-out",
        description="A container declares that it does not run as root.",
        level="advisory",
        violations=_perhaps_root,
        example="no `securityContext`, neither on the container nor on the pod",
    ),
)

"""Checks an existing namespace that the stack uses and does not own."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi

from components.manifests.deployment import DATAPLANE, REVISION
from components.model.stack import Revision, Stack
from components.model.stack_identity import identity, owner_of
from components.rollout.kubectl import Kubectl, KubectlError
from components.rollout.live_objects import Ref, is_terminating, read_now
from components.rollout.ownership import may_be_older
from components.schema.issues import Path
from components.schema.messages import (
    EXISTENCE_UNKNOWN,
    NAMESPACE_LABEL_CONFLICT,
    NAMESPACE_MISSING,
    NAMESPACE_TERMINATING,
)
from components.settings.errors import ConfigError

INJECTION: Final = "istio-injection"
OF_INJECTION: Final = (INJECTION, REVISION, DATAPLANE)
"""The labels of a namespace that control injection."""

NAME: Final = Path() / "namespace" / "name"


def labels_of_own(stack: Stack) -> dict[str, str] | None:
    """Check the namespace; return its injection labels if this stack created it, None otherwise.

    Raises:
        ConfigError: the namespace does not exist, is being deleted, or its labels contradict the stack file.
    """
    name, context = stack.namespace.name, stack.cluster.context
    ref = Ref(kind="Namespace", api_version="v1", namespace="", name=name)
    services = [
        Ref(kind="Service", api_version="v1", namespace=name, name=each.app.name) for each in stack.services
    ]
    try:
        found = read_now(Kubectl(context=context), [ref, *services])
    except KubectlError as error:
        raise ConfigError([EXISTENCE_UNKNOWN.at(NAME, name, why=error)]) from error
    live = found.get(ref)
    words = {"name": name, "context": context, "existing": Path() / "namespace" / "existing"}
    if live is None:
        raise ConfigError([NAMESPACE_MISSING.at(NAME, name, **words)])
    if is_terminating(live):
        raise ConfigError([NAMESPACE_TERMINATING.at(NAME, name, **words)])
    labels: dict[str, str] = live["metadata"].get("labels") or {}
    if label := conflicting_label(stack, labels):
        here = Path() / "namespace" / "injection"
        injection = str(stack.namespace.injection)
        words |= {"label": f"{label}={labels[label]}", "injection": injection, "label_key": label}
        raise ConfigError([NAMESPACE_LABEL_CONFLICT.at(here, injection, **words)])
    own = is_own(live, [found[each] for each in services if each in found])
    return {key: labels[key] for key in OF_INJECTION if key in labels} if own else None


def is_own(namespace: Mapping[str, Any], services: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether this stack created a namespace, or an older version of its program may have done so.

    Older versions labelled neither the namespace nor the Services in it.
    """
    own_identity = identity(pulumi.get_project(), pulumi.get_stack())
    older = may_be_older(namespace) and any(map(may_be_older, services))
    return owner_of(namespace) == own_identity or older


def conflicting_label(stack: Stack, labels: Mapping[str, str]) -> str | None:
    """Return the label of the namespace that prevents the injection of the stack file, if any.

    According to Istio's injector webhooks, `istio-injection` of the namespace takes precedence over the
    labels of a pod, except `sidecar.istio.io/inject: "false"`; so does a revision.
    """
    injection = stack.namespace.injection
    if isinstance(injection, Revision):
        if INJECTION in labels:
            return INJECTION
        return REVISION if labels.get(REVISION, injection.revision) != injection.revision else None
    versions = [each for service in stack.services for each in service.versions.values()]
    wanted = injection == "enabled" or (injection == "manual" and any(each.sidecar for each in versions))
    return INJECTION if wanted and labels.get(INJECTION) == "disabled" else None

"""Rules for what touches a stack's pods: selects them, acts on their Deployments, or joins them. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from operations.drift.foreign.reach import Reach
from operations.kube.manifests import Manifest

ROOT: Final = "istio-system"
"""Istio's root namespace, unless told otherwise: what selects pods there selects them everywhere."""
APP: Final = "app.kubernetes.io/name"
TARGETS: Final = ("scaleTargetRef", "targetRef", "workloadRef")
"""Where autoscalers and other tools for releases say on what they act."""
CONTROLLERS: Final = {
    "endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io",
}  # fmt: skip
MAKERS: Final = {
    "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicationController",
    "Rollout",
}  # fmt: skip
"""Whose objects are looked at themselves, so that what they make need not be."""


def policy(each: Manifest, reach: Reach) -> str | None:
    """What Istio applies to the pods that it selects: in the stack's namespace to all, unless it says less.

    In the root namespace only what selects the stack's pods by name is somebody's hand: without a selector
    it is the mesh's own policy, which the platform declares.
    """
    spec, namespace = each.get("spec") or {}, each["metadata"].get("namespace", "")
    for target in [*(spec.get("targetRefs") or ()), *([spec["targetRef"]] if "targetRef" in spec else ())]:
        if reach.is_own(each) and (target["name"] in reach.services or target["kind"] == "Gateway"):
            return f"applies to {target['kind']} {target['name']}"
    if spec.get("targetRefs") or spec.get("targetRef"):
        return None
    selector = spec.get("selector") or {}
    labels = spec.get("workloadSelector") or {}
    chosen = {
        **(selector.get("matchLabels") or {}),
        **(labels.get("labels") or {}),
        **(labels.get("matchLabels") or {}),
    }
    takes_all = namespace != ROOT and each["kind"] != "ServiceEntry"
    return _chosen({"matchLabels": chosen}, namespace, reach) if chosen or takes_all else None


def _chosen(selector: Mapping[str, Any], namespace: str, reach: Reach) -> str | None:
    places = reach.namespaces if namespace == ROOT else {namespace}
    if not (selector.get("matchLabels") or selector.get("matchExpressions")):
        places &= reach.owned  # of a namespace that is shared, it is its owner's to say
    workloads = (reach.chosen(selector, place) for place in sorted(places))
    return next((f"selects the pods of Deployment {each}" for each in workloads if each), None)


def pod_selector(field: str) -> Callable[[Manifest, Reach], str | None]:
    """Make the rule for a kind that selects pods by a field of its spec."""

    def rule(each: Manifest, reach: Reach) -> str | None:
        selector = (each.get("spec") or {}).get(field)
        namespace = each["metadata"].get("namespace", "")
        return _chosen(selector, namespace, reach) if selector is not None else None

    return rule


def service(each: Manifest, reach: Reach) -> str | None:
    """A Service that selects the stack's pods."""
    selector = (each.get("spec") or {}).get("selector")
    namespace = each["metadata"].get("namespace", "")
    return _chosen({"matchLabels": selector}, namespace, reach) if selector else None


def takes_deployment(each: Manifest, reach: Reach) -> str | None:
    """An autoscaler or another tool for releases that acts on a Deployment of the stack's."""
    spec = each.get("spec") or {}
    own = {pods.workload for pods in reach.pods}
    for target in (spec.get(key) or {} for key in TARGETS):
        is_own = reach.is_own(each) and target.get("kind", "Deployment") == "Deployment"
        if is_own and target.get("name") in own:
            return f"acts on Deployment {target['name']}"
    return None


def workload(each: Manifest, reach: Reach) -> str | None:
    """Pods that a Service of the stack's takes for its own, or that left their Deployment."""
    owners = each["metadata"].get("ownerReferences") or ()
    if not reach.is_own(each) or any(one.get("controller") and one["kind"] in MAKERS for one in owners):
        return None
    labels = _labels(each)
    for name, chosen in reach.services.items():
        if chosen and all(labels.get(key) == value for key, value in chosen.items()):
            return f"has pods that Service {name} takes for its own"
    apps = {pods.labels.get(APP) for pods in reach.pods} - {None}
    if "pod-template-hash" in labels and labels.get(APP) in apps:
        return "was of the stack's Deployment, and left it"
    return None


def _labels(each: Manifest) -> Mapping[str, str]:
    """The labels of the pods that an object is, stands for, or makes."""
    spec = each.get("spec") or {}
    if each["kind"] in ("Pod", "WorkloadEntry"):
        return {**(each["metadata"].get("labels") or {}), **(spec.get("labels") or {})}
    if each["kind"] == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    return ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}


def endpoints(each: Manifest, reach: Reach) -> str | None:
    """Addresses of a Service of the stack's that Kubernetes does not keep by itself."""
    labels = each["metadata"].get("labels") or {}
    name = labels.get("kubernetes.io/service-name")
    is_by_hand = (
        reach.is_own(each) and labels.get("endpointslice.kubernetes.io/managed-by") not in CONTROLLERS
    )
    return f"sends calls of Service {name} elsewhere" if name in reach.services and is_by_hand else None


def all_pods(each: Manifest, reach: Reach) -> str | None:
    """What holds for every pod of a namespace."""
    return "limits all pods of the namespace" if reach.owns_place(each) and reach.pods else None

"""Settings → the specs of a version's workload, as Kubernetes writes them. Pure: no Pulumi, no cluster."""

from typing import Final

from components import pod
from components.matching import Spec
from components.model.scaling import Autoscaling, DisruptionBudget
from components.model.service import App, Service
from components.model.stack import Namespace, Revision
from components.model.version import Version
from components.schema import encode

PROXY_CONFIG: Final = (
    '{"holdApplicationUntilProxyStarts": true, "proxyMetadata": {"EXIT_ON_ZERO_ACTIVE_CONNECTIONS": "true"}}'
)
"""The proxy is there before the app starts, and stays until the last request of the pod is answered."""

OURS: Final = {"app.kubernetes.io/managed-by": "pulumi"}
"""The label of all that the program makes."""

SIDECAR: Final = "sidecar.istio.io/inject"
REVISION: Final = "istio.io/rev"
DATAPLANE: Final = "istio.io/dataplane-mode"
"""Labels of pods by which Istio takes them into the mesh, or leaves them out."""

OWNED: Final = {"pulumi.com/patchForce": "true"}
"""The stack owns its objects whole: what a hand changes is drift, not a conflict (K#2542)."""

INJECTION: Final = "mesh-app/injection"
"""The annotation of a pod that says how its namespace injected proxies when it was made."""

UNAWAITED: Final = {"pulumi.com/skipAwait": "true"}
"""A Service is done when it is made: whether pods are ready is asked of the Deployments.

The provider would wait for its endpoints to stand still, up to ten minutes in every update while the pods of
one version crash: also in the update that takes that version back.
"""


def labels(app: App, version: str | None = None) -> dict[str, str]:
    """The labels of all that belongs to the app. Only `app` and `version` ever select anything.

    There is no `app.kubernetes.io/version`: Istio would take it, not `version`, for the canonical revision.
    """
    own = {"app": app.name} if version is None else selector(app, version)
    return {**own, "app.kubernetes.io/name": app.name, **OURS}


def selector(app: App, version: str) -> dict[str, str]:
    """The labels that tell a version's pods from all others. Changing them would replace the Deployment."""
    return {"app": app.name, "version": version}


def service(of: Service, version: str | None = None) -> Spec:
    """One Service in front of all versions, which the subsets divide, or of one, for an HTTPRoute."""
    chosen = {"app": of.app.name} if version is None else selector(of.app, version)
    port = {
        "name": "http",
        "appProtocol": "http",
        "port": of.app.port,
        "targetPort": "http",
        "protocol": "TCP",
    }
    return {"type": "ClusterIP", "selector": chosen, "ports": [port]}


def deployment(of: Service, name: str, namespace: Namespace) -> Spec:
    """The Deployment of one version. No pod leaves before its successor is ready."""
    version = of.versions[name]
    # Where an autoscaler owns the number of pods, the stack does not say it.
    count = {} if version.autoscaling else {"replicas": version.fewest}
    return count | {
        "selector": {"matchLabels": selector(of.app, name)},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "template": {
            "metadata": {
                "labels": {**labels(of.app, name), **_mesh_labels(version, namespace)},
                "annotations": {
                    # Injection happens when a pod is made: a change of the namespace must make new pods.
                    INJECTION: str(namespace.injection),
                    "proxy.istio.io/config": PROXY_CONFIG,
                },
            },
            "spec": pod.spec(of, name),
        },
    }


def has_proxy(deployment: Spec) -> bool:
    """Tell from a live Deployment's spec whether the program had its pods made with a proxy."""
    metadata = deployment["template"]["metadata"]
    own = (metadata.get("labels") or {}).get(SIDECAR)
    injection = (metadata.get("annotations") or {}).get(INJECTION)
    return own == "true" if own else injection not in ("disabled", "manual")


def autoscaler(workload: str, container: str, scaling: Autoscaling) -> Spec:
    """Scale by the CPU of the app's own container: the sidecar's says little about the app."""
    return {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": workload},
        "minReplicas": scaling.min,
        "maxReplicas": scaling.max,
        "metrics": [
            {
                "type": "ContainerResource",
                "containerResource": {
                    "name": "cpu",
                    "container": container,
                    "target": {"type": "Utilization", "averageUtilization": scaling.cpu},
                },
            }
        ],
    }


def disruption_budget(app: App, version: str, budget: DisruptionBudget) -> Spec:
    """Keep a node's drain from taking too many pods of a version."""
    return {"selector": {"matchLabels": selector(app, version)}, **encode(budget)}


def _mesh_labels(version: Version, namespace: Namespace) -> dict[str, str]:
    """Say how the pods join the mesh, where the label of the namespace does not."""
    injection = namespace.injection
    if namespace.existing and injection == "ambient":
        return {DATAPLANE: "ambient", SIDECAR: "false"}
    if injection in ("disabled", "ambient"):
        return {SIDECAR: "false"} if namespace.existing else {}
    wanted = version.sidecar
    if wanted is None and namespace.existing and injection == "enabled":
        wanted = True
    own = {} if wanted is None else {SIDECAR: "true" if wanted else "false"}
    if namespace.existing and isinstance(injection, Revision) and wanted is not False:
        own[REVISION] = injection.revision
    return own

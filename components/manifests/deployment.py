"""Settings → the spec of a version's Deployment. Pure: no Pulumi, no cluster."""

from typing import Final

from components.manifests import pod
from components.manifests.labels import labels, selector
from components.manifests.route_match import Spec
from components.model.service import Service
from components.model.stack import Namespace, Revision
from components.model.version import Version

PROXY_CONFIG: Final = (
    '{"holdApplicationUntilProxyStarts": true, "proxyMetadata": {"EXIT_ON_ZERO_ACTIVE_CONNECTIONS": "true"}}'
)
"""The proxy is there before the app starts, and stays until the last request of the pod is answered."""

SIDECAR: Final = "sidecar.istio.io/inject"
REVISION: Final = "istio.io/rev"
DATAPLANE: Final = "istio.io/dataplane-mode"
"""Labels of pods by which Istio takes them into the mesh, or leaves them out."""

INJECTION: Final = "mesh-app/injection"
"""The annotation of a pod that says how its namespace injected proxies when it was made."""


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

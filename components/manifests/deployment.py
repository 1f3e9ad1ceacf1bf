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
"""The proxy starts before the app, and stops after the last request of the pod is answered."""

SIDECAR: Final = "sidecar.istio.io/inject"
REVISION: Final = "istio.io/rev"
DATAPLANE: Final = "istio.io/dataplane-mode"
"""Labels of pods that add them to the mesh or exclude them."""

INJECTION: Final = "mesh-app/injection"
"""The annotation of a pod with its namespace's injection at the time of its creation."""


def deployment(of: Service, name: str, namespace: Namespace) -> Spec:
    """Return the Deployment of one version. A pod is replaced only when its successor is ready."""
    version = of.versions[name]
    # An autoscaler owns the number of pods.
    count = {} if version.autoscaling else {"replicas": version.fewest}
    return count | {
        "selector": {"matchLabels": selector(of.app, name)},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "template": {
            "metadata": {
                "labels": {**labels(of.app, name), **_mesh_labels(version, namespace)},
                "annotations": {
                    # Injection happens when a pod is created: a change of the namespace needs new pods.
                    INJECTION: str(namespace.injection),
                    "proxy.istio.io/config": PROXY_CONFIG,
                },
            },
            "spec": pod.spec(of, name),
        },
    }


def has_proxy(deployment: Spec) -> bool:
    """Return whether the pods of a live Deployment of this program were created with a proxy."""
    metadata = deployment["template"]["metadata"]
    own = (metadata.get("labels") or {}).get(SIDECAR)
    injection = (metadata.get("annotations") or {}).get(INJECTION)
    return own == "true" if own else injection not in ("disabled", "manual")


def _mesh_labels(version: Version, namespace: Namespace) -> dict[str, str]:
    """Return the labels that add pods to the mesh, if the label of the namespace does not."""
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

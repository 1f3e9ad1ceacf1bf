"""Settings → the specs of a version's workload, as Kubernetes writes them. Pure: no Pulumi, no cluster."""

from typing import Any, Final

from components.model.service import App, Service
from components.model.stack import Injection
from components.model.version import Version

Spec = dict[str, Any]
"""A Kubernetes object, or part of one, in its own words."""

DRAIN_SECONDS: Final = 5
"""How long a pod still serves after it was told to stop: until every proxy has heard that it is leaving."""

GRACE_SECONDS: Final = 40
"""How long pod and proxy have in all: the drain, the longest request, and what the app needs to end."""

NOBODY: Final = 65532
"""The user without rights, by the custom of rootless images. A number: Kubernetes cannot check a name."""

PROXY_CONFIG: Final = (
    '{"holdApplicationUntilProxyStarts": true, "proxyMetadata": {"EXIT_ON_ZERO_ACTIVE_CONNECTIONS": "true"}}'
)
"""The proxy is there before the app starts, and stays until the last request of the pod is answered."""


def labels(app: App, version: str | None = None) -> dict[str, str]:
    """The labels of all that belongs to the app. Only `app` and `version` ever select anything.

    There is no `app.kubernetes.io/version`: Istio would take it, not `version`, for the canonical revision.
    """
    own = {"app": app.name} if version is None else {"app": app.name, "version": version}
    return {**own, "app.kubernetes.io/name": app.name, "app.kubernetes.io/managed-by": "pulumi"}


def service(of: Service) -> Spec:
    """One Service in front of all versions, which the subsets divide."""
    port = {
        "name": "http",
        "appProtocol": "http",
        "port": of.app.port,
        "targetPort": "http",
        "protocol": "TCP",
    }
    return {"type": "ClusterIP", "selector": {"app": of.app.name}, "ports": [port]}


def deployment(of: Service, name: str, injection: Injection) -> Spec:
    """The Deployment of one version. No pod leaves before its successor is ready."""
    version = of.versions[name]
    selector = {"app": of.app.name, "version": name}
    return {
        "replicas": version.replicas,
        "selector": {"matchLabels": selector},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "template": {
            "metadata": {
                "labels": {**labels(of.app, name), **_sidecar_label(version, injection)},
                "annotations": {
                    # Injection happens when a pod is made: a change of the namespace must make new pods.
                    "mesh-app/injection": str(injection),
                    "proxy.istio.io/config": PROXY_CONFIG,
                },
            },
            "spec": _pod(of.app, version),
        },
    }


def _sidecar_label(version: Version, injection: Injection) -> dict[str, str]:
    if version.sidecar is None or injection in ("disabled", "ambient"):
        return {}
    return {"sidecar.istio.io/inject": "true" if version.sidecar else "false"}


def _pod(app: App, version: Version) -> Spec:
    return {
        "serviceAccountName": app.name,
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": NOBODY,
            "runAsGroup": NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(app, version)],
        # The root file system is read-only, and most runtimes want a place for scratch files.
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}],
    }


def _container(app: App, version: Version) -> Spec:
    return {
        "name": app.name,
        "image": version.image(app.image),
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"name": "http", "containerPort": app.port, "protocol": "TCP"}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
        "startupProbe": {**_probe(app), "periodSeconds": 1, "failureThreshold": 120},
        "readinessProbe": {**_probe(app), "periodSeconds": 2, "failureThreshold": 3},
        "livenessProbe": {**_probe(app), "periodSeconds": 10, "failureThreshold": 6},
        "lifecycle": {"preStop": {"sleep": {"seconds": DRAIN_SECONDS}}},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - the container's own
    }


def _probe(app: App) -> Spec:
    return {"httpGet": {"path": app.probe, "port": "http", "scheme": "HTTP"}, "timeoutSeconds": 2}

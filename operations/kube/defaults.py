"""Default values that the API server writes. Pure.

Only of the kinds and fields that a stack of the program can have. Read from Kubernetes' `defaults.go` and the
schemas of the Gateway API; a test holds the tables against a real API server. Istio's kinds have no defaults.
"""

from collections.abc import Mapping
from typing import Any, Final

from operations.kube.manifests import Manifest

_PROBE: Final = {
    "failureThreshold": 3, "periodSeconds": 10, "successThreshold": 1, "timeoutSeconds": 1,
    "httpGet": {"scheme": "HTTP", "path": "/"}, "grpc": {"service": ""},
}  # fmt: skip
_CONTAINER: Final = {
    "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
    "imagePullPolicy": "IfNotPresent", "resources": {}, "ports": [{"protocol": "TCP"}],
    "readinessProbe": _PROBE, "livenessProbe": _PROBE, "startupProbe": _PROBE,
    "env": [{"valueFrom": {"fieldRef": {"apiVersion": "v1"}}}],
}  # fmt: skip
_POD: Final = {
    "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler",
    "terminationGracePeriodSeconds": 30, "securityContext": {},
    "containers": [_CONTAINER], "initContainers": [_CONTAINER],
    "volumes": [{
        "emptyDir": {}, "configMap": {"defaultMode": 420}, "secret": {"defaultMode": 420},
        "projected": {"defaultMode": 420},
    }],
}  # fmt: skip
_BACKEND: Final = {"group": "", "kind": "Service", "weight": 1}
_FILTER: Final = {
    "requestMirror": {"backendRef": {"group": "", "kind": "Service"}, "fraction": {"denominator": 100}},
    "requestRedirect": {"statusCode": 302},
    "cors": {"maxAge": 5},
}  # fmt: skip
_MATCH: Final = {
    "path": {"type": "PathPrefix", "value": "/"},
    "headers": [{"type": "Exact"}], "queryParams": [{"type": "Exact"}],
}  # fmt: skip

_TABLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "apps/Deployment": {
        "progressDeadlineSeconds": 600, "revisionHistoryLimit": 10, "replicas": 1,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        "template": {"spec": _POD},
    },
    "/Namespace": {"finalizers": ["kubernetes"]},
    "/Service": {
        "type": "ClusterIP", "sessionAffinity": "None", "internalTrafficPolicy": "Cluster",
        "externalTrafficPolicy": "Cluster", "ipFamilyPolicy": "SingleStack", "ports": [{"protocol": "TCP"}],
    },
    "autoscaling/HorizontalPodAutoscaler": {"minReplicas": 1},
    "gateway.networking.k8s.io/HTTPRoute": {
        "parentRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway"}],
        "rules": [{
            "matches": [_MATCH], "filters": [_FILTER],
            "backendRefs": [_BACKEND | {"filters": [_FILTER]}],
        }],
    },
    "gateway.networking.k8s.io/Gateway": {
        "addresses": [{"type": "IPAddress"}],
        "listeners": [{
            "allowedRoutes": {"namespaces": {"from": "Same"}},
            "tls": {"mode": "Terminate", "certificateRefs": [{"group": "", "kind": "Secret"}]},
        }],
    },
}  # fmt: skip


def spec_defaults(manifest: Manifest) -> Mapping[str, Any]:
    """Return the defaults of an object's spec; the first item of a list applies to every item."""
    group = manifest["apiVersion"].rpartition("/")[0]
    return _TABLES.get(f"{group}/{manifest['kind']}", {})

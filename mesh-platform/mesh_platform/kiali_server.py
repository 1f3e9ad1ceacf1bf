"""Kiali from an image: one replica, which may read what it shows, without Secrets."""

import hashlib

import pulumi
import pulumi_kubernetes as kubernetes
import yaml

from mesh_platform.charts import Values, merged
from mesh_platform.mesh import SYSTEM, Mesh
from mesh_platform.observer import Observer
from mesh_platform.server import deployed as server
from mesh_platform.server import labels, service

NAME = "kiali"
ISTIOD = f"{NAME}-istiod"
"""The Role that lets it query istiod."""
PORT = 20001
METRICS_PORT = 9090
WEB_ROOT = "/kiali"
USER = 1000

READ = ("get", "list", "watch")
MAY_READ = {
    "": ("configmaps", "endpoints", "namespaces", "pods", "replicationcontrollers", "services"),
    "apps": ("daemonsets", "deployments", "replicasets", "statefulsets"),
    "batch": ("cronjobs", "jobs"),
    "admissionregistration.k8s.io": ("mutatingwebhookconfigurations",),
    **dict.fromkeys(
        (
            "networking.istio.io",
            "security.istio.io",
            "extensions.istio.io",
            "telemetry.istio.io",
            "gateway.networking.k8s.io",
        ),
        ("*",),
    ),
}
"""Resources by API group, without Secrets and logs: the features that need them are disabled."""

CONFIGURATION: Values = {
    "server": {"port": PORT, "web_root": WEB_ROOT, "static_content_root_directory": "/opt/kiali/console"},
    "kubernetes_config": {"cluster_name": "Kubernetes"},
    "kiali_feature_flags": {
        "certificates_information_indicators": {"enabled": False},
        "disabled_features": ["logs-tab"],
        "istio_injection_action": False,
        "istio_annotation_action": False,
        "validations": {
            # A workload may have no AuthorizationPolicy; the public chart disables this check too.
            "ignore": ["KIA1301"],
            # A Gateway for all hosts may exist beside one for a single host, which takes precedence.
            "skip_wildcard_gateway_hosts": True,
        },
        "ui_defaults": {"graph": {"impl": "pf"}, "metrics_per_refresh": "1m", "refresh_interval": "15s"},
    },
}


def deployed(wanted: Observer, mesh: Mesh, configuration: Values) -> None:
    """Create the server with its configuration, its rights and its Service."""
    text = yaml.safe_dump(dict(merged(CONFIGURATION, configuration)), sort_keys=False)
    metadata = {"name": NAME, "namespace": mesh.namespace, "labels": labels(NAME)}
    file = kubernetes.core.v1.ConfigMap(
        NAME, metadata=metadata, data={"config.yaml": text}, opts=mesh.options()
    )
    health = {"path": f"{WEB_ROOT}/healthz", "port": "http"}
    server(
        NAME,
        mesh,
        {
            "image": wanted.image,
            "workingDir": "/opt/kiali",  # index.html is found relative to it
            "command": ["/opt/kiali/kiali", "-config", "/kiali-configuration/config.yaml"],
            "ports": wanted.ports(http=PORT, metrics=METRICS_PORT),
            "readinessProbe": {"httpGet": health, "periodSeconds": 1},
            "livenessProbe": {"httpGet": health, "periodSeconds": 15},
            "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "1Gi"}},
            "volumeMounts": [
                {"name": "configuration", "mountPath": "/kiali-configuration", "readOnly": True}
            ],
        },
        user=USER,
        account=NAME,
        volumes=[{"name": "configuration", "configMap": {"name": NAME}}],
        # Kiali reads its configuration only when it starts, so a change needs another pod.
        annotations={"mesh-platform/configuration": hashlib.sha256(text.encode()).hexdigest()[:16]},
        after=(file, *_may_look(mesh)),
    )
    service(NAME, NAME, mesh, http=PORT)


def _may_look(mesh: Mesh) -> tuple[pulumi.Resource, ...]:
    """Create an account that may read, and query istiod for the services that it has.

    istiod answers a loopback alone, so the question goes through a forwarded port. Without the answer Kiali
    judges no configuration at all. In the mesh's own namespace only: no port of an application's pod.
    """
    account = kubernetes.core.v1.ServiceAccount(
        NAME,
        metadata={"name": NAME, "namespace": mesh.namespace, "labels": labels(NAME)},
        opts=mesh.options(),
    )
    name = f"{NAME}-{SYSTEM}"
    role = kubernetes.rbac.v1.ClusterRole(
        NAME,
        metadata={"name": name, "labels": labels(NAME)},
        rules=[
            {"apiGroups": [group], "resources": list(resources), "verbs": list(READ)}
            for group, resources in MAY_READ.items()
        ],
        opts=mesh.options(),
    )
    binding = kubernetes.rbac.v1.ClusterRoleBinding(
        NAME,
        metadata={"name": name, "labels": labels(NAME)},
        role_ref={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        subjects=[{"kind": "ServiceAccount", "name": NAME, "namespace": mesh.namespace}],
        opts=mesh.options(role, account),
    )
    metadata = {"name": ISTIOD, "namespace": mesh.namespace, "labels": labels(NAME)}
    asking = kubernetes.rbac.v1.Role(
        ISTIOD,
        metadata=metadata,
        rules=[{"apiGroups": [""], "resources": ["pods/portforward"], "verbs": ["create"]}],
        opts=mesh.options(),
    )
    may_ask = kubernetes.rbac.v1.RoleBinding(
        ISTIOD,
        metadata=metadata,
        role_ref={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": ISTIOD},
        subjects=[{"kind": "ServiceAccount", "name": NAME, "namespace": mesh.namespace}],
        opts=mesh.options(asking, account),
    )
    return account, binding, may_ask

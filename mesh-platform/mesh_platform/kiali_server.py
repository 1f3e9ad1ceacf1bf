"""Kiali of an image alone: one replica that may read what it draws, and nothing secret."""

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
"""The Role by which it asks istiod."""
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
"""Resources by API group. No Secrets and no logs: what would need them is switched off."""

CONFIGURATION: Values = {
    "server": {"port": PORT, "web_root": WEB_ROOT, "static_content_root_directory": "/opt/kiali/console"},
    "kubernetes_config": {"cluster_name": "Kubernetes"},
    "kiali_feature_flags": {
        "certificates_information_indicators": {"enabled": False},
        "disabled_features": ["logs-tab"],
        "istio_injection_action": False,
        "istio_annotation_action": False,
        "validations": {
            # A workload without an AuthorizationPolicy is no mistake; the public chart leaves it out too.
            "ignore": ["KIA1301"],
            # Nor is a Gateway for all hosts beside one for a single host, which gets the requests for it.
            "skip_wildcard_gateway_hosts": True,
        },
        "ui_defaults": {"graph": {"impl": "pf"}, "metrics_per_refresh": "1m", "refresh_interval": "15s"},
    },
}


def deployed(wanted: Observer, mesh: Mesh, configuration: Values) -> None:
    """Make the server with its configuration and its rights, and the Service that leads to it."""
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
            "workingDir": "/opt/kiali",  # index.html is looked for from there
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
        # Kiali reads its configuration when it starts: another one is another pod.
        annotations={"mesh-platform/configuration": hashlib.sha256(text.encode()).hexdigest()[:16]},
        after=(file, *_may_look(mesh)),
    )
    service(NAME, NAME, mesh, http=PORT)


def _may_look(mesh: Mesh) -> tuple[pulumi.Resource, ...]:
    """Give it an account that may read, and ask istiod which services there are.

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

"""Settings → the spec of a pod. Pure: no Pulumi, no cluster."""

from typing import Final

from components.manifests.route_match import Spec
from components.model.scaling import Spread
from components.model.service import Service
from components.model.workload import EnvReference, EnvSource, Pods, Probe
from components.schema.decode import encode

DRAIN_SECONDS: Final = 5
"""How long a terminating pod continues to serve: until every proxy has removed its endpoint."""

GRACE_SECONDS: Final = 40
"""The time for the drain, the longest request and the shutdown of the app."""

NONROOT: Final = 65532
"""The unprivileged user of rootless images, as a number: Kubernetes cannot check a name."""

TOPOLOGY: Final = {"zone": "topology.kubernetes.io/zone", "node": "kubernetes.io/hostname"}

STARTUP: Final = {"timeoutSeconds": 2, "periodSeconds": 1, "failureThreshold": 120}
READINESS: Final = {"timeoutSeconds": 2, "periodSeconds": 2, "failureThreshold": 3}
LIVENESS: Final = {"timeoutSeconds": 2, "periodSeconds": 10, "failureThreshold": 6}
"""Slower than readiness: a busy pod is removed from load balancing, but not restarted."""


def spec(service: Service, name: str) -> Spec:
    """Return the spec of an unprivileged pod with a read-only root file system and an empty `/tmp`."""
    version = service.versions[name]
    spread = [_spread(each, {"app": service.app.name, "version": name}) for each in version.spread]
    return {
        "serviceAccountName": version.service_account or service.app.name,
        "automountServiceAccountToken": version.automount_service_account_token,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": NONROOT,
            "runAsGroup": NONROOT,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(service, name)],
        # Most runtimes need a writable directory for temporary files.
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": version.tmp}}],
    } | ({"topologySpreadConstraints": spread} if spread else {})


def _container(service: Service, name: str) -> Spec:
    app, version = service.app, service.versions[name]
    probes = version.probes
    # There is no default: a readiness path may depend on other services, and with their outage every pod
    # would be restarted (docs/decisions/0014).
    liveness = (
        {} if probes.liveness is None else {"livenessProbe": _probe(app.probe, LIVENESS, probes.liveness)}
    )
    return {
        "name": app.name,
        "image": service.image(name),
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"name": "http", "containerPort": app.port, "protocol": "TCP"}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": encode(version.resources),
        "startupProbe": _probe(app.probe, STARTUP, probes.startup),
        "readinessProbe": _probe(app.probe, READINESS, probes.readiness),
        **liveness,
        "lifecycle": {"preStop": {"sleep": {"seconds": DRAIN_SECONDS}}},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - the container's own
    } | _environment(version)


def _environment(pods: Pods) -> Spec:
    named = [
        {"name": name, "value": value}
        if isinstance(value, str)
        else {"name": name, "valueFrom": _reference(value)}
        for name, value in pods.env.items()
    ]
    sources = [_source(source) for source in pods.env_from]
    return ({"env": named} if named else {}) | ({"envFrom": sources} if sources else {})


def _reference(of: EnvReference) -> Spec:
    kind = "secretKeyRef" if of.secret else "configMapKeyRef"
    return {kind: {"name": of.secret or of.config_map, "key": of.key} | _optional(optional=of.optional)}


def _source(of: EnvSource) -> Spec:
    kind = "secretRef" if of.secret else "configMapRef"
    prefix = {"prefix": of.prefix} if of.prefix else {}
    return {kind: {"name": of.secret or of.config_map} | _optional(optional=of.optional)} | prefix


def _optional(*, optional: bool) -> Spec:
    return {"optional": True} if optional else {}


def _probe(path: str, usual: Spec, own: Probe) -> Spec:
    changed: Spec = encode(own)
    return (
        {"httpGet": {"path": changed.pop("path", path), "port": "http", "scheme": "HTTP"}} | usual | changed
    )


def _spread(spread: Spread, selector: dict[str, str]) -> Spec:
    return {
        "topologyKey": TOPOLOGY[spread.over],
        "maxSkew": spread.max_skew,
        "whenUnsatisfiable": "DoNotSchedule" if spread.required else "ScheduleAnyway",
        "labelSelector": {"matchLabels": selector},
        # Only pods of one rollout count; otherwise the old pods would influence where new ones are scheduled.
        "matchLabelKeys": ["pod-template-hash"],
    }

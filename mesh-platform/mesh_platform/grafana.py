"""Grafana with Istio's dashboards: from an image, from its public chart, or an existing one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import yaml

from mesh_platform.charts import Values, merged
from mesh_platform.mesh import SYSTEM, Mesh
from mesh_platform.observer import Observer
from mesh_platform.server import deployed, labels, service

NAME = "grafana"
PORT = 3000
USER = 472
DASHBOARDS = "/var/lib/grafana/dashboards"
PROVISIONING = "/etc/grafana/provisioning"

ENVIRONMENT = {
    # Anonymous users may read, and there is no login to change anything.
    "GF_AUTH_ANONYMOUS_ENABLED": "true",
    "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer",
    "GF_AUTH_DISABLE_LOGIN_FORM": "true",
    "GF_AUTH_BASIC_ENABLED": "false",
    # The chart would generate another password at every `up`.
    "GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION": "true",
    "GF_ANALYTICS_REPORTING_ENABLED": "false",
    "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
}


@dataclass(frozen=True, kw_only=True)
class Grafana(Observer):
    """The key `grafana`."""

    version: str = "9.2.2"
    """Of the public chart; the default is that of Istio 1.31's own addon."""
    dashboards: str = ""
    """The file `samples/addons/grafana.yaml` of an Istio release; its ConfigMaps have the dashboards."""

    def issues(self) -> list[str]:
        """Return contradictions in these settings, with their fixes."""
        found = super().issues()
        if not (self.url or self.folders()):
            found.append(
                f"dashboards: {self.dashboards!r} is no file with Istio's dashboards; "
                "use samples/addons/grafana.yaml of an Istio release"
            )
        return found

    def folders(self) -> Mapping[str, Mapping[str, str]]:
        """Return the dashboards by file name, for each ConfigMap."""
        path = Path(self.dashboards)
        found = yaml.safe_load_all(path.read_text(encoding="utf-8")) if path.is_file() else ()
        return {
            each["metadata"]["name"]: each["data"]
            for each in found
            if each and each["kind"] == "ConfigMap" and all(name.endswith(".json") for name in each["data"])
        }

    @property
    def query(self) -> str:
        """The URL that Kiali uses to reach Grafana."""
        return self.url or f"http://{NAME}.{SYSTEM}:{PORT}"


def install(wanted: Grafana, mesh: Mesh, prometheus: str) -> None:
    """Install Grafana unless there is one, and export its address.

    Args:
        wanted: its settings.
        mesh: where it is installed.
        prometheus: URL of what its dashboards show.
    """
    pulumi.export(NAME, wanted.address(NAME, PORT))
    if wanted.url:
        return
    folders = wanted.folders()
    maps = [_config_map(name, data, mesh) for name, data in folders.items()]
    if wanted.image:
        files = {"datasources.yaml": _sources(prometheus), "dashboards.yaml": _providers(folders)}
        text = {name: yaml.safe_dump(dict(content)) for name, content in files.items()}
        maps.append(_config_map(NAME, text, mesh))
        volumes = _volumes(folders)
        deployed(NAME, mesh, _container(wanted, folders), user=USER, volumes=volumes, after=tuple(maps))
        service(NAME, NAME, mesh, http=PORT)
    else:
        values = merged(_chart_values(folders, prometheus), wanted.values)
        wanted.chart(NAME, release=NAME, values=values, mesh=mesh, after=maps)


def _config_map(name: str, data: Mapping[str, str], mesh: Mesh) -> pulumi.Resource:
    metadata = {"name": name, "namespace": mesh.namespace, "labels": labels(NAME)}
    return kubernetes.core.v1.ConfigMap(name, metadata=metadata, data=data, opts=mesh.options())


def _sources(prometheus: str) -> Values:
    source = {"name": "Prometheus", "type": "prometheus", "access": "proxy", "isDefault": True}
    return {"apiVersion": 1, "datasources": [{**source, "url": prometheus}]}


def _providers(folders: Mapping[str, Any]) -> Values:
    return {
        "apiVersion": 1,
        "providers": [
            {"name": name, "folder": "Istio", "type": "file", "options": {"path": f"{DASHBOARDS}/{name}"}}
            for name in folders
        ],
    }


def _container(wanted: Grafana, folders: Mapping[str, Any]) -> dict[str, Any]:
    health = {"path": "/api/health", "port": "http"}
    mounts = [
        {"name": "data", "mountPath": "/var/lib/grafana"},
        {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108 (in the container, of its own)
    ]
    settings = (
        {"name": "settings", "mountPath": f"{PROVISIONING}/{kind}/{kind}.yaml", "subPath": f"{kind}.yaml"}
        for kind in ("datasources", "dashboards")
    )
    shown = ({"name": name, "mountPath": f"{DASHBOARDS}/{name}"} for name in folders)
    return {
        "image": wanted.image,
        "env": [{"name": name, "value": value} for name, value in ENVIRONMENT.items()],
        "ports": wanted.ports(http=PORT),
        "readinessProbe": {"httpGet": health, "periodSeconds": 2},
        "livenessProbe": {"httpGet": health, "periodSeconds": 15, "failureThreshold": 6},
        "resources": {"requests": {"cpu": "10m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
        "volumeMounts": [*mounts, *({**mount, "readOnly": True} for mount in (*settings, *shown))],
    }


def _volumes(folders: Mapping[str, Any]) -> list[dict[str, Any]]:
    scratch: list[dict[str, Any]] = [{"name": name, "emptyDir": {}} for name in ("data", "scratch")]
    mounted = [{"name": name, "configMap": {"name": name}} for name in folders]
    return [*scratch, {"name": "settings", "configMap": {"name": NAME}}, *mounted]


def _chart_values(folders: Mapping[str, Any], prometheus: str) -> Values:
    """Return the same settings as values of Grafana's chart."""
    return {
        "env": ENVIRONMENT,
        "datasources": {"datasources.yaml": _sources(prometheus)},
        "dashboardProviders": {"dashboardproviders.yaml": _providers(folders)},
        "dashboardsConfigMaps": {name: name for name in folders},
        "podLabels": {"sidecar.istio.io/inject": "false"},
        "testFramework": {"enabled": False},
        # It does not use the API server.
        "rbac": {"create": False},
        "automountServiceAccountToken": False,
        "service": {"port": PORT},
    }

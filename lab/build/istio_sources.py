"""Copies charts, Envoy's bootstrap, dashboards and the Gateway API out of Istio's modules."""

import hashlib
import shutil
from pathlib import Path

from lab.build.go import GoBuilder
from lab.build.parts import ISTIO
from lab.places import filled

ISTIO_MODULE = "istio.io/istio"
GATEWAY_API = "sigs.k8s.io/gateway-api"
"""In the version that Istio requires."""

FILES = {
    (ISTIO_MODULE, "manifests/charts/base"): "charts/base",
    (ISTIO_MODULE, "manifests/charts/istio-control/istio-discovery"): "charts/istiod",
    (ISTIO_MODULE, "manifests/charts/gateway"): "charts/gateway",
    (ISTIO_MODULE, "samples/addons/grafana.yaml"): "charts/grafana.yaml",
    (ISTIO_MODULE, "tools/packaging/common/envoy_bootstrap.json"): "envoy_bootstrap.json",
    (GATEWAY_API, "config/crd/standard"): "charts/gateway-api",
}
"""Module and path of each source, and its path in the cache, with the name that Istio publishes it by."""


def istio_sources(builder: GoBuilder) -> Path:
    """Return the folder with these files, of exactly the release that is built."""
    wanted = hashlib.sha256(repr(FILES).encode()).hexdigest()[:8]
    target = builder.cache / "istio" / f"{ISTIO.key}-{wanted}"
    if target.is_dir():
        return target
    with builder.progress.step("fetch Istio's charts"), filled(target) as folder:
        for (module, path), name in FILES.items():
            source = builder.module(ISTIO, module) / path
            (folder / name).parent.mkdir(exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, folder / name)
            else:
                shutil.copy(source, folder / name)
    return target

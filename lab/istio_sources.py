"""What the lab takes of Istio's module besides binaries: the Helm charts and Envoy's bootstrap template."""

import shutil
from pathlib import Path

from lab.gobuild import GoBuilder
from lab.parts import ISTIO
from lab.places import filled

MODULE = "istio.io/istio"
FILES = {
    "manifests/charts/base": "charts/base",
    "manifests/charts/istio-control/istio-discovery": "charts/istiod",
    "manifests/charts/gateway": "charts/gateway",
    "tools/packaging/common/envoy_bootstrap.json": "envoy_bootstrap.json",
}
"""Where it stands in the module, and where in the cache, under the name that Istio publishes it by."""


def istio_sources(builder: GoBuilder) -> Path:
    """The folder with these files, of exactly the release that is built."""
    target = builder.cache / "istio" / ISTIO.key
    if target.is_dir():
        return target
    with builder.progress.step("fetch Istio's charts"):
        module = builder.module(ISTIO, MODULE)
        with filled(target) as folder:
            for source, name in FILES.items():
                (folder / name).parent.mkdir(exist_ok=True)
                if (module / source).is_dir():
                    shutil.copytree(module / source, folder / name)
                else:
                    shutil.copy(module / source, folder / name)
    return target

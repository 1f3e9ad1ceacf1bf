"""Grafana, whose image the lab cannot have: the API server judges every object, and keeps none."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import CHECKOUT, Shell, lab

DASHBOARDS = CHECKOUT / ".lab/charts/grafana.yaml"
"""Istio's own, of the release that the lab runs."""
SHARED = ("Pulumi.yaml", "__main__.py", "mesh_platform")

Preview = Callable[[Path], str]


@pytest.fixture
def preview(tmp_path: Path) -> Iterator[Preview]:
    """Previews a stack with Grafana and these dashboards, beside a mesh that is there; what is said."""
    lab("up")
    folder = tmp_path / "mesh-platform"
    folder.mkdir()
    (tmp_path / ".venv").symlink_to(CHECKOUT / ".venv")
    for shared in SHARED:
        (folder / shared).symlink_to(CHECKOUT / "mesh-platform" / shared)
    shell = Shell(folder=folder)
    shell.run("pulumi stack select --create e2e-grafana")

    def run(dashboards: Path) -> str:
        config = {
            "kubernetes:context": "lab",
            "mesh-platform:grafana": {
                "image": "docker.io/grafana/grafana:12.0.1",
                "dashboards": str(dashboards),
            },
        }
        (folder / "Pulumi.e2e-grafana.yaml").write_text(yaml.safe_dump({"config": config}))
        return shell.run("pulumi preview --stack e2e-grafana --non-interactive", check=False).stdout

    yield run
    shell.run("pulumi stack rm e2e-grafana --yes")


def test_the_api_server_takes_grafana_with_istios_dashboards(preview: Preview) -> None:
    """Two ConfigMaps of dashboards as Istio has them, one of settings, the pod and its Service."""
    said = preview(DASHBOARDS)
    for name in ("istio-grafana-dashboards", "istio-services-grafana-dashboards", "grafana"):
        assert f"kubernetes:core/v1:ConfigMap {name} " in " ".join(said.split()) + " ", said
    assert "Deployment" in said
    assert "+ 7 to create" in said, said
    assert "error" not in said


def test_the_api_server_is_really_asked(preview: Preview, tmp_path: Path) -> None:
    """A ConfigMap that is larger than it allows stops the preview."""
    large = tmp_path / "grafana.yaml"
    metadata = {"name": "too-large"}
    data = {"large.json": "x" * 1_100_000}
    large.write_text(yaml.safe_dump({"kind": "ConfigMap", "metadata": metadata, "data": data}))
    said = preview(large)
    assert "too-large" in said
    assert "1048576" in said, said[-2000:]

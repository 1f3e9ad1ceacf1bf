from pathlib import Path

import pytest

from lab.build.go import GoBuilder
from lab.build.istio_sources import FILES, istio_sources
from lab.build.parts import ISTIO
from lab.progress import Progress


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """Istio's module as Go unpacks it, with more in it than is wanted."""
    for name in (*(path for _, path in FILES), "README.md"):
        path = tmp_path / "module" / name
        if path.suffix:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        else:
            path.mkdir(parents=True)
            (path / "Chart.yaml").write_text(name)
    return tmp_path / "module"


@pytest.fixture
def builder(tmp_path: Path, progress: Progress) -> GoBuilder:
    """A builder with an empty cache."""
    return GoBuilder(cache=tmp_path / "cache", progress=progress)


def test_charts_and_bootstrap_are_taken_once(
    builder: GoBuilder, module: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under the names that Istio publishes them by, of the release that is built; the module may go then."""
    asked: list[str] = []

    def download(_builder: GoBuilder, _part: object, name: str) -> Path:
        asked.append(name)
        return module

    monkeypatch.setattr(GoBuilder, "module", download)
    folder = istio_sources(builder)
    assert folder.parent == builder.cache / "istio"
    assert folder.name.startswith(ISTIO.key)
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == [
        "charts/base/Chart.yaml",
        "charts/gateway-api/Chart.yaml",
        "charts/gateway/Chart.yaml",
        "charts/grafana.yaml",
        "charts/istiod/Chart.yaml",
        "envoy_bootstrap.json",
    ]
    assert (
        folder / "charts/istiod/Chart.yaml"
    ).read_text() == "manifests/charts/istio-control/istio-discovery"
    assert istio_sources(builder) == folder
    assert set(asked) == {"istio.io/istio", "sigs.k8s.io/gateway-api"}
    assert len(asked) == len(FILES)


def test_half_a_module_leaves_nothing(
    builder: GoBuilder, module: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next `make up` begins again instead of deploying half of Istio."""
    (module / "tools/packaging/common/envoy_bootstrap.json").unlink()
    monkeypatch.setattr(GoBuilder, "module", lambda *_: module)
    with pytest.raises(FileNotFoundError):
        istio_sources(builder)
    assert list((builder.cache / "istio").iterdir()) == []

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lab.build import images, parts
from lab.build.image_archive import Entry, Image
from lab.build.images import Ingredients, catalogue, key

ROOT = Path(__file__).parents[3]


@pytest.fixture
def given(tmp_path: Path) -> Ingredients:
    """Folders with all that the images are made of."""
    for name in (
        "coredns/coredns",
        "istio/pilot-discovery",
        "istio/pilot-agent",
        "sources/envoy_bootstrap.json",
        "apps/springbootapp",
        "apps/pause",
        "load/load",
        "prometheus/prometheus",
        "kiali/kiali",
        "jaeger/all-in-one",
        "web/static/main.js",
        "proxy/usr/sbin/xtables-nft-multi",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return Ingredients(
        coredns=tmp_path / "coredns",
        istio=tmp_path / "istio",
        istio_sources=tmp_path / "sources",
        apps=tmp_path / "apps",
        load=tmp_path / "load",
        proxy_root=tmp_path / "proxy",
        observers={
            parts.PROMETHEUS: tmp_path / "prometheus",
            parts.KIALI: tmp_path / "kiali",
            parts.JAEGER: tmp_path / "jaeger",
        },
        kiali_web=tmp_path / "web",
    )


def by_name(given: Ingredients) -> dict[str, Image]:
    """The catalogue, by name."""
    return {image.name: image for image in catalogue(given, "amd64")}


def entries(image: Image) -> Iterator[Entry]:
    """All paths of an image."""
    for layer in image.layers:
        yield from layer


def test_the_walkthroughs_images_are_there(given: Ingredients) -> None:
    """The lab has the images of the dev stack, and each answers with its version."""
    stack = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["config"]
    repository = f"docker.io/{stack['mesh-app:app']['image']}"
    for version, settings in stack["mesh-app:versions"].items():
        image = by_name(given)[f"{repository}:{settings['tag']}"]
        assert image.environment == {"APP": "springbootapp", "VERSION": version}


def test_every_name_has_a_registry_and_a_tag(given: Ingredients) -> None:
    """A runtime finds images by their full names; it would pull an image with a short name."""
    found = catalogue(given, "amd64")
    assert len({image.name for image in found}) == len(found)
    for image in found:
        registry, _, rest = image.name.partition("/")
        assert registry == "docker.io"
        assert rest.rpartition(":")[2]


def test_every_entrypoint_is_in_its_image_and_executable(given: Ingredients) -> None:
    """No pod of the lab dies of `no such file or directory`."""
    for image in catalogue(given, "amd64"):
        command = {f"/{entry.path}": entry for entry in entries(image)}[image.entrypoint[0]]
        assert command.source is not None
        assert command.mode & 0o111 == 0o111


def test_only_the_proxy_starts_as_root(given: Ingredients) -> None:
    """Only the proxy's image runs as root, because Istio's init container needs it."""
    assert {name for name, image in by_name(given).items() if not image.user} == {images.PROXY}


def test_every_image_is_of_the_machines_architecture(given: Ingredients) -> None:
    """An image of another architecture would be imported and never run."""
    assert {image.architecture for image in catalogue(given, "arm64")} == {"arm64"}


def test_the_manifests_name_the_catalogues_images(given: Ingredients) -> None:
    """Cluster DNS and Istio are deployed with images that the lab has."""
    deployed = [
        container["image"]
        for path in (ROOT / "lab/node/manifests").glob("*.yaml")
        for document in yaml.safe_load_all(path.read_text())
        if document["kind"] == "Deployment"
        for container in document["spec"]["template"]["spec"]["containers"]
    ]
    assert deployed == [images.COREDNS]
    istio = yaml.safe_load((ROOT / "mesh-platform/Pulumi.lab.yaml").read_text())["config"]
    settings = istio["mesh-platform:istio"]["values"]["istiod"]["global"]
    for name in ("pilot", "proxyv2"):
        assert f"{settings['hub']}/{name}:{settings['tag']}" in by_name(given)
    assert set(deployed) <= set(by_name(given))
    metrics = yaml.safe_load((ROOT / "mesh-platform/Pulumi.metrics.yaml").read_text())["config"]
    assert metrics["mesh-platform:prometheus"]["image"] in by_name(given)
    observe = yaml.safe_load((ROOT / "mesh-platform/Pulumi.observe.yaml").read_text())["config"]
    for name in ("jaeger", "kiali"):
        assert observe[f"mesh-platform:{name}"]["image"] in by_name(given)


def test_an_observer_that_was_not_built_has_no_image(given: Ingredients) -> None:
    """`make up` neither builds nor loads the observers."""
    without = dataclasses.replace(given, observers={})
    observers = {images.PROMETHEUS, images.KIALI, images.JAEGER}
    assert not observers & by_name(without).keys()
    assert observers < by_name(given).keys()


def test_kialis_web_interface_is_in_its_image_for_anybody_to_read(given: Ingredients) -> None:
    """It is at the path of Kiali's configuration, and any user can read it."""
    console = [entry for entry in entries(by_name(given)[images.KIALI]) if "console" in entry.path]
    assert {(entry.path, entry.mode) for entry in console} == {
        ("opt/kiali/console/static", 0o755),
        ("opt/kiali/console/static/main.js", 0o644),
    }


def test_the_proxy_holds_the_pinned_envoy(given: Ingredients) -> None:
    """Envoy comes out of the wheel that requirements.lock pins."""
    (found,) = [
        entry for entry in entries(by_name(given)[images.PROXY]) if entry.path == "usr/local/bin/envoy"
    ]
    assert found.source == images.envoy()
    assert images.envoy().is_file()


def test_the_same_image_has_the_same_key(given: Ingredients) -> None:
    """An image that did not change is not imported again."""
    assert [key(image) for image in catalogue(given, "amd64")] == [
        key(image) for image in catalogue(given, "amd64")
    ]


def test_a_changed_source_changes_the_keys_of_its_images_only(given: Ingredients) -> None:
    """A new pilot-agent makes a new proxy image, and no new CoreDNS."""
    before = {name: key(image) for name, image in by_name(given).items()}
    os.utime(given.istio / "pilot-agent", (1, 1))
    after = {name: key(image) for name, image in by_name(given).items()}
    assert {name for name in before if before[name] != after[name]} == {images.PROXY}


@pytest.mark.parametrize(
    "change",
    [
        {"environment": {"VERSION": "v2"}},
        {"entrypoint": ["/app", "-v"]},
        {"user": "0:0"},
        {"architecture": "arm64"},
        {"layers": [[Entry(path="app", mode=0o700)]]},
        {"layers": [[Entry(path="app", link="/other")]]},
        {"layers": [[Entry(path="application")]]},
    ],
)
def test_whatever_changes_an_image_changes_its_key(change: dict[str, object]) -> None:
    """Not only the sources: what the image is made of, and how it runs."""
    image = Image(name="a:1", layers=[[Entry(path="app")]], entrypoint=["/app"])
    assert key(dataclasses.replace(image, **change)) != key(image)  # type: ignore[arg-type]  # fields as given

"""The peers' controllers: built from their Go modules, and installed by their own manifests."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import yaml

from bench.commands import Manifest, apply, kubectl
from lab.build import debian
from lab.build.go import GoBuilder
from lab.build.image_archive import Entry, Image
from lab.build.parts import Part
from lab.places import Places, filled
from lab.progress import Progress

CLUSTER_WIDE: Final = {"CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding"}


@dataclass(frozen=True)
class Controller:
    """A controller in the form of its public image, as controllers.yaml describes it."""

    part: Part
    module: str
    manifests: list[str]
    namespace: str
    image: str
    path: str
    user: str


def _controller(module: str) -> Controller:
    about = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text())[module]
    directory = Path(__file__).parents[1] / "modules" / module
    part = Part(name=about.pop("name"), directory=directory, packages=(about.pop("package"),))
    return Controller(part, **about)


ARGO: Final = _controller("argo-rollouts")
FLAGGER: Final = _controller("flagger")


@contextmanager
def installed(controller: Controller, *flags: str) -> Iterator[None]:
    """Run a controller from enter to exit, with flags besides those of its manifests."""
    binary, files = _build(controller)
    documents = [each for file in files for each in yaml.safe_load_all(file.read_text()) if each]
    objects = [_placed(each, controller, flags) for each in documents]
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": controller.namespace}}
    with _image(controller, binary):
        try:
            apply([namespace, *objects])
            where = f"--namespace={controller.namespace}"
            kubectl("wait", "deployments", "--all", where, "--for=condition=Available", "--timeout=120s")
            yield
        finally:
            for each in (namespace, *(each for each in objects if each["kind"] in CLUSTER_WIDE)):
                kubectl("delete", each["kind"], each["metadata"]["name"], "--ignore-not-found")


def _build(controller: Controller) -> tuple[Path, list[Path]]:
    """Return the controller's binary and manifests; what is not there is built.

    Raises:
        LabError: it cannot be built.
    """
    # A cache of its own: `lab up` frees the disk space of builds, in every build.
    builder = GoBuilder(cache=Places.of_this_machine().cache / "bench", progress=Progress())
    part = controller.part
    binary = builder.build(part) / part.binaries[0]
    manifests = builder.cache / "manifests" / f"{part.binaries[0]}-{part.key}"
    if not manifests.is_dir():
        with filled(manifests) as folder:
            source = builder.module(part, controller.module)
            for manifest in controller.manifests:
                shutil.copy(source / manifest, folder)
    builder.tidy()
    return binary, [manifests / Path(manifest).name for manifest in controller.manifests]


def _placed(manifest: Manifest, controller: Controller, flags: tuple[str, ...]) -> Manifest:
    """Put an object into the controller's namespace, and the image of this machine into its pods."""
    if manifest["kind"] not in CLUSTER_WIDE:
        manifest["metadata"]["namespace"] = controller.namespace
    for subject in manifest.get("subjects", ()):
        subject["namespace"] = controller.namespace
    if manifest["kind"] == "Deployment":
        (container,) = manifest["spec"]["template"]["spec"]["containers"]
        container |= {"image": controller.image, "imagePullPolicy": "IfNotPresent"}
        # Flagger's run a command of its base image, which this image, the program alone, does not have.
        probes = [name for name in ("livenessProbe", "readinessProbe") if "exec" in container[name]]
        container |= {name: {"httpGet": {"path": "/healthz", "port": "http"}} for name in probes}
        words: list[Any] = container.get("command", [])
        container["command" if words else "args"] = [*words, *flags]
    return manifest


@contextmanager
def _image(controller: Controller, binary: Path) -> Iterator[None]:
    """Import the image into the lab's container runtime, and remove it at the end."""
    places = Places.of_this_machine()
    root = debian.Packages(cache=places.cache, progress=Progress()).directory("node", debian.NODE)
    socket = places.state / "containerd/run/containerd.sock"
    ctr = (str(root / "usr/bin/ctr"), "--address", str(socket), "--namespace", "k8s.io", "images")
    layers = [[Entry(path=controller.path, source=binary)]]
    entrypoint = [f"/{controller.path}"]
    image = Image(name=controller.image, layers=layers, entrypoint=entrypoint, user=controller.user)
    with TemporaryDirectory() as scratch:
        archive = Path(scratch) / "image.tar"
        image.write(archive)
        subprocess.run([*ctr, "import", "--no-unpack", str(archive)], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run([*ctr, "rm", controller.image], check=True, capture_output=True)

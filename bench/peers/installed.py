"""A peer's controller on the lab: a pod of its own image, by its own manifests, as its documentation says."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import yaml

from bench.kubectl import apply, kubectl
from bench.peers.programs import Program, built
from lab.build import debian
from lab.build.image_archive import Entry, Image
from lab.places import Places
from lab.progress import Progress
from operations.kube.manifests import Manifest

CLUSTER_WIDE: Final = {"CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding"}
READY: Final = "--timeout=120s"


@contextmanager
def installed(program: Program, *flags: str) -> Iterator[None]:
    """Have a controller run from enter to exit.

    Args:
        program: which one.
        flags: what its command says in addition.
    """
    binary, files = built(program)
    objects = [_placed(each, program, flags) for file in files for each in _read(file)]
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": program.namespace}}
    with _image(program, binary):
        try:
            apply([namespace, *objects])
            where = f"--namespace={program.namespace}"
            kubectl("wait", "deployments", "--all", where, "--for=condition=Available", READY)
            yield
        finally:
            cluster_wide = [each for each in objects if each["kind"] in CLUSTER_WIDE]
            for each in (namespace, *cluster_wide):
                kubectl("delete", each["kind"], each["metadata"]["name"], "--ignore-not-found")


def _read(file: Path) -> list[Manifest]:
    return [each for each in yaml.safe_load_all(file.read_text()) if each]


def _placed(manifest: Manifest, program: Program, flags: tuple[str, ...]) -> Manifest:
    """Put an object into the controller's namespace, and the image of this machine into its pods."""
    if manifest["kind"] not in CLUSTER_WIDE:
        manifest["metadata"]["namespace"] = program.namespace
    for subject in manifest.get("subjects", ()):
        subject["namespace"] = program.namespace
    if manifest["kind"] == "Deployment":
        (container,) = manifest["spec"]["template"]["spec"]["containers"]
        container |= {"image": program.image, "imagePullPolicy": "IfNotPresent"}
        # Flagger's are a command of its base image's, which this image, the program alone, does not have.
        probes = [name for name in ("livenessProbe", "readinessProbe") if "exec" in container[name]]
        container |= {name: {"httpGet": {"path": "/healthz", "port": "http"}} for name in probes}
        words: list[Any] = container.get("command", [])
        container["command" if words else "args"] = [*words, *flags]
    return manifest


@contextmanager
def _image(program: Program, binary: Path) -> Iterator[None]:
    """Have the lab's container runtime hold the image."""
    places = Places.of_this_machine()
    root = debian.Packages(cache=places.cache, progress=Progress()).directory("node", debian.NODE)
    socket = places.state / "containerd/run/containerd.sock"
    ctr = (str(root / "usr/bin/ctr"), "--address", str(socket), "--namespace", "k8s.io", "images")
    layers = [[Entry(path=program.path, source=binary)]]
    image = Image(name=program.image, layers=layers, entrypoint=[f"/{program.path}"], user=program.user)
    with TemporaryDirectory() as scratch:
        archive = Path(scratch) / "image.tar"
        image.write(archive)
        subprocess.run([*ctr, "import", "--no-unpack", str(archive)], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run([*ctr, "rm", program.image], check=True, capture_output=True)

"""How the program's time grows with its services, beside a flat program that declares the same resources."""

import json
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from operations.declared import declare
from operations.project import Project
from operations.recording import Resource

CHECKOUT = Path(__file__).resolve().parent.parent
SHARED = ("Pulumi.yaml", "__main__.py", "components", ".venv")
VERSIONS = {"v1": {"tag": "1.0"}, "v2": {"tag": "1.1"}, "v3": {"tag": "2.0"}}
SIZES = (1, 10, 50, 200)
ROUNDS = 3
"""Pairs of previews for each size; the median of the ratios is told."""
PREVIEW_SECONDS = 600

INPUTS = {
    "metadata": "metadata",
    "spec": "spec",
    "automountServiceAccountToken": "automount_service_account_token",
}
"""The inputs that the resources have, as Python writes them."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """The figures of one size; seconds are medians."""

    services: int
    resources: int
    components: float
    flat: float
    ratio: float


def measure() -> Iterator[Row]:
    """Preview stacks of every size in turn with a flat program of the same resources."""
    for size in SIZES:
        with _projects(size) as (program, flat, count):
            pairs = [(_preview(program), _preview(flat)) for _ in range(ROUNDS)]
        yield Row(
            services=size,
            resources=count,
            components=statistics.median(own for own, _ in pairs),
            flat=statistics.median(other for _, other in pairs),
            ratio=statistics.median(own / other for own, other in pairs),
        )


def settings(services: int) -> dict[str, object]:
    """A stack file with so many services of three versions each."""
    names = [f"shop{number}" for number in range(services)]
    return {
        "kubernetes:context": "lab",
        "pulumi:disable-default-providers": ["kubernetes"],
        "mesh-app:namespace": {"name": "bench-scale"},
        "mesh-app:ingress": {"address": "127.0.0.1"},
        "mesh-app:services": {
            name: {
                "app": {"image": "lab/orders", "port": 9090, "probe": "/healthz"},
                "versions": VERSIONS,
                "weights": {"v1": 90, "v2": 10},
                "gateway": {"hosts": [f"{name}.example.com"]},
            }
            for name in names
        },
    }


@contextmanager
def _projects(services: int) -> Iterator[tuple[Path, Path, int]]:
    """The folder of the program, the folder of the flat one, and how many resources both declare."""
    with TemporaryDirectory() as scratch:
        program, flat = Path(scratch) / "program", Path(scratch) / "flat"
        program.mkdir()
        for name in SHARED:
            (program / name).symlink_to(CHECKOUT / name)
        (program / "Pulumi.bench.yaml").write_text(yaml.safe_dump({"config": settings(services)}))
        shutil.copytree(CHECKOUT / "bench/flat", flat)
        (flat / ".venv").symlink_to(CHECKOUT / ".venv")
        made = [each for each in declare(Project.at(program), "bench") if each.custom and not each.read]
        objects = [_flat(each) for each in made if not each.type.startswith("pulumi:")]
        (flat / "objects.json").write_text(json.dumps(objects))
        for folder in (program, flat):
            _pulumi(folder, "stack", "select", "--create", "bench")
        try:
            yield program, flat, len(objects)
        finally:
            for folder in (program, flat):
                _pulumi(folder, "stack", "rm", "--yes", "--preserve-config", "bench")


def _flat(resource: Resource) -> dict[str, object]:
    inputs = {INPUTS[key]: value for key, value in resource.inputs.items() if key in INPUTS}
    kind = resource.type.rpartition(":")[2]
    if ".istio.io/" in resource.type:
        inputs["api_version"] = resource.inputs["apiVersion"]
    return {"kind": kind, "name": resource.name, "inputs": inputs}


def _preview(folder: Path) -> float:
    began = time.monotonic()
    _pulumi(folder, "preview", "--stack", "bench", "--non-interactive", "--suppress-outputs")
    return time.monotonic() - began


def _pulumi(folder: Path, *words: str) -> None:
    subprocess.run(["pulumi", *words], cwd=folder, check=True, capture_output=True, timeout=PREVIEW_SECONDS)

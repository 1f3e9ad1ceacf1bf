"""How the program's time grows with its services, beside a flat program that declares the same resources."""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.projects import make_flat, make_program, pulumi, write_stack
from operations.pulumi_stack.program import declare
from operations.pulumi_stack.project import Project

VERSIONS = {"v1": {"tag": "1.0"}, "v2": {"tag": "1.1"}, "v3": {"tag": "2.0"}}
SIZES = (1, 10, 50, 200)
ROUNDS = 3
"""Pairs of previews for each size; the median of the ratios is told."""


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
        "namespace": {"name": "bench-scale"},
        "ingress": {"address": "127.0.0.1"},
        "services": {
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
        make_program(program)
        write_stack(program, "bench", settings(services))
        objects = make_flat(flat, declare(Project.at(program), "bench"))
        for folder in (program, flat):
            pulumi(folder, "stack", "select", "--create", "bench")
        try:
            yield program, flat, len(objects)
        finally:
            for folder in (program, flat):
                pulumi(folder, "stack", "rm", "--yes", "--preserve-config", "bench")


def _preview(folder: Path) -> float:
    began = time.monotonic()
    pulumi(folder, "preview", "--stack", "bench", "--suppress-outputs")
    return time.monotonic() - began

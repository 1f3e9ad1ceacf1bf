"""The program's time at growing numbers of services, beside a flat program of the same resources."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from bench.stack import Stack

SIZES: Final = (1, 10, 50, 200)
ROUNDS: Final = 3
COLUMNS: Final = ("services", "resources", "program, s", "flat program, s", "ratio")
SERVICE: Final = {
    "app": {"image": "lab/orders", "port": 9090, "probe": "/healthz"},
    "versions": {"v1": {"tag": "1.0"}, "v2": {"tag": "1.1"}, "v3": {"tag": "2.0"}},
    "weights": {"v1": 90, "v2": 10},
}


def measure() -> Iterator[tuple[int, int, str, str, str]]:
    """Preview stacks of every size in turn with a flat program of the same resources; returns table rows."""
    for size in SIZES:
        with _stacks(size) as (program, flat, count):
            pairs = [(_preview(program), _preview(flat)) for _ in range(ROUNDS)]
        own, other = (median(seconds) for seconds in zip(*pairs, strict=True))
        ratio = median(one / another for one, another in pairs)
        yield size, count, f"{own:.1f}", f"{other:.1f}", f"{ratio:.2f}"


@contextmanager
def _stacks(services: int) -> Iterator[tuple[Stack, Stack, int]]:
    """The program's stack, the flat one, and the number of resources that both declare."""
    names = [f"shop{number}" for number in range(services)]
    settings = {
        "namespace": {"name": "bench-scale"},
        "ingress": {"address": "127.0.0.1"},
        "services": {name: {**SERVICE, "gateway": {"hosts": [f"{name}.example.com"]}} for name in names},
    }
    with TemporaryDirectory() as scratch:
        program = Stack.at(Path(scratch) / "program", "bench", settings)
        objects = program.manifests()
        flat = Stack.flat(Path(scratch) / "flat", "bench", objects)
        for stack in (program, flat):
            stack.create()
        try:
            yield program, flat, len(objects)
        finally:
            for stack in (program, flat):
                stack.pulumi("stack", "rm", "--yes", "--preserve-config")


def _preview(stack: Stack) -> float:
    started = time.monotonic()
    stack.pulumi("preview", "--suppress-outputs")
    return time.monotonic() - started

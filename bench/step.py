"""The time of a step of weights, from the decision until Envoy sends the new split, beside other tools.

Every tool changes the same object of the same service, in turn, in one run; the moment is taken from answers.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.answers import Answer, change_of_share
from bench.changes import APP, base
from bench.commands import Manifest, apply, delete_namespace, kubectl, patch
from bench.load import INGRESS, Load
from bench.results import markdown
from bench.stack import Stack, deployed

PROGRAM, FLAT, KUBECTL = "bench-step", "bench-step-flat", "bench-step-kubectl"
"""Namespaces of the three copies of the service, and names of the two stacks."""
RATE: Final = 200
ROUNDS: Final = 8
LOW, HIGH = 10, 90
"""Weights of v2: few answers distinguish them, and neither is 0, which a version has to be ready for."""
MARGIN_SECONDS: Final = 1.0
"""Of answers before the decision and after the end, so that both splits are seen."""
SETTINGS: Final = {
    "versions": {"v1": {"tag": "42"}, "v2": {"tag": "43"}},
    "weights": {"v1": 100 - LOW, "v2": LOW},
    "metrics": {"prometheus": "istio-system/prometheus:9090"},
    "canary": {
        "steps": [LOW, HIGH],
        "hold": "5s",  # the shortest that has time for the preparations of the next step
        "interval": "5s",
        "warmUp": "0s",
        "minRequests": 20,
        "checks": [{"successRate": {"atLeast": 50}}],
    },
}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step by one tool: seconds from the decision to the new split, and to the tool's end."""

    tool: str
    split: float
    end: float


def measure(folder: Path, rounds: int) -> Iterator[Step]:
    """Measure a step of each tool in turn, so that anything else on the machine meets them alike."""
    with _copies(folder) as (program, flat, objects):
        tools: dict[str, tuple[str, Callable[[int], None]]] = {
            "`kubectl patch`": (KUBECTL, _patch),
            "flat program, `pulumi up`": (FLAT, partial(_flat, flat, objects)),
            "this program, `pulumi up`": (PROGRAM, partial(_up, program)),
        }
        for nth in range(rounds):
            before, after = (HIGH, LOW) if nth % 2 else (LOW, HIGH)
            for name, (namespace, give) in tools.items():
                give(before)
                with _load(namespace) as load:
                    time.sleep(MARGIN_SECONDS)
                    decided = time.time()
                    give(after)
                    ended = time.time()
                    time.sleep(MARGIN_SECONDS)
                yield _step(name, load.report.each, (before, after), (decided, ended))
            yield _canary(program)


def table(steps: Sequence[Step]) -> Iterator[str]:
    """Write a line for each tool."""
    by_tool: dict[str, list[Step]] = {}
    for each in steps:
        by_tool.setdefault(each.tool, []).append(each)
    by_kubectl, by_flat, *_ = by_tool.values()

    def line(tool: str, steps: Sequence[Step]) -> Iterator[str]:
        splits = [each.split for each in steps]
        yield from (tool, f"{median(splits):.2f}", f"{min(splits):.2f} to {max(splits):.2f}")
        for others, digits in ((by_kubectl, 1), (by_flat, 2)):
            ratio = median(one.split / other.split for one, other in zip(steps, others, strict=True))
            yield f"{ratio:.{digits}f}"
        yield f"{median(each.end for each in steps):.2f}"

    columns = (
        "way",
        "to new split, s",
        "least to most",
        "by kubectl's",
        "by the flat program's",
        "to its end, s",
    )
    return markdown(columns, [list(line(tool, found)) for tool, found in by_tool.items()])


@contextmanager
def _copies(parent: Path) -> Iterator[tuple[Stack, Stack, list[Manifest]]]:
    """One service three times: a stack of this program, a flat stack with its objects, and kubectl's."""
    copies = [Stack.at(parent / "program", each, base(each) | SETTINGS) for each in (PROGRAM, FLAT, KUBECTL)]
    objects, applied = (each.manifests() for each in copies[1:])
    with ExitStack() as cleanup:
        program = cleanup.enter_context(deployed(copies[0]))
        flat = cleanup.enter_context(deployed(Stack.flat(parent / "flat", FLAT, objects)))
        cleanup.callback(delete_namespace, KUBECTL)
        apply(applied)
        kubectl("wait", "--for=condition=Available", "deployments", "--all", f"--namespace={KUBECTL}")
        yield program, flat, objects


def _load(namespace: str) -> Load:
    return Load(INGRESS, rate=RATE, host=f"{namespace}.example.com", slow=False, each=True)


def _step(
    tool: str, answers: Sequence[Answer], weights: tuple[int, int], moments: tuple[float, float]
) -> Step:
    """Find the moment of the new split among the answers between the decision and the end."""
    decided, ended = moments
    if failed := [each.status for each in answers if not each.good]:
        message = f"{tool}: {len(failed)} of {len(answers)} requests failed, the first with {failed[0]}"
        raise RuntimeError(message)
    within = [each for each in answers if decided - MARGIN_SECONDS <= each.at <= ended + MARGIN_SECONDS]
    moment = change_of_share(within, "v2", *(weight / 100 for weight in weights))
    return Step(tool=tool, split=moment - decided, end=ended - decided)


def _patch(weight: int) -> None:
    change = [{"op": "replace", "path": "/spec/http/0/route", "value": _route(weight)}]
    patch(f"virtualservice/{APP['name']}", KUBECTL, change)


def _flat(stack: Stack, objects: list[Manifest], weight: int) -> None:
    (routes,) = (each for each in objects if each["kind"] == "VirtualService")
    routes["spec"]["http"][0]["route"] = _route(weight)
    stack.declare(objects)
    stack.up()


def _up(stack: Stack, weight: int) -> None:
    stack.configure(weights={"v1": 100 - weight, "v2": weight})
    stack.up()


def _canary(stack: Stack) -> Step:
    """Run a whole canary, and measure its step from the lower weight to the higher one."""
    _up(stack, 0)
    report = stack.folder / "report"
    with _load(PROGRAM) as load:
        stack.operations("canary", "--to", "v2", "--yes", "--report", str(report))
    events = json.loads((report / "report.json").read_text())["events"]
    of_step = [nth for nth, each in enumerate(events) if each.get("step") == 1]
    moments = events[of_step[0] - 1]["time"], events[of_step[1]]["time"]
    return _step("a step of `operations canary`", load.report.each, (LOW, HIGH), moments)


def _route(weight: int) -> list[dict[str, Any]]:
    weights = {"v1": 100 - weight, "v2": weight}
    return [
        {"destination": {"host": APP["name"], "subset": version}, "weight": share}
        for version, share in weights.items()
    ]

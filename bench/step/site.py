"""One service three times on the lab: a stack of this program, a flat stack, and what kubectl applied."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.kubectl import kubectl
from bench.projects import host, make_flat, make_program, pulumi, write_stack
from operations.kube.manifests import as_yaml, manifests
from operations.pulumi_stack.program import declare
from operations.pulumi_stack.project import Project
from tests.e2e import changes

NAMES: Final = ("bench-step", "bench-step-flat", "bench-step-kubectl")
"""Namespaces and stacks: the program's, the flat one's, kubectl's."""
APP: Final = str(changes.APP["name"])
SHARE: Final = 10
"""What v2 has at the beginning, in percent."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """All three; `Host` is a namespace's name below example.com."""

    folder: Path
    """The program's."""
    flat: Path
    objects: list[dict[str, Any]]
    """What the flat program declares."""
    url: str


@contextmanager
def site(parent: Path) -> Iterator[Site]:
    """Bring all three up, and take them away at the end."""
    folder, flat = parent / "program", parent / "flat"
    make_program(folder)
    for name in NAMES:
        write_stack(folder, name, settings(name))
    own, beside, by_hand = NAMES
    project = Project.at(folder)
    objects = make_flat(flat, declare(project, beside))
    stacks = ((folder, own), (flat, beside))
    try:
        for where, name in stacks:
            pulumi(where, "stack", "select", "--create", name)
            pulumi(where, "up", "--yes", "--skip-preview", "--stack", name)
        applied = as_yaml(manifests(declare(project, by_hand)))
        kubectl("apply", "--server-side", "--filename=-", stdin=applied)
        kubectl("wait", "--for=condition=Available", "deployments", "--all", f"--namespace={by_hand}")
        url = pulumi(folder, "stack", "output", "url", "--stack", own).strip()
        yield Site(folder=folder, flat=flat, objects=objects, url=url)
    finally:
        for where, name in stacks:
            pulumi(where, "destroy", "--yes", "--skip-preview", "--stack", name)
            pulumi(where, "stack", "rm", "--yes", "--preserve-config", name)
        kubectl("delete", "namespace", by_hand, "--ignore-not-found")


def settings(name: str) -> dict[str, object]:
    """The stack file of a copy: two versions, everything else as it is by default."""
    return {
        "namespace": {"name": name},
        "app": changes.APP,
        "versions": {"v1": {"tag": "42"}, "v2": {"tag": "43"}},
        "weights": {"v1": 100 - SHARE, "v2": SHARE},
        "gateway": {"hosts": [host(name)]},
        "ingress": {"address": "127.0.0.1"},
        # A canary has to name one; in a step nobody asks it.
        "metrics": {"prometheus": "istio-system/prometheus:9090"},
    }

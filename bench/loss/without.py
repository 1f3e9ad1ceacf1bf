"""The program without one of the mechanisms that keep requests from being lost."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.e2e.conftest import CHECKOUT


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A piece of a file of the program, and what takes its place."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class Without:
    """One mechanism, and the changes that need it."""

    name: str
    edits: Sequence[Edit]
    changes: Sequence[str]


ADDED: Final = "a version added with its first weight, removed with 50 %"
RESTART: Final = "kubectl rollout restart"

NO_HANDOVER: Final = Edit(
    file="components/rollout/handover.py", old="if is_outside_engine():", new="if True:"
)
NO_PAUSE: Final = Edit(
    file="components/manifests/pod.py",
    old='        "lifecycle": {"preStop": {"sleep": {"seconds": DRAIN_SECONDS}}},\n',
    new="",
)
NO_DRAIN: Final = Edit(
    file="components/manifests/deployment.py",
    old=', "proxyMetadata": {"EXIT_ON_ZERO_ACTIVE_CONNECTIONS": "true"}',
    new="",
)
NO_SURGE: Final = Edit(
    file="components/manifests/deployment.py",
    old='{"maxUnavailable": 0, "maxSurge": 1}',
    new='{"maxUnavailable": 1, "maxSurge": 0}',
)
ONE_RULE: Final = (
    Edit(
        file="components/resources/traffic_policy.py",
        old="                pods,\n                kept=",
        new="                [each for pods in workloads.values() for each in pods],\n                kept=",
    ),
    Edit(
        file="components/resources/traffic_policy.py",
        old="            for version, pods in workloads.items()\n        ]\n",
        new="            for version in list(workloads)[:1]\n        ]\n",
    ),
    Edit(
        file="components/manifests/destination_rule.py",
        old='"subsets": [subset | ({"trafficPolicy": policy} if policy else {})],\n',
        new='"subsets": [{"name": each, "labels": {**subset["labels"], "version": each}} '
        "for each in service.versions],\n",
    ),
)

MECHANISMS: Final = (
    Without(name="a DestinationRule for each version: one for all", edits=ONE_RULE, changes=[ADDED]),
    Without(name="the pods' pause before they end (preStop)", edits=[NO_PAUSE], changes=[RESTART]),
    Without(name="the handover", edits=[NO_HANDOVER], changes=[ADDED]),
    Without(name="pause and sidecar that stays", edits=[NO_PAUSE, NO_DRAIN], changes=[RESTART]),
    Without(name="the sidecar that stays for the last answer", edits=[NO_DRAIN], changes=[RESTART]),
    Without(name="successors first: maxUnavailable 1, maxSurge 0", edits=[NO_SURGE], changes=[RESTART]),
)


@contextmanager
def without(mechanism: Without | None, folder: Path) -> Iterator[None]:
    """Let a project folder have a copy of the program without the mechanism, and then the program again."""
    if mechanism is None:
        yield
        return
    components = folder / "components"
    components.unlink()
    shutil.copytree(CHECKOUT / "components", components)
    for edit in mechanism.edits:
        file = folder / edit.file
        text = file.read_text()
        if edit.old not in text:
            message = f"{edit.file} has no more what `without {mechanism.name}` takes away: {edit.old}"
            raise RuntimeError(message)
        file.write_text(text.replace(edit.old, edit.new))
    yield
    shutil.rmtree(components)
    components.symlink_to(CHECKOUT / "components")

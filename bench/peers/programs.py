"""The peers' controllers and the manifests they are installed by: both from their Go modules."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.build.go import GoBuilder
from lab.build.parts import Part
from lab.places import Places, filled
from lab.progress import Progress

MODULES: Final = Path(__file__).parents[1] / "modules"


@dataclass(frozen=True, kw_only=True)
class Program:
    """One of them, in the form of its public image."""

    part: Part
    module: str
    manifests: tuple[str, ...]
    """Files of the module that install it."""
    namespace: str
    """Where they are applied."""
    image: str
    path: str
    """Where the image has the program."""
    user: str

    @property
    def name(self) -> str:
        """What people call it, with its version."""
        return self.part.name


ARGO: Final = Program(
    part=Part(
        name="Argo Rollouts v1.8.3",
        directory=MODULES / "argo-rollouts",
        packages=("github.com/argoproj/argo-rollouts/cmd/rollouts-controller",),
    ),
    module="github.com/argoproj/argo-rollouts",
    manifests=("manifests/install.yaml",),
    # Its ClusterRoleBinding names this one.
    namespace="argo-rollouts",
    image="quay.io/argoproj/argo-rollouts:v1.8.3",
    path="bin/rollouts-controller",
    user="999",
)
FLAGGER: Final = Program(
    part=Part(
        name="Flagger v1.36.1",
        directory=MODULES / "flagger",
        packages=("github.com/fluxcd/flagger/cmd/flagger",),
    ),
    module="github.com/fluxcd/flagger",
    manifests=(
        "artifacts/flagger/crd.yaml",
        "artifacts/flagger/account.yaml",
        "artifacts/flagger/deployment.yaml",
    ),
    namespace="bench-flagger",
    image="ghcr.io/fluxcd/flagger:1.36.1",
    path="flagger",
    user="10001",
)


def built(program: Program) -> tuple[Path, list[Path]]:
    """Find a controller's binary and its manifests, making first what is not there.

    Raises:
        LabError: it cannot be built.
    """
    # Of its own: `lab up` gives back the disk that building took, whoever builds.
    builder = GoBuilder(cache=Places.of_this_machine().cache / "bench", progress=Progress())
    binary = builder.build(program.part) / program.part.binaries[0]
    kept = builder.cache / "manifests" / f"{program.part.binaries[0]}-{program.part.key}"
    if not kept.is_dir():
        with filled(kept) as folder:
            source = builder.module(program.part, program.module)
            for manifest in program.manifests:
                shutil.copy(source / manifest, folder)
    builder.tidy()
    return binary, [kept / Path(manifest).name for manifest in program.manifests]

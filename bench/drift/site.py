"""The stacks of the catalogue on the lab, each in a project folder of its own."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from bench.drift.catalogue import stacks
from bench.drift.hands import Hands
from bench.projects import make_program, pulumi, run_pulumi, write_stack
from operations.drift.check import Declared
from operations.kube.manifests import as_yaml
from operations.pulumi_stack.project import Project

DIFF_SECONDS: Final = 600


@dataclass(frozen=True, kw_only=True)
class Site:
    """One stack."""

    name: str
    folder: Path
    wanted: Declared
    hands: Hands

    @classmethod
    def up(cls, name: str, parent: Path) -> Self:
        """`pulumi up` of a stack of the catalogue; it may be there already."""
        folder = parent / name
        make_program(folder)
        settings = stacks()[name]
        stack = settings["namespace"]["name"]
        write_stack(folder, stack, settings)
        pulumi(folder, "stack", "select", "--create", stack)
        pulumi(folder, "up", "--yes", "--skip-preview", "--stack", stack)
        wanted = Declared.by(Project.at(folder), stack)
        return cls(
            name=stack,
            folder=folder,
            wanted=wanted,
            hands=Hands(namespace=stack, declared=wanted.manifests),
        )

    @property
    def project(self) -> Project:
        """Its project."""
        return Project.at(self.folder)

    def refresh_code(self) -> int:
        """The exit code of Pulumi's own search for drift."""
        words = ("refresh", "--preview-only", "--expect-no-changes", "--run-program", "--stack", self.name)
        return run_pulumi(self.folder, *words).returncode

    def kubectl_code(self) -> int:
        """The exit code of kubectl's comparison with what the program renders."""
        words = ("diff", "--server-side", "--force-conflicts", "--field-manager=pulumi", "--filename=-")
        done = subprocess.run(
            ["kubectl", *words],
            input=as_yaml(self.wanted.manifests),
            capture_output=True,
            text=True,
            check=False,
            timeout=DIFF_SECONDS,
        )
        return done.returncode

    def down(self) -> None:
        """Take the stack away."""
        pulumi(self.folder, "destroy", "--yes", "--skip-preview", "--stack", self.name)
        pulumi(self.folder, "stack", "rm", "--yes", "--stack", self.name)

"""The stacks of the catalogue on the lab, each in a project folder of its own."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import yaml

from bench.drift.catalogue import stacks
from bench.drift.hands import Hands
from operations.drift.checking import Declared
from operations.manifests import as_yaml
from operations.project import Project

CHECKOUT: Final = Path(__file__).resolve().parents[2]
SHARED: Final = ("Pulumi.yaml", "__main__.py", "components", "requirements.txt", ".venv")
PULUMI_SECONDS: Final = 600


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
        folder.mkdir(parents=True, exist_ok=True)
        for shared in SHARED:
            if not (folder / shared).exists():
                (folder / shared).symlink_to(CHECKOUT / shared)
        settings = stacks()[name]
        stack = settings["namespace"]["name"]
        config = {"kubernetes:context": "lab", "pulumi:disable-default-providers": ["kubernetes"]}
        config |= {f"mesh-app:{key}": value for key, value in settings.items()}
        file = folder / f"Pulumi.{stack}.yaml"
        salt = yaml.safe_load(file.read_text()).get("encryptionsalt") if file.exists() else None
        document = {**({"encryptionsalt": salt} if salt else {}), "config": config}
        file.write_text(yaml.safe_dump(document))
        _pulumi(folder, "stack", "select", "--create", stack)
        _pulumi(folder, "up", "--yes", "--skip-preview", "--stack", stack)
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
        return _pulumi(
            self.folder,
            *("refresh", "--preview-only", "--expect-no-changes", "--run-program", "--stack", self.name),
            check=False,
        )

    def kubectl_code(self) -> int:
        """The exit code of kubectl's comparison with what the program renders."""
        words = ("diff", "--server-side", "--force-conflicts", "--field-manager=pulumi", "--filename=-")
        done = subprocess.run(
            ["kubectl", *words],
            input=as_yaml(self.wanted.manifests),
            capture_output=True,
            text=True,
            check=False,
            timeout=PULUMI_SECONDS,
        )
        return done.returncode

    def down(self) -> None:
        """Take the stack away."""
        _pulumi(self.folder, "destroy", "--yes", "--skip-preview", "--stack", self.name)
        _pulumi(self.folder, "stack", "rm", "--yes", "--stack", self.name)


def _pulumi(folder: Path, *words: str, check: bool = True) -> int:
    done = subprocess.run(
        ["pulumi", *words, "--non-interactive"],
        cwd=folder,
        env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
        capture_output=True,
        text=True,
        check=False,
        timeout=PULUMI_SECONDS,
    )
    if check and done.returncode:
        message = f"pulumi {' '.join(words)}: {done.stdout}{done.stderr}"
        raise RuntimeError(message)
    return done.returncode

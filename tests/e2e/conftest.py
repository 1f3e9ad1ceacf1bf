"""The lab for end-to-end tests: started if it does not run, and used by the commands of a user."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
COMMAND_SECONDS = 600
"""The longest time for a command; the slowest is a `pulumi up` that waits for pods."""

PROJECT_FILES = ("Pulumi.yaml", "__main__.py", "components", "requirements.txt", ".venv")
"""What a project folder with stack files of its own shares with the checkout."""


@dataclass(frozen=True, kw_only=True)
class Shell:
    """A shell in a folder, after `source .lab/env`."""

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    """Override those of `.lab/env`."""

    @property
    def prelude(self) -> str:
        """The commands before each command line."""
        own = (f"export {name}={shlex.quote(value)}" for name, value in self.variables.items())
        return " && ".join([f"source {CHECKOUT}/.lab/env", *own])

    def run(self, command: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command line; unless `check` is false, a failure fails the test and shows the output."""
        done = subprocess.run(
            ["bash", "-c", f"{self.prelude} && {command}"],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        if check and done.returncode:
            pytest.fail(f"`{command}` ended with {done.returncode}:\n{done.stdout}")
        return done

    def json(self, command: str) -> Any:  # noqa: ANN401 (whatever the command prints)
        """Return what a command prints, as JSON."""
        return json.loads(self.run(command).stdout)

    def pods(self, namespace: str, selector: str = "") -> list[dict[str, Any]]:
        """Return the pods of a namespace that are not being deleted."""
        words = f"--selector={selector}" if selector else ""
        items: list[dict[str, Any]] = self.json(f"kubectl get pods -n {namespace} {words} -o json")["items"]
        return [pod for pod in items if "deletionTimestamp" not in pod["metadata"]]


def lab(
    command: str,
    *,
    check: bool = True,
    folder: Path = CHECKOUT,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command of the lab, as `make` does."""
    done = subprocess.run(
        [sys.executable, "-m", "lab", command],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if check and done.returncode:
        pytest.fail(f"`python -m lab {command}` ended with {done.returncode}:\n{done.stdout}")
    return done


@pytest.fixture(scope="session")
def _lab_is_up() -> None:
    """Start or repair the lab; seconds if it runs."""
    lab("up")


@pytest.fixture
def shell(_lab_is_up: None) -> Shell:
    """A shell in the checkout, where the dev stack is."""
    return Shell(folder=CHECKOUT)


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack of a test: the program of the checkout with another stack file."""

    name: str
    shell: Shell

    @property
    def namespace(self) -> str:
        """The namespace that its stack file names."""
        return str(self.config["namespace"]["name"])

    @property
    def config(self) -> dict[str, Any]:
        """The program's part of the stack file, without the project's prefix."""
        document = yaml.safe_load(self._file.read_text())
        return {key.removeprefix("mesh-app:"): value for key, value in document["config"].items()}

    def configure(self, **settings: object) -> None:
        """Set keys of the stack file, or remove one with None."""
        document = yaml.safe_load(self._file.read_text())
        for name, value in settings.items():
            document["config"].pop(f"mesh-app:{name}", None)
            if value is not None:
                document["config"][f"mesh-app:{name}"] = value
        self._file.write_text(yaml.safe_dump(document))

    def pulumi(self, command: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run pulumi on this stack."""
        return self.shell.run(f"pulumi {command} --stack {self.name} --non-interactive", check=check)

    def up(self) -> subprocess.CompletedProcess[str]:
        """`pulumi up`, as in a pipeline."""
        return self.pulumi("up --yes --skip-preview")

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        outputs: dict[str, Any] = json.loads(self.pulumi("stack output --json").stdout)
        return outputs

    @property
    def _file(self) -> Path:
        return self.shell.folder / f"Pulumi.{self.name}.yaml"


MakeStack = Callable[..., Stack]
"""Creates a stack from its name and the settings of its file."""


@pytest.fixture
def new_stack(_lab_is_up: None, tmp_path: Path) -> Iterator[MakeStack]:
    """Create stacks by stack config alone, and destroy them at the end of the test."""
    with stacks_in(tmp_path) as make:
        yield make


@contextmanager
def stacks_in(parent: Path, variables: Mapping[str, str] | None = None) -> Iterator[MakeStack]:
    """Create stacks by stack config alone, in folders of their own, and destroy them at the end."""
    made: list[Stack] = []

    def make(name: str, **settings: object) -> Stack:
        folder = parent / name
        folder.mkdir()
        for shared in PROJECT_FILES:
            (folder / shared).symlink_to(CHECKOUT / shared)
        config = {"kubernetes:context": "lab", "pulumi:disable-default-providers": ["kubernetes"]}
        (folder / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump({"config": config}))
        stack = Stack(name=name, shell=Shell(folder=folder, variables=variables or {}))
        stack.configure(**settings)
        # A run that was killed may have left the stack and its objects.
        stack.pulumi("stack select --create")
        made.append(stack)
        return stack

    yield make
    for stack in made:
        stack.pulumi("destroy --yes --skip-preview --remove")
        shutil.rmtree(stack.shell.folder)

"""Pulumi projects of a bench's own: this program with other stack files, and the flat program beside it."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from operations.pulumi_stack.recorder import Resource

CHECKOUT: Final = Path(__file__).resolve().parent.parent
SHARED: Final = ("Pulumi.yaml", "__main__.py", "components", "requirements.txt", ".venv")
PULUMI_SECONDS: Final = 600

INPUTS: Final = {
    "metadata": "metadata",
    "spec": "spec",
    "automountServiceAccountToken": "automount_service_account_token",
}
"""The inputs that the resources have, as Python writes them."""


def host(namespace: str) -> str:
    """Name the host of a copy of the walkthrough's app, by the copy's namespace."""
    return f"{namespace}.example.com"


def make_program(folder: Path) -> None:
    """Make a folder that is this program, for stack files of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in SHARED:
        if not (folder / name).exists():
            (folder / name).symlink_to(CHECKOUT / name)


def write_stack(folder: Path, stack: str, settings: Mapping[str, object]) -> None:
    """Write a stack file: keys of the program, on the lab. The salt that Pulumi put into it stays."""
    config: dict[str, object] = {
        "kubernetes:context": "lab",
        "pulumi:disable-default-providers": ["kubernetes"],
    }
    config.update((f"mesh-app:{key}", value) for key, value in settings.items())
    file = folder / f"Pulumi.{stack}.yaml"
    salt = yaml.safe_load(file.read_text()).get("encryptionsalt") if file.exists() else None
    file.write_text(yaml.safe_dump({**({"encryptionsalt": salt} if salt else {}), "config": config}))


def make_flat(folder: Path, declared: Iterable[Resource]) -> list[dict[str, Any]]:
    """Make a flat program that declares the same objects; returns them."""
    shutil.copytree(CHECKOUT / "bench/flat", folder, dirs_exist_ok=True)
    if not (folder / ".venv").exists():
        (folder / ".venv").symlink_to(CHECKOUT / ".venv")
    made = (each for each in declared if each.custom and not each.read)
    objects = [_flat(each) for each in made if not each.type.startswith("pulumi:")]
    write_flat(folder, objects)
    return objects


def write_flat(folder: Path, objects: list[dict[str, Any]]) -> None:
    """Say what the flat program declares."""
    (folder / "objects.json").write_text(json.dumps(objects))


def pulumi(folder: Path, *words: str) -> str:
    """Run pulumi in a project; returns what it printed.

    Raises:
        RuntimeError: it failed.
    """
    done = run_pulumi(folder, *words)
    if done.returncode:
        message = f"pulumi {' '.join(words)}: {done.stdout}{done.stderr}"
        raise RuntimeError(message)
    return done.stdout


def run_pulumi(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run pulumi in a project, whatever becomes of it."""
    # Where Python may not keep what it compiled, every run compiles the program anew, and no user's does.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run(
        ["pulumi", *words, "--non-interactive"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PULUMI_SECONDS,
    )


def _flat(resource: Resource) -> dict[str, Any]:
    inputs = {INPUTS[key]: value for key, value in resource.inputs.items() if key in INPUTS}
    kind = resource.type.rpartition(":")[2]
    if ".istio.io/" in resource.type:
        inputs["api_version"] = resource.inputs["apiVersion"]
    return {"kind": kind, "name": resource.name, "inputs": inputs}

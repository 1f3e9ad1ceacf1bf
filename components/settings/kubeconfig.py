"""What the user's kubeconfig offers, so that a wrong context is told before the provider stumbles over it."""

import os
from pathlib import Path

import yaml


def contexts() -> set[str] | None:
    """Name the contexts of the kubeconfig, found as kubectl finds it; None where there is none to be read."""
    listed = os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    files = [Path(name) for name in listed.split(os.pathsep) if name]
    found = [_document(file) for file in files if file.is_file()]
    named = [document.get("contexts") or [] for document in found if isinstance(document, dict)]
    return {context["name"] for entries in named for context in entries} if named else None


def _document(file: Path) -> object:
    try:
        return yaml.safe_load(file.read_text())
    except (OSError, yaml.YAMLError):
        return None

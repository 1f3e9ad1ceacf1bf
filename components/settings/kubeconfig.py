"""Reads the contexts of the kubeconfig, so that a wrong context is reported before the provider fails."""

import os
from pathlib import Path

import yaml


def contexts() -> set[str] | None:
    """Return the contexts of the kubeconfig that kubectl would use; None if it cannot be read."""
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

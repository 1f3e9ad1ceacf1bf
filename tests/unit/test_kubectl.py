"""How the program runs kubectl: a script in its place."""

import asyncio
import os
from pathlib import Path

import pytest

from components.kubectl import Kubectl, KubectlError


def kubectl(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a script in front of PATH."""
    (folder / "kubectl").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_it_is_given_what_it_asks_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On its standard input, in the context, and in no namespace unless there is one."""
    kubectl(tmp_path, monkeypatch, 'echo "$@"; cat')
    said = asyncio.run(Kubectl(context="lab")("get", "--filename=-", given="objects"))
    assert said == "--context lab get --filename=-\nobjects"
    said = asyncio.run(Kubectl(context="lab", namespace="shop")("get", "pods"))
    assert said == "--context lab --namespace shop get pods\n"


def test_without_it_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hooks of an update say then what they could not find out."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KubectlError, match="kubectl is not on PATH"):
        asyncio.run(Kubectl(context="lab")("get", "pods"))

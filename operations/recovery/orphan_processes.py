"""Plugins of a pulumi that was killed: providers and language hosts that do not end."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

PLUGINS: Final = ("pulumi-resource", "pulumi-language", "pulumi-analyzer")
"""The first 15 characters of their names: Linux truncates the rest."""
PATIENCE_SECONDS: Final = 5


def orphans(folder: Path) -> list[psutil.Process]:
    """List this user's plugins in a project's folder whose pulumi has ended."""
    found = []
    for process in psutil.process_iter():
        try:
            mine = process.uids().real == os.getuid() and process.name().startswith(PLUGINS)
            if mine and _is_in(process, folder) and not _has_engine(process):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def end(processes: Sequence[psutil.Process]) -> None:
    """End processes with SIGTERM, and after 5 s with SIGKILL."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(list(processes), timeout=PATIENCE_SECONDS)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _is_in(process: psutil.Process, folder: Path) -> bool:
    return Path(process.cwd()).is_relative_to(folder)


def _has_engine(process: psutil.Process) -> bool:
    """Return whether a running pulumi is among its parents."""
    return any(
        each.name() == "pulumi" and each.status() != psutil.STATUS_ZOMBIE for each in process.parents()
    )

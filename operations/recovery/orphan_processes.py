"""Helpers of a pulumi that was killed: providers and language hosts that wait for it forever."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

HELPERS: Final = ("pulumi-resource", "pulumi-language", "pulumi-analyzer")
"""The first 15 characters, which are all that Linux keeps of a name."""
PATIENCE_SECONDS: Final = 5


def orphans(folder: Path) -> list[psutil.Process]:
    """List those of this user that work in a project's folder and whose pulumi is gone."""
    found = []
    for process in psutil.process_iter():
        try:
            mine = process.uids().real == os.getuid() and process.name().startswith(HELPERS)
            if mine and _is_in(process, folder) and not _has_engine(process):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def end(processes: Sequence[psutil.Process]) -> None:
    """End them: by TERM, and after 5 s by KILL."""
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
    """Tell whether a living pulumi stands above it."""
    return any(
        each.name() == "pulumi" and each.status() != psutil.STATUS_ZOMBIE for each in process.parents()
    )

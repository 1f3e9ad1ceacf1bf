"""Checks of the machine, before anything is started or changed on it."""

import os
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path

import psutil

from lab.errors import LabError

PORTS = {
    2379: "etcd",
    2380: "etcd's peers",
    6443: "the API server",
    10248: "the kubelet's health",
    10249: "kube-proxy's metrics",
    10250: "the kubelet",
    10256: "kube-proxy's health",
    10257: "the controller manager",
    10259: "the scheduler",
}
"""Ports that the lab's own processes listen on."""

NODE_PORTS = {31380: "the ingress gateway", 31386: "the extra ingress port", 31390: "the gateway's HTTPS"}
"""Ports that kube-proxy redirects in the firewall; no process listens on them."""

LOOPBACK_PORTS = {20001: "Kiali", 16686: "Jaeger"}
"""Ports of 127.0.0.1 that `make observe` redirects to pods, in the firewall too."""

GIBIBYTE = 1 << 30
DISK_TO_BUILD = 14 * GIBIBYTE
"""Measured: 8.3 GB of build cache and 3.2 GB of modules, deleted at the end, and 0.8 GB of binaries."""
DISK_TO_RUN = 3 * GIBIBYTE
"""Measured: 0.9 GB of images twice, packed and unpacked, and etcd's data and logs."""


def check_system() -> None:
    """Check that this is Linux, and that the user is root.

    Raises:
        LabError: it is another system, or another user.
    """
    if platform.system() != "Linux":
        raise LabError(
            f"this is {platform.system()}; the lab needs Linux for its containers",
            fix="use a Linux machine, or your own cluster: see README, “On your own cluster”",
        )
    if os.geteuid() != 0:
        raise LabError(
            f"user id {os.geteuid()} is not root; the lab creates a bridge, mounts and control groups",
            fix="sudo make up, or use your own cluster: see README, “On your own cluster”",
        )


def check_disk(folder: Path, needed: int) -> None:
    """Check the free space of the disk that the lab writes to.

    Raises:
        LabError: less than `needed` bytes are free.
    """
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise LabError(
            f"{free / GIBIBYTE:.1f} GiB free under {folder}, {needed / GIBIBYTE:.0f} GiB needed",
            fix="free some space, or point XDG_CACHE_HOME and XDG_STATE_HOME at a larger disk",
        )


def check_ports(own: set[int], purposes: Mapping[int, str] | None = None) -> None:
    """Check that no process but the lab's own listens on the lab's ports.

    Raises:
        LabError: ports are in use; the message names the process of each.
    """
    purposes = {**PORTS, **NODE_PORTS} if purposes is None else purposes
    taken = []
    for listener in psutil.net_connections(kind="tcp"):
        port = listener.laddr.port if listener.laddr else 0
        if listener.status == psutil.CONN_LISTEN and port in purposes and listener.pid not in own:
            taken.append(f"port {port} ({purposes[port]}) is in use by {_name(listener.pid)}")
    if taken:
        raise LabError(
            "; ".join(sorted(set(taken))), fix="stop that process (`ss -ltnp` shows it), then: make up"
        )


def _name(pid: int | None) -> str:
    if pid is None:
        return "a process of another user"
    try:
        return f"{psutil.Process(pid).name()}, pid {pid}"
    except psutil.NoSuchProcess:
        return f"pid {pid}, which has just ended"

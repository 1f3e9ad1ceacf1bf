"""Starts, repairs and stops the cluster."""

import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lab.build import debian
from lab.build.image_archive import Image
from lab.errors import LabError, tail
from lab.node import cgroups
from lab.node.control_plane import API, SUBJECTS, ControlPlane
from lab.node.network import Network
from lab.node.node import Node
from lab.node.pki import Authority
from lab.node.process import Process, wait_until
from lab.places import Places
from lab.progress import Progress

MANIFESTS = Path(__file__).parent / "manifests"
SYSTEM_NAMESPACES = ("kube-system", "istio-system")
READY_CONDITIONS = {"Node": "Ready", "Pod": "Ready", "Deployment": "Available"}
SETTLE_SECONDS = 180
"""After a reboot every container is created again: 25 s on two cores, longer while something builds."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """The processes of the one node, and the network and control groups that they need."""

    places: Places
    progress: Progress
    kube: Path
    """The folder of the Kubernetes binary and its names."""
    root: Path
    """The folder with the unpacked Debian packages."""

    @property
    def network(self) -> Network:
        """The bridge and its firewall rules."""
        return Network(environment=self._environment, state=self.places.state)

    @property
    def _environment(self) -> dict[str, str]:
        return debian.environment(self.root)

    @cached_property
    def _authority(self) -> Authority:
        return Authority(folder=self.places.state / "pki")

    @cached_property
    def _control_plane(self) -> ControlPlane:
        return ControlPlane(
            kube=self.kube,
            etcd_binary=self.root / "usr/bin/etcd",
            authority=self._authority,
            state=self.places.state,
            logs=self.places.logs,
            environment=self._environment,
        )

    @cached_property
    def _node(self) -> Node:
        return Node(
            kube=self.kube,
            root=self.root,
            authority=self._authority,
            state=self.places.state,
            logs=self.places.logs,
            environment=self._environment,
        )

    def processes(self) -> list[Process]:
        """Return all daemons, each after those that it depends on."""
        control = self._control_plane
        return [
            *control.processes(),
            self._node.containerd(),
            self._node.kubelet(control.kubeconfig("kubelet")),
            self._node.kube_proxy(control.kubeconfig("kube-proxy")),
        ]

    def up(self, images: list[Image]) -> None:
        """Start what does not run and repair what is broken; what is healthy is not touched."""
        if not cgroups.pids():
            # Nothing runs: the lab is new, was stopped, or its machine was rebooted.
            self._node.unmount()
            self._node.forget_running()
        with self.progress.step("certificates, network, control groups"):
            cgroups.ensure()
            self.network.up()
            self.configure()
        control, node = self._control_plane, self._node
        with ThreadPoolExecutor(max_workers=1) as background:
            self._start(node.containerd())
            loading = background.submit(self._load, images)
            if not control.apiserver().current:
                # Their watches back off, so they would reconnect up to a minute late. After 50 s without a
                # status of the node they mark every pod as not ready.
                control.controller_manager().stop()
                control.scheduler().stop()
            for process in control.processes():
                self._start(process)
            self._apply(*sorted(MANIFESTS.glob("*.yaml")))
            loading.result()
        # After the images: the kubelet would back off from the first image that it does not find.
        self._start(node.kubelet(control.kubeconfig("kubelet")))
        self._start(node.kube_proxy(control.kubeconfig("kube-proxy")))
        with self.progress.step("node, cluster DNS, Istio's pods") as step:
            kubelet_log = self.places.logs / "kubelet.log"
            try:
                wait_until(self.unsettled, step, SETTLE_SECONDS, kubelet_log)
            except LabError as error:
                log = self._pod_log(step.note) or kubelet_log
                raise LabError(error.what, fix=f"read {log}, then: make up", evidence=tail(log)) from error

    def links(self) -> set[str]:
        """Return the machine's ends of the pods' links, which are unknown once the cluster is stopped."""
        return self._node.links()

    def stop(self) -> None:
        """Stop all processes and remove their mounts; the cluster's data stays."""
        etcd, *others = self.processes()
        with ThreadPoolExecutor() as together:
            list(together.map(Process.stop, others))
        etcd.stop()  # last, because the API server needs it to end cleanly
        survivors = cgroups.kill()
        if survivors:
            raise LabError(
                f"processes {sorted(survivors)} do not end after KILL; the lab is not removed",
                fix="check `ps -o pid,stat,wchan,args -p PID`; a process in state D needs a reboot",
            )
        self._node.unmount()
        self._node.forget_running()
        cgroups.remove()

    def kubectl(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run kubectl as the lab's administrator."""
        return subprocess.run(
            [str(self.kube / "kubectl"), f"--kubeconfig={self.places.kubeconfig}", *words],
            capture_output=True,
            text=True,
            check=False,
        )

    def configure(self) -> None:
        """Write certificates, kubeconfigs and the node's configuration."""
        self._authority.ensure(SUBJECTS)
        self._authority.kubeconfig(self.places.kubeconfig, "admin", API)
        (self.places.state / "kubeconfigs").mkdir(exist_ok=True)
        for user in ("kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet"):
            self._authority.kubeconfig(self._control_plane.kubeconfig(user), user, API)
        self._node.configure()

    def _start(self, process: Process) -> None:
        if process.current and not process.ready():
            return
        with self.progress.step(f"start {process.name}") as step:
            process.start()
            process.await_ready(step)

    def _load(self, images: list[Image]) -> None:
        with self.progress.step("load images into containerd") as step:
            loaded = self._node.load(images)
            step.describe(f"{len(loaded)} new of {len(images)}")

    def _apply(self, *manifests: Path) -> None:
        for manifest in manifests:
            done = self.kubectl("apply", "--server-side", "--force-conflicts", f"--filename={manifest}")
            if done.returncode:
                raise LabError(
                    f"kubectl apply {manifest.name} failed", fix="make up", evidence=done.stderr.strip()
                )

    def _pod_log(self, lack: str) -> Path | None:
        """Return the latest log of the pod that `lack` names."""
        named = re.match(r"pod (\S+):", lack)
        logs = (self.places.logs / "pods").glob(f"*_{named[1]}_*/*/*.log") if named else ()
        return max(logs, key=lambda log: log.stat().st_mtime, default=None)

    def unsettled(self) -> str:
        """Return what is not ready yet; empty if everything is.

        The API server may still report the state before a stop: a pod counts only if its containers run now.
        """
        done = self.kubectl("get", "nodes,pods,deployments", "--all-namespaces", "--output=json")
        if done.returncode:
            return done.stderr.strip()
        running = self._node.running_containers()
        items = json.loads(done.stdout)["items"]
        found = [item for item in items if item["kind"] == "Node"]
        found += [item for item in items if _is_system(item)]
        if not any(item["kind"] == "Pod" for item in found):
            return "no system pod yet"
        return next(filter(None, (_lack(item, running) for item in found)), "")


def _is_system(item: dict[str, Any]) -> bool:
    return item["metadata"].get("namespace") in SYSTEM_NAMESPACES


def _lack(item: dict[str, Any], running: set[str]) -> str:
    """Return why a node, pod or deployment is not ready; empty if it is."""
    name = f"{item['kind'].lower()} {item['metadata']['name']}"
    status = item.get("status", {})
    if item["kind"] == "Pod":
        containers = status.get("containerStatuses", [])
        ids = {container.get("containerID", "").removeprefix("containerd://") for container in containers}
        if not ids or not ids <= running:
            return f"{name}: {_waiting(containers) or status.get('phase', 'unknown')}"
    wanted = READY_CONDITIONS[item["kind"]]
    conditions = {condition["type"]: condition for condition in status.get("conditions", [])}
    if conditions.get(wanted, {}).get("status") == "True":
        return ""
    return f"{name}: {conditions.get(wanted, {}).get('message', f'not {wanted} yet')}"


def _waiting(containers: list[dict[str, Any]]) -> str:
    """Return Kubernetes' reason why the first container that does not run waits."""
    reasons = (container.get("state", {}).get("waiting", {}).get("reason", "") for container in containers)
    return next(filter(None, reasons), "")

"""Runs containerd, kubelet and kube-proxy, which make up the node."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from lab.build.image_archive import Image
from lab.build.images import PAUSE, key
from lab.errors import LabError
from lab.node import cgroups, network
from lab.node.control_plane import NODE, answers
from lab.node.pki import Authority, write_private
from lab.node.process import Process

CONTAINERD_CONFIG = """\
version = 2
root = "{root}"
state = "{run}"
# Plugins that a node does not need, and that log errors if the kernel lacks them.
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.internal.v1.tracing"]
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  # runc cannot lower a score without CAP_SYS_RESOURCE, which a machine may lack.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{cni}"
    conf_dir = "{cni_config}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      BinaryName = "{runc}"
"""

SHIM_SOCKETS = Path("/run/containerd/s")
"""The sockets of containerd 1.6's shims, which are not in its own state folder."""

RUNC_STATE = Path("/run/containerd/runc/k8s.io")
"""runc's state of running containers."""

CNI_RESULTS = Path("/var/lib/cni/results")
"""The results of each CNI plugin, as the CNI library stores them."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """The node's processes, in the order in which they start."""

    kube: Path
    root: Path
    """The folder with the unpacked Debian packages."""
    authority: Authority
    state: Path
    logs: Path
    environment: Mapping[str, str]

    @property
    def socket(self) -> Path:
        """The socket of containerd."""
        return self._run_folder / "containerd.sock"

    @property
    def _run_folder(self) -> Path:
        return self.state / "containerd" / "run"

    def configure(self) -> None:
        """Write the configuration files."""
        cni_config = self.state / "cni"
        for folder in (cni_config, self._run_folder, self.state / "kubelet"):
            folder.mkdir(parents=True, exist_ok=True)
        write_private(cni_config / "10-lab.conflist", json.dumps(self._cni_configuration()).encode())
        containerd = CONTAINERD_CONFIG.format(
            root=self.state / "containerd" / "root",
            run=self._run_folder,
            socket=self.socket,
            pause=PAUSE,
            cni=self.root / "usr/lib/cni",
            cni_config=cni_config,
            runc=self.root / "usr/sbin/runc",
        )
        write_private(self._containerd_config, containerd.encode())
        write_private(self._kubelet_config, yaml.safe_dump(self._kubelet_configuration()).encode())

    def containerd(self) -> Process:
        """Run the container runtime."""
        return Process(
            name="containerd",
            command=[str(self.root / "usr/bin/containerd"), "--config", str(self._containerd_config)],
            inputs=[self._containerd_config],
            ready=lambda: "" if self._ctr("version").returncode == 0 else "its socket does not answer yet",
            folder=self.state / "processes",
            log=self.logs / "containerd.log",
            environment=self.environment,
        )

    def kubelet(self, kubeconfig: Path) -> Process:
        """Run the kubelet."""
        return Process(
            name="kubelet",
            command=[
                str(self.kube / "kubelet"),
                f"--config={self._kubelet_config}",
                f"--kubeconfig={kubeconfig}",
                f"--root-dir={self.state / 'kubelet' / 'root'}",
                f"--hostname-override={NODE}",
                f"--node-ip={network.NODE_ADDRESS}",
            ],
            inputs=[self._kubelet_config, kubeconfig],
            ready=lambda: answers("http://127.0.0.1:10248/healthz", self.authority),
            folder=self.state / "processes",
            log=self.logs / "kubelet.log",
            environment=self.environment,
        )

    def kube_proxy(self, kubeconfig: Path) -> Process:
        """Run kube-proxy, with NodePorts only on loopback and on the node's address."""
        return Process(
            name="kube-proxy",
            command=[
                str(self.kube / "kube-proxy"),
                f"--kubeconfig={kubeconfig}",
                f"--hostname-override={NODE}",
                "--proxy-mode=iptables",
                f"--cluster-cidr={network.CLUSTER_CIDR}",
                f"--nodeport-addresses=127.0.0.1/32,{network.NODE_ADDRESS}/32",
                "--healthz-bind-address=127.0.0.1:10256",
                "--metrics-bind-address=127.0.0.1:10249",
                "--conntrack-max-per-core=0",  # does not change the machine's limit
                "--conntrack-tcp-timeout-established=0",
                "--conntrack-tcp-timeout-close-wait=0",
            ],
            inputs=[kubeconfig],
            ready=lambda: answers("http://127.0.0.1:10249/healthz", self.authority),
            folder=self.state / "processes",
            log=self.logs / "kube-proxy.log",
            environment=self.environment,
        )

    def load(self, images: Sequence[Image]) -> list[str]:
        """Import the images whose content containerd does not have yet; return their names."""
        known = self._ctr("images", "ls", "-q").stdout.split()
        keys = self.state / "images"
        keys.mkdir(exist_ok=True)
        loaded = []
        for image in images:
            record = keys / image.name.replace("/", "_")
            if image.name in known and record.exists() and record.read_text() == key(image):
                continue
            archive = self.state / "image.tar"
            image.write(archive)
            done = self._ctr("images", "import", "--no-unpack", str(archive))
            archive.unlink()
            if done.returncode:
                raise LabError(
                    f"containerd cannot import the image {image.name}",
                    fix="make clean, then: make up",
                    evidence=done.stderr.strip(),
                )
            record.write_text(key(image))
            loaded.append(image.name)
        return loaded

    def running_containers(self) -> set[str]:
        """Return the ids of the containers that run now."""
        lines = self._ctr("tasks", "ls").stdout.splitlines()[1:]
        return {words[0] for words in map(str.split, lines) if words[-1] == "RUNNING"}

    def unmount(self) -> None:
        """Unmount what pods and containers mounted under the lab's folders, the deepest first."""
        mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        own = [mount for mount in mounts if Path(mount).is_relative_to(self.state)]
        for mount in sorted(own, reverse=True):
            subprocess.run(["umount", "--lazy", mount], capture_output=True, check=False)

    def links(self) -> set[str]:
        """Return the machine's ends of the pods' links, from the CNI results that can be read."""
        found = set()
        for note in self._cni_notes():
            try:
                interfaces = json.loads(note.read_text())["result"]["interfaces"]
            except (ValueError, KeyError, TypeError, OSError):
                continue
            # An interface with a sandbox is the other end, and the bridge belongs to the network.
            ends = {each["name"] for each in interfaces if not each.get("sandbox")}
            found |= ends - {network.BRIDGE}
        return found

    def _tasks(self) -> Iterator[Path]:
        """List containerd's folders of the lab's running containers."""
        return self._run_folder.glob("io.containerd.runtime.v2.task/k8s.io/*")

    def _cni_notes(self) -> list[Path]:
        """List the CNI results of the lab's containers."""
        return [note for each in self._tasks() for note in CNI_RESULTS.glob(f"*-{each.name}-*")]

    def forget_running(self) -> None:
        """Remove the state of containers that no longer exist; the kubelet creates them again."""
        for address in self._run_folder.glob("io.containerd.runtime.v2.task/*/*/address"):
            Path(address.read_text().removeprefix("unix://")).unlink(missing_ok=True)
        for note in self._cni_notes():
            note.unlink()
        for container in self._tasks():
            shutil.rmtree(RUNC_STATE / container.name, ignore_errors=True)
        shutil.rmtree(self._run_folder, ignore_errors=True)
        shutil.rmtree(self._addresses, ignore_errors=True)
        for folder in (SHIM_SOCKETS, RUNC_STATE, RUNC_STATE.parent, CNI_RESULTS):
            for empty in (folder, folder.parent):
                if empty.is_dir() and not any(empty.iterdir()):
                    empty.rmdir()

    @property
    def _containerd_config(self) -> Path:
        return self.state / "containerd" / "config.toml"

    @property
    def _kubelet_config(self) -> Path:
        return self.state / "kubelet" / "config.yaml"

    @property
    def _addresses(self) -> Path:
        return self.state / "containerd" / "addresses"

    def _ctr(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.root / "usr/bin/ctr"), "--address", str(self.socket), "--namespace", "k8s.io", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def _cni_configuration(self) -> dict[str, object]:
        addresses = {
            "type": "host-local",
            "dataDir": str(self._addresses),
            "ranges": [[{"subnet": network.POD_CIDR, "gateway": network.NODE_ADDRESS}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        }
        bridge = {
            "type": "bridge",
            "bridge": network.BRIDGE,
            "isGateway": True,
            "ipMasq": True,
            "hairpinMode": True,
            "ipam": addresses,
        }
        # For hostPorts, which may be bound to the machine's loopback alone.
        host_ports = {"type": "portmap", "capabilities": {"portMappings": True}, "snat": True}
        return {"cniVersion": "0.4.0", "name": "lab", "plugins": [bridge, host_ports]}

    def _kubelet_configuration(self) -> dict[str, object]:
        pki = self.authority
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": network.NODE_ADDRESS,
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(pki.certificate)},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": str(pki.path("kubelet", "crt")),
            "tlsPrivateKeyFile": str(pki.path("kubelet", "key")),
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{cgroups.ROOT}",
            "failCgroupV1": False,
            "failSwapOn": False,
            "clusterDNS": [network.DNS_ADDRESS],
            "clusterDomain": "cluster.local",
            "containerRuntimeEndpoint": f"unix://{self.socket}",
            "podLogsDir": str(self.logs / "pods"),
            "volumePluginDir": str(self.state / "kubelet" / "volume-plugins"),
            # The lab should run on a nearly full disk; by default pods are evicted below 10 to 15 % free.
            "evictionHard": {"imagefs.available": "1%", "nodefs.available": "1%"},
            # Images cannot be pulled again, so they are never collected.
            "imageGCHighThresholdPercent": 100,
        }

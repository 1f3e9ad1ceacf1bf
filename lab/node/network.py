"""Creates and removes the node's network: a bridge with an address of its own, and firewall rules.

The node's address is the bridge's, not the machine's: the lab works without a network, and still works after
the machine's address has changed.
"""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.node.firewall import Firewall
from lab.node.pki import write_private

BRIDGE = "mesh-lab0"
NODE_ADDRESS = "10.244.0.1"
POD_CIDR = "10.244.0.0/24"
CLUSTER_CIDR = "10.244.0.0/16"
SERVICE_CIDR = "10.96.0.0/16"
API_SERVICE_ADDRESS = "10.96.0.1"
DNS_ADDRESS = "10.96.0.10"
API_PORT = 6443

SYSCTLS = {
    "net.ipv4.ip_forward": "1",
    "net.bridge.bridge-nf-call-iptables": "1",  # for Services between pods of one bridge
    f"net.ipv4.conf.{BRIDGE}.route_localnet": "1",
}

OUTLIVES = (
    "net.ipv4.ip_forward",
    "net.bridge.bridge-nf-call-iptables",
    "net.ipv4.conf.all.route_localnet",  # set by kube-proxy, for NodePorts at 127.0.0.1
)
"""The settings that are not removed with the bridge."""


LINKS = Path("/sys/class/net")
"""The kernel's list of network interfaces."""

SETTINGS = Path("/proc/sys")


@dataclass(frozen=True, kw_only=True)
class Network:
    """The lab's part of the machine's network."""

    environment: Mapping[str, str]
    """With the paths of iptables and its plugins."""
    state: Path
    """The folder that stores the machine's own settings until `down` restores them."""

    def up(self) -> None:
        """Create bridge, address, route, kernel settings and firewall rules, as far as they do not exist."""
        if not (LINKS / BRIDGE).exists():
            self._run("ip", "link", "add", BRIDGE, "type", "bridge")
        self._run("ip", "address", "replace", f"{NODE_ADDRESS}/{POD_CIDR.split('/')[1]}", "dev", BRIDGE)
        self._run("ip", "link", "set", BRIDGE, "up")
        # The API server calls webhooks at their Service's address; the machine may have no default route.
        self._run("ip", "route", "replace", SERVICE_CIDR, "dev", BRIDGE)
        if not _sysctl("net.bridge.bridge-nf-call-iptables").exists():
            self._run("modprobe", "br_netfilter")
        self._remember_machine()
        # Before the machine forwards packets.
        self._firewall.up()
        for name, value in SYSCTLS.items():
            self._set(name, value)

    @property
    def made(self) -> bool:
        """Whether the lab may have changed the machine's network; if not, similar rules belong to others."""
        return self._memory.exists() or (LINKS / BRIDGE).exists()

    def down(self, links: set[str]) -> None:
        """Remove all of it, whatever its state is.

        Args:
            links: names of the pods' links. They can be read from the bridge only while it exists; the kernel
                removes them some time after the pods' network namespaces.
        """
        if not self.made:
            return
        self._firewall.down(self._remembered.get("chains", []))
        masters = LINKS.glob("veth*/master")
        on_the_bridge = {path.parent.name for path in masters if path.resolve().name == BRIDGE}
        for link in sorted(on_the_bridge | links):
            if (LINKS / link).exists():
                self._try("ip", "link", "delete", link)
        if (LINKS / BRIDGE).exists():
            self._run("ip", "link", "delete", BRIDGE)
        self._restore_machine()

    def _remember_machine(self) -> None:
        """Store the machine's settings, once: later they are the lab's own."""
        if not self._memory.exists():
            memory = {
                "sysctls": {name: _sysctl(name).read_text().strip() for name in OUTLIVES},
                "tables": self._tables(),
                "chains": self._firewall.chains(),
            }
            write_private(self._memory, json.dumps(memory).encode())

    def _restore_machine(self) -> None:
        """Restore the settings, and remove the tables that only the lab used."""
        memory = self._remembered
        for name, value in memory["sysctls"].items():
            # After a reboot a setting may not exist, because its kernel module is not loaded.
            if _sysctl(name).exists():
                self._set(name, value)
        for table in self._tables():
            rules = self._try("nft", "--stateless", "list", "table", *table.split()[1:]).stdout
            in_use = any(
                line.startswith("\t\t") and "policy accept" not in line for line in rules.splitlines()
            )
            if table not in memory["tables"] and not in_use:
                self._try("nft", "delete", *table.split())
        self._memory.unlink(missing_ok=True)

    @property
    def _remembered(self) -> dict[str, Any]:
        """The machine's stored settings; if they cannot be read, nothing is restored."""
        try:
            memory: dict[str, Any] = json.loads(self._memory.read_text())
        except (OSError, ValueError):
            return {"sysctls": {}, "tables": self._tables()}
        return memory

    @property
    def _memory(self) -> Path:
        return self.state / "machine.json"

    def _tables(self) -> list[str]:
        """List the tables of iptables in nftables, as `table ip filter`."""
        lines = self._try("nft", "list", "tables").stdout.splitlines()
        return [line for line in lines if line.split()[1] in {"ip", "ip6"}]

    @property
    def _firewall(self) -> Firewall:
        return Firewall(
            environment=self.environment, bridge=BRIDGE, addresses=CLUSTER_CIDR, api_port=API_PORT
        )

    def _try(self, *command: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            return subprocess.CompletedProcess(command, 127, stdout="", stderr=str(error))

    def _run(self, *command: str) -> None:
        done = self._try(*command)
        if done.returncode:
            raise LabError(
                f"`{' '.join(command)}` failed: the lab's network is incomplete",
                fix="fix the reported error, then: make down, or make up",
                evidence=done.stderr.strip(),
            )

    @staticmethod
    def _set(name: str, value: str) -> None:
        try:
            _sysctl(name).write_text(value)
        except OSError as error:
            raise LabError(
                f"the kernel setting {name} cannot be set to {value} ({error})",
                fix="run the lab on a machine of its own or in a privileged container",
            ) from error


def _sysctl(name: str) -> Path:
    return SETTINGS.joinpath(*name.split("."))

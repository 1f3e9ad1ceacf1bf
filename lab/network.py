"""The node's network: a bridge with an address of the lab's own, and the firewall rules around it.

The node lives at the bridge's address, not at one of the machine's: the lab works
without a network and survives a change of the machine's address.
"""

import json
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from lab.errors import LabError
from lab.pki import write_private

BRIDGE = "mesh-lab0"
NODE_ADDRESS = "10.244.0.1"
POD_CIDR = "10.244.0.0/24"
CLUSTER_CIDR = "10.244.0.0/16"
SERVICE_CIDR = "10.96.0.0/16"
API_SERVICE_ADDRESS = "10.96.0.1"
DNS_ADDRESS = "10.96.0.10"

SYSCTLS = {
    "net.ipv4.ip_forward": "1",
    "net.bridge.bridge-nf-call-iptables": "1",  # Services between pods of one bridge need it
    f"net.ipv4.conf.{BRIDGE}.route_localnet": "1",
    "net.ipv4.conf.all.route_localnet": "1",  # NodePorts answer on 127.0.0.1
}

CHAINS = ("KUBE-", "CNI-")
"""Prefixes of the chains that kube-proxy, the kubelet and the CNI plugins make."""

COMMENT = "mesh-lab"
"""Marks the rules that the lab itself makes."""

FORWARDED = (("-i", BRIDGE), ("-o", BRIDGE))
"""Pods' traffic, which a machine with a container engine drops by policy."""


LINKS = Path("/sys/class/net")
"""Where the kernel shows each network interface."""

SETTINGS = Path("/proc/sys")


@dataclass(frozen=True, kw_only=True)
class Network:
    """Makes and removes the lab's part of the machine's network."""

    environment: Mapping[str, str]
    """Finds iptables and its plugins."""
    state: Path
    """Where the machine's own settings are kept until `down` puts them back."""

    def up(self) -> None:
        """Make bridge, address, route, kernel settings and firewall rules; what is there stays."""
        if not (LINKS / BRIDGE).exists():
            self._run("ip", "link", "add", BRIDGE, "type", "bridge")
        self._run("ip", "address", "replace", f"{NODE_ADDRESS}/{POD_CIDR.split('/')[1]}", "dev", BRIDGE)
        self._run("ip", "link", "set", BRIDGE, "up")
        # The API server calls webhooks by their Service's address, also where there is no default route.
        self._run("ip", "route", "replace", SERVICE_CIDR, "dev", BRIDGE)
        if not _sysctl("net.bridge.bridge-nf-call-iptables").exists():
            self._run("modprobe", "br_netfilter")
        self._remember_machine()
        for name, value in SYSCTLS.items():
            self._set(name, value)
        for rule in FORWARDED:
            words = ("FORWARD", *rule, "-m", "comment", "--comment", COMMENT, "-j", "ACCEPT")
            if self._iptables("-C", *words).returncode:
                self._run("iptables", "-w", "-I", *words)

    @property
    def made(self) -> bool:
        """Whether anything of it may be on the machine: what looks like it else belongs to others."""
        return self._memory.exists() or (LINKS / BRIDGE).exists()

    def down(self, links: set[str]) -> None:
        """Remove all of it, whatever state it is in.

        Args:
            links: the pods' links by name. The bridge knows its own, as long as it is there; the kernel
                takes them away with the pods' network namespaces too, some time after these are gone.
        """
        if not self.made:
            return
        for family in ("iptables", "ip6tables"):
            self._remove_rules(family)
        masters = LINKS.glob("veth*/master")
        on_the_bridge = {path.parent.name for path in masters if path.resolve().name == BRIDGE}
        for link in sorted(on_the_bridge | links):
            if (LINKS / link).exists():
                self._try("ip", "link", "delete", link)
        if (LINKS / BRIDGE).exists():
            self._run("ip", "link", "delete", BRIDGE)
        self._restore_machine()

    def _remove_rules(self, family: str) -> None:
        """Write the tables back without the lab's chains and rules, each table at once."""
        kept, dropped = [], False
        for line in self._try(f"{family}-save", "-c").stdout.splitlines():
            ours = _is_ours(line)
            dropped |= ours
            if not ours:
                kept.append(line)
        if dropped:
            self._run(f"{family}-restore", "-c", "-w", text="\n".join([*kept, ""]))

    def _remember_machine(self) -> None:
        """Note how the machine was, the first time only: a mended lab must not note its own settings."""
        if not self._memory.exists():
            memory = {
                "sysctls": {
                    name: _sysctl(name).read_text().strip() for name in SYSCTLS if BRIDGE not in name
                },
                "tables": self._tables(),
            }
            write_private(self._memory, json.dumps(memory).encode())

    def _restore_machine(self) -> None:
        """Put the settings back, and remove the tables that only the lab had a use for."""
        try:
            memory = json.loads(self._memory.read_text())
        except (OSError, ValueError):
            memory = {"sysctls": {}, "tables": self._tables()}  # nobody knows: all stays
        for name, value in memory["sysctls"].items():
            # After a reboot the settings are the machine's own, or gone with their kernel module.
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
    def _memory(self) -> Path:
        return self.state / "machine.json"

    def _tables(self) -> list[str]:
        """The tables that iptables keeps in nftables, as `table ip filter`."""
        lines = self._try("nft", "list", "tables").stdout.splitlines()
        return [line for line in lines if line.split()[1] in {"ip", "ip6"}]

    def _iptables(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self._try("iptables", "-w", *words)

    def _try(self, *command: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                command, env=self.environment, input=text, capture_output=True, text=True, check=False
            )
        except FileNotFoundError as error:
            return subprocess.CompletedProcess(command, 127, stdout="", stderr=str(error))

    def _run(self, *command: str, text: str | None = None) -> None:
        done = self._try(*command, text=text)
        if done.returncode:
            raise LabError(
                f"`{' '.join(command)}` failed: the lab's network is neither whole nor gone",
                mend="see to what it says, then: make down, or make up",
                evidence=done.stderr.strip(),
            )

    @staticmethod
    def _set(name: str, value: str) -> None:
        try:
            _sysctl(name).write_text(value)
        except OSError as error:
            raise LabError(
                f"the kernel setting {name} cannot be made {value} ({error})",
                mend="run the lab on a machine of its own or in a privileged container",
            ) from error


def _is_ours(line: str) -> bool:
    """Whether a line of iptables-save is a chain of the lab's, a rule in or into one, or the lab's own."""
    words = shlex.split(line)
    chains = [word for flag, word in pairwise(words) if flag in {"-A", "-j", "-g"}]
    chains += [word[1:] for word in words[:1] if word.startswith(":")]
    return any(chain.startswith(CHAINS) for chain in chains) or ("--comment", COMMENT) in pairwise(words)


def _sysctl(name: str) -> Path:
    return SETTINGS.joinpath(*name.split("."))

"""Writes the lab's firewall rules: pods may reach any host, and no other host may reach the lab."""

import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

from lab.errors import LabError

CHAIN: Final = "MESH-LAB"
"""The lab's own chain, in table mangle, which comes before table filter.

kube-proxy puts its chains at the top of filter, and accepts there what it has forwarded to a pod.
"""

COMMENT: Final = "mesh-lab"
"""The comment of the lab's own rules in chains of others."""

CNI_NETWORK: Final = 'name: "lab"'
"""Part of the comment that the CNI plugins write into each rule for the lab's network."""

CNI_SHARED: Final = ("CNI-HOSTPORT-DNAT", "CNI-HOSTPORT-MASQ", "CNI-HOSTPORT-SETMARK")
"""Chains with the CNI plugins' rules for all networks of the machine."""

FAMILIES: Final = ("iptables", "ip6tables")

IPV6: Final = Path("/proc/net/if_inet6")
"""Exists if the kernel has IPv6."""


@dataclass(kw_only=True)
class Table:
    """A table of a family, as iptables-save prints it."""

    name: str
    chains: list[str] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    """Each as `-A CHAIN …`."""


@dataclass(frozen=True, kw_only=True)
class Firewall:
    """Adds and removes the lab's rules. Chains and rules of others are never rewritten."""

    environment: Mapping[str, str]
    """With the PATH of iptables."""
    bridge: str
    addresses: str
    """The range of the pods and of the node, in CIDR notation."""
    api_port: int
    """The API server's, which listens on all addresses of the machine."""

    def up(self) -> None:
        """Add what is missing.

        The chain has all of its rules before another chain jumps to it.

        Raises:
            LabError: iptables refused a rule.
        """
        for family in FAMILIES if IPV6.exists() else FAMILIES[:1]:
            chain = [f":{CHAIN} - [0:0]", *(f"-A {CHAIN} {rule}" for rule in self._rules(family))]
            self._restore(family, ["*mangle", *chain, "COMMIT"])
            for hook in ("INPUT", "FORWARD"):
                self._ensure(family, "mangle", hook, "-j", CHAIN)
        # For a machine whose policy drops forwarded packets, as container engines set it.
        answers = ("-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED")
        self._ensure("iptables", "filter", "FORWARD", "-o", self.bridge, *answers, "-j", "ACCEPT")
        self._ensure("iptables", "filter", "FORWARD", "-i", self.bridge, "-j", "ACCEPT")

    def chains(self) -> list[str]:
        """List all chains of the machine, as `family table chain`."""
        return [
            f"{family} {table.name} {chain}"
            for family in FAMILIES
            for table in self._tables(family)
            for chain in table.chains
        ]

    def down(self, others: Sequence[str]) -> None:
        """Remove the rules and chains that the lab, its kube-proxy and its CNI plugins made.

        Args:
            others: the chains that existed before the lab, as from `chains`; they stay.

        Raises:
            LabError: iptables refused to remove a rule.
        """
        for family in FAMILIES:
            for table in self._tables(family):
                prefix = f"{family} {table.name} "
                foreign = {chain.removeprefix(prefix) for chain in others if chain.startswith(prefix)}
                if lines := list(removal(table, foreign)):
                    self._restore(family, [f"*{table.name}", *lines, "COMMIT"])

    def _rules(self, family: str) -> Iterator[str]:
        """Yield the rules: the lab accepts only answers from other interfaces.

        Addresses are those after translation: packets for NodePorts and hostPorts have the address of a pod.
        """
        yield "-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN"
        yield "-i lo -j RETURN"
        if family == "iptables":
            # For NodePorts at 127.0.0.1, kube-proxy accepts packets for loopback at every interface.
            yield "-d 127.0.0.0/8 -j DROP"
            yield f"-i {self.bridge} -j RETURN"
            yield f"-o {self.bridge} -j DROP"
            yield f"-d {self.addresses} -j DROP"
        yield f"-p tcp -m tcp --dport {self.api_port} -m addrtype --dst-type LOCAL -j DROP"

    def _ensure(self, family: str, table: str, chain: str, *rule: str) -> None:
        """Insert a rule at the top of a chain unless the chain has it."""
        words = (*rule, "-m", "comment", "--comment", COMMENT)
        command = (family, "-w", "-t", table)
        if self._try(*command, "-C", chain, *words).returncode:
            self._run(*command, "-I", chain, *words)

    def _tables(self, family: str) -> list[Table]:
        return parse(self._try(f"{family}-save").stdout)

    def _restore(self, family: str, lines: Sequence[str]) -> None:
        """Change one table in one step; what the lines do not name stays."""
        self._run(f"{family}-restore", "--noflush", "-w", text="\n".join([*lines, ""]))

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
                f"`{' '.join(command)}` failed: the lab's firewall rules are incomplete",
                fix="fix what iptables reports, then: make up, or make down",
                evidence=done.stderr.strip(),
            )


def parse(saved: str) -> list[Table]:
    """Read what iptables-save prints."""
    tables: list[Table] = []
    for line in saved.splitlines():
        if line.startswith("*"):
            tables.append(Table(name=line[1:]))
        elif line.startswith(":"):
            tables[-1].chains.append(line[1:].split()[0])
        elif line.startswith("-A "):
            tables[-1].rules.append(line)
    return tables


def removal(table: Table, others: set[str]) -> Iterator[str]:
    """Yield the lines for iptables-restore that remove the lab's rules and chains from a table.

    Args:
        table: as it is now.
        others: the chains that existed before the lab.
    """
    own = _own_rules(table, others)
    for rule in table.rules:
        words = shlex.split(rule)
        if words[1] not in own and (_target(words) in own or ("--comment", COMMENT) in pairwise(words)):
            yield f"-D {rule.removeprefix('-A ')}"
    yield from (f"-F {chain}" for chain in own)
    yield from (f"-X {chain}" for chain in own)


def _own_rules(table: Table, others: set[str]) -> list[str]:
    """List the lab's chains; podman and nerdctl have chains of CNI plugins too."""
    rules = [shlex.split(rule) for rule in table.rules]
    of_pods = {_target(words) for words in rules if _is_of_lab(words)} - {*CNI_SHARED, ""}
    own = [
        chain
        for chain in table.chains
        if chain not in others
        and (chain == CHAIN or chain.startswith("KUBE-") or (chain.startswith("CNI-") and chain in of_pods))
    ]
    shared = [chain for chain in table.chains if chain in CNI_SHARED and chain not in others]
    foreign = {_target(words) for words in rules} - {*own, *shared}
    in_use = any(target.startswith("CNI-DN-") for target in foreign)
    return own if in_use else [*own, *shared]


def _is_of_lab(words: Sequence[str]) -> bool:
    return any(flag == "--comment" and CNI_NETWORK in text for flag, text in pairwise(words))


def _target(words: Sequence[str]) -> str:
    """Return the chain that a rule jumps to; empty if it has none."""
    return next((word for flag, word in pairwise(words) if flag in {"-j", "-g"}), "")

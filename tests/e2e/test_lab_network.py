"""Nothing of the lab answers another host, at no moment, and the machine's own rules do not matter."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lab.build import debian
from lab.node.firewall import CHAIN
from lab.node.network import NODE_ADDRESS
from lab.places import Places
from lab.progress import Progress
from tests.e2e.conftest import Shell, lab
from tests.e2e.neighbour import MACHINE, Address, Reached, loopback_and_local_ports, neighbour
from tests.e2e.traffic import ask

URL = "http://127.0.0.1:31380/hello"
KUBELET = (NODE_ADDRESS, 10250)
ETCD = [("127.0.0.1", 2379), ("127.0.0.1", 2380)]
API_SERVER = [(host, 6443) for host in (MACHINE, "127.0.0.1", NODE_ADDRESS)]
NODE_PORTS = [(host, port) for host in (MACHINE, "127.0.0.1", NODE_ADDRESS) for port in (31380, 31386)]


@pytest.fixture
def reached() -> Iterator[Reached]:
    """What a neighbour on the network can connect to."""
    with neighbour() as connects:
        yield connects


def iptables(*words: str) -> None:
    """Change a rule of the machine, with the lab's own iptables."""
    places = Places.of_this_machine()
    root = debian.Packages(cache=places.cache, progress=Progress()).directory("node", debian.NODE)
    environment = {**os.environ, **debian.environment(root)}
    subprocess.run(["iptables", "-w", *words], env=environment, check=True, capture_output=True)


def listening(shell: Shell) -> list[Address]:
    """All that listens in the lab, and on the machine with it."""
    found = {*loopback_and_local_ports(), *API_SERVER, *NODE_PORTS, *ETCD, KUBELET}
    pods: list[dict[str, Any]] = shell.json("kubectl get pods -A -o json")["items"]
    found |= {(pod["status"].get("podIP", ""), port) for pod in pods for port in _ports(pod)}
    services: list[dict[str, Any]] = shell.json("kubectl get services -A -o json")["items"]
    for service in services:
        if service["spec"]["clusterIP"] != "None":
            found |= {(service["spec"]["clusterIP"], port["port"]) for port in service["spec"]["ports"]}
    return sorted(address for address in found if address[0])


def _ports(pod: dict[str, Any]) -> set[int]:
    declared = {
        port["containerPort"]
        for container in pod["spec"]["containers"]
        for port in container.get("ports", ())
    }
    return declared | {15010, 15012, 15014, 15021, 15090}


def test_no_other_host_reaches_anything(shell: Shell, reached: Reached) -> None:
    """Not etcd, kubelet, pods, Services, NodePorts, nor what the lab has on the machine's loopback."""
    others = {address for address in loopback_and_local_ports() if address[0] == MACHINE} - {*API_SERVER}
    addresses = listening(shell)
    assert len(addresses) > 30
    assert reached(addresses) - others == set()


def test_whatever_the_machine_does_with_forwarded_packets(shell: Shell, reached: Reached) -> None:
    """Where a container engine drops them, the lab serves, and does not open itself to do so."""
    iptables("-P", "FORWARD", "DROP")
    try:
        addresses = [address for address in listening(shell) if address[0].startswith("10.")]
        assert reached(addresses) == set()
        assert ask(URL, 20) == {"v1": 20}
    finally:
        iptables("-P", "FORWARD", "ACCEPT")


def test_it_is_the_labs_rules_that_keep_it_out(shell: Shell, reached: Reached) -> None:
    """Without them the neighbour reaches pods, so it would notice; `make up` puts them back."""
    with without_rules():
        found = reached(listening(shell))
        assert KUBELET in found
        assert any(host.startswith("10.244.") and port == 8080 for host, port in found)
    assert reached(listening(shell)) & {KUBELET, *ETCD} == set()


@contextmanager
def without_rules() -> Iterator[None]:
    """Take away what leads to the lab's chain."""
    comment = ("-m", "comment", "--comment", "mesh-lab")
    for hook in ("INPUT", "FORWARD"):
        iptables("-t", "mangle", "-D", hook, "-j", CHAIN, *comment)
    try:
        yield
    finally:
        lab("up")

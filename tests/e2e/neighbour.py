"""Another host of the network: a network namespace with a link to the machine, and routes to the lab."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psutil

NAMESPACE = "mesh-neighbour"
LINK = "neighbour0"
"""The machine's end of the cable."""

TEST_NETS = ("203.0.113", "198.51.100", "192.0.2")
"""For documentation (RFC 5737): free on most machines, and on this one if no interface is in it."""


def _free(nets: Sequence[str]) -> str:
    taken = [each.address for addresses in psutil.net_if_addrs().values() for each in addresses]
    return next(net for net in nets if not any(address.startswith(f"{net}.") for address in taken))


NET = _free(TEST_NETS)
MACHINE = f"{NET}.1"
NEIGHBOUR = f"{NET}.77"
LAB = ("10.244.0.0/16", "10.96.0.0/16", "127.0.0.0/8")
"""Nodes, pods, Services, and the machine's own loopback, which the neighbour routes to the machine."""

Address = tuple[str, int]
Reached = Callable[[Sequence[Address]], set[Address]]

CONNECT_SECONDS = 1.0
"""How long one attempt may take: an answer over the cable comes within a millisecond."""


def main() -> None:
    """In the neighbour's namespace: print each address of standard input that takes a connection."""
    addresses = [(str(host), int(port)) for host, port in json.load(sys.stdin)]
    print(json.dumps(asyncio.run(_those_that_answer(addresses))))  # noqa: T201


async def _those_that_answer(addresses: Sequence[Address]) -> list[Address]:
    answers = await asyncio.gather(*(_answers(address) for address in addresses))
    return [address for address, answered in zip(addresses, answers, strict=True) if answered]


async def _answers(address: Address) -> bool:
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(*address)
    except OSError:
        return False
    writer.close()
    return True


@contextmanager
def neighbour() -> Iterator[Reached]:
    """Plug the neighbour in; yields a function that names those of some addresses that it can connect to.

    It can connect to a port of the machine that is not the lab's, or the function fails: without that, an
    empty answer would say nothing.
    """
    _ip("netns", "add", NAMESPACE)
    try:
        _ip("link", "add", LINK, "type", "veth", "peer", "name", "eth0", "netns", NAMESPACE)
        _ip("address", "add", f"{MACHINE}/24", "dev", LINK)
        _ip("link", "set", LINK, "up")
        inside = ("-n", NAMESPACE)
        _ip(*inside, "address", "add", f"{NEIGHBOUR}/24", "dev", "eth0")
        _ip(*inside, "link", "set", "eth0", "up")
        for network in LAB:
            _ip(*inside, "route", "add", network, "via", MACHINE)
        _in_namespace("sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet")
        with closing(socket.create_server((MACHINE, 0))) as control:
            control_address: Address = (MACHINE, control.getsockname()[1])

            def reached(addresses: Sequence[Address]) -> set[Address]:
                text = json.dumps([*addresses, control_address])
                said = _in_namespace(sys.executable, "-m", "tests.e2e.neighbour", text=text)
                found = {(host, port) for host, port in json.loads(said)}
                assert control_address in found, "the neighbour reaches nothing at all"
                return found - {control_address}

            yield reached
    finally:
        with suppress(subprocess.CalledProcessError):
            _ip("link", "delete", LINK)
        _ip("netns", "delete", NAMESPACE)


def loopback_and_local_ports() -> set[Address]:
    """Name what listens on the machine now, at loopback or at all addresses, as the neighbour would ask."""
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        local, state = line.split()[1], line.split()[3]
        address, port = local.split(":")
        if state == "0A":  # TCP_LISTEN
            host = socket.inet_ntoa(int(address, 16).to_bytes(4, sys.byteorder))
            found.add((MACHINE if host == "0.0.0.0" else host, int(port, 16)))  # noqa: S104
    return found


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def _in_namespace(*command: str, text: str | None = None) -> str:
    environment: Mapping[str, str] = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    words = ["ip", "netns", "exec", NAMESPACE, *command]
    done = subprocess.run(words, input=text, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


if __name__ == "__main__":
    main()

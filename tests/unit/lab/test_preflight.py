import os
import platform
import shutil
import socket
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lab import preflight
from lab.errors import LabError
from lab.preflight import GIBIBYTE, check_disk, check_ports, check_system


@pytest.fixture
def listener() -> Iterator[int]:
    """A port on which this very process listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@pytest.fixture
def ports(listener: int, monkeypatch: pytest.MonkeyPatch) -> dict[int, str]:
    """The table of ports, with that one in it."""
    table = {listener: "etcd"}
    monkeypatch.setattr(preflight, "PORTS", table)
    monkeypatch.setattr(preflight, "NODE_PORTS", {})
    return table


def test_another_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a Mac the message names what to use instead."""
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    with pytest.raises(LabError) as issue:
        check_system()
    assert issue.value.what.startswith("this is Darwin")
    assert "On your own cluster" in issue.value.fix


def test_not_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without root the message has the reason, and the command with sudo."""
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LabError) as issue:
        check_system()
    assert issue.value.what.startswith("user id 1000 is not root")
    assert issue.value.fix.startswith("sudo make up")


def test_root_on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    """A suitable machine raises no error."""
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    check_system()


def test_too_little_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How much there is, where, and how much it takes; asked of the folder that exists already."""
    usage = namedtuple("usage", "total used free")  # noqa: PYI024 (what shutil returns)
    asked: list[Path] = []

    def disk(folder: Path) -> usage:
        asked.append(folder)
        return usage(0, 0, int(2.5 * GIBIBYTE))

    monkeypatch.setattr(shutil, "disk_usage", disk)
    check_disk(tmp_path, 2 * GIBIBYTE)
    with pytest.raises(LabError) as issue:
        check_disk(tmp_path / "cache" / "lab", 14 * GIBIBYTE)
    assert issue.value.what == f"2.5 GiB free under {tmp_path}, 14 GiB needed"
    assert "XDG_CACHE_HOME" in issue.value.fix
    assert asked == [tmp_path, tmp_path]


def test_a_port_taken(listener: int, ports: dict[int, str]) -> None:
    """The port, what it is for, and who holds it, by name and pid."""
    assert ports
    with pytest.raises(LabError) as issue:
        check_ports(set())
    holder = f"{psutil.Process().name()}, pid {os.getpid()}"
    assert issue.value.what == f"port {listener} (etcd) is in use by {holder}"
    assert "ss -ltnp" in issue.value.fix


def test_all_taken_ports_are_in_one_message(listener: int, ports: dict[int, str]) -> None:
    """All ports in use are reported together."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as other:
        ports[other.getsockname()[1]] = "the API server"
        with pytest.raises(LabError) as issue:
            check_ports(set())
    assert f"port {listener} (etcd)" in issue.value.what
    assert f"port {other_port(ports, listener)} (the API server)" in issue.value.what


def other_port(ports: dict[int, str], port: int) -> int:
    """The port that is not this one."""
    return next(each for each in ports if each != port)


def test_a_port_that_the_lab_itself_holds(listener: int, ports: dict[int, str]) -> None:
    """`make up` on a running lab accepts the lab's own processes."""
    assert listener in ports
    check_ports({os.getpid()})


def test_other_ports_are_not_checked(listener: int, ports: dict[int, str]) -> None:
    """Also a connection to a port in the table is no listener."""
    ports.clear()
    with socket.create_connection(("127.0.0.1", listener)) as client:
        ports[client.getsockname()[1]] = "the kubelet"
        check_ports(set())


def test_the_table_names_the_ports_of_the_walkthrough() -> None:
    """The ports of the API server, of etcd and of the walkthrough are checked."""
    assert {2379, 6443, 31380, 31386} <= {*preflight.PORTS, *preflight.NODE_PORTS}

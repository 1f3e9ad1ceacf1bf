"""Whatever ends a lab process, `make up` repairs the lab with its data intact; `down` leaves nothing."""

import json
import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lab.build import debian
from lab.node import cgroups
from lab.node.firewall import CHAIN
from lab.node.network import BRIDGE, NODE_ADDRESS
from lab.places import Places
from lab.progress import Progress
from tests.e2e.conftest import CHECKOUT, Shell, lab
from tests.e2e.neighbour import MACHINE, Reached, neighbour
from tests.e2e.traffic import ask

URL = "http://127.0.0.1:31380/hello"
KILLED = (
    # Processes that are killed together do not depend on each other.
    ("etcd", "containerd"),
    ("kube-apiserver",),
    ("kubelet", "kube-controller-manager", "kube-scheduler", "kube-proxy"),
)
FOLLOWERS = {"kube-apiserver": ("kube-controller-manager", "kube-scheduler")}
"""Processes that would take up to a minute to reconnect to a new API server."""
AT_THE_START = [
    *(
        (host, port)
        for host in ("127.0.0.1", MACHINE, NODE_ADDRESS)
        for port in (2379, 2380, 6443, 10250, 31380)
    ),
    *((f"10.244.0.{pod}", port) for pod in range(2, 14) for port in (53, 8080, 15010, 15012, 15014, 15021)),
]
"""Ports of the lab; pods get their addresses from the first one on."""
PLACES = Places.of_this_machine()


def pid_of(process: str) -> int:
    """The pid in a process' record."""
    return int(json.loads((PLACES.state / "processes" / f"{process}.json").read_text())["pid"])


def uids(shell: Shell) -> dict[str, str]:
    """The uids of objects, which would change if the cluster were created again."""
    kinds = "deployments,services,serviceaccounts,virtualservices.networking.istio.io"
    items = shell.json(f"kubectl get {kinds} -n springistiodemo -o json")["items"]
    return {f"{item['kind']}/{item['metadata']['name']}": item["metadata"]["uid"] for item in items}


@pytest.mark.parametrize("processes", KILLED, ids=" ".join)
def test_processes_killed(shell: Shell, processes: tuple[str, ...]) -> None:
    """After `kill -9` of any, `make up` starts them again, with their followers; no object is touched."""
    before = uids(shell)
    for process in processes:
        os.kill(pid_of(process), signal.SIGKILL)
    output = lab("up").stdout
    for process in (*processes, *FOLLOWERS.get(processes[0], ())):
        assert f"start {process}" in output
    assert uids(shell) == before
    assert ask(URL, 50) == {"v1": 50}


def test_everything_killed_as_by_a_reboot(shell: Shell) -> None:
    """After every process of the lab was killed, `make up` brings the same cluster back."""
    before = uids(shell)
    assert cgroups.kill() == set()
    lab("up")
    assert uids(shell) == before
    assert ask(URL, 50) == {"v1": 50}


def test_pulumi_killed_in_the_middle_of_up(shell: Shell) -> None:
    """A killed `pulumi up` leaves a lock and half of the objects; `make up` brings the whole back."""
    shell.run("pulumi destroy --stack dev --yes --skip-preview")
    shell.run(
        "(pulumi up --stack dev --yes --skip-preview >/dev/null 2>&1 & echo $! >.lab/killed.pid);"
        "until kubectl get deployments -n springistiodemo 2>/dev/null | grep -q v1; do sleep 0.1; done;"
        "kill -KILL $(cat .lab/killed.pid); rm .lab/killed.pid"
    )
    assert list((PLACES.pulumi / "backend/.pulumi/locks").rglob("*.json"))
    lab("up")
    assert ask(URL, 50) == {"v1": 50}
    shell.run("pulumi preview --stack dev --expect-no-changes")
    assert not shell.json("pulumi stack export --stack dev")["deployment"].get("pending_operations")


def test_up_changes_no_tracked_file() -> None:
    """Pulumi writes `encryptionsalt` into copies of the stack files."""
    for file in (CHECKOUT / "Pulumi.dev.yaml", CHECKOUT / "mesh-platform/Pulumi.lab.yaml"):
        lines = file.read_text().splitlines(keepends=True)
        file.write_text("".join(each for each in lines if not each.startswith("encryptionsalt:")))
    git = ("git", "-C", CHECKOUT, "diff")
    before = subprocess.run(git, capture_output=True, text=True, check=True).stdout
    lab("up")
    assert subprocess.run(git, capture_output=True, text=True, check=True).stdout == before


def machine() -> dict[str, object]:
    """Everything that a lab could leave behind on the machine."""
    root = debian.Packages(cache=PLACES.cache, progress=Progress()).directory("node", debian.NODE)
    environment = {**os.environ, **debian.environment(root)}

    def output(*command: str) -> list[str]:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    settings = (
        "net/ipv4/ip_forward",
        "net/ipv4/conf/all/route_localnet",
        "net/bridge/bridge-nf-call-iptables",
    )
    return {
        "mounts": sorted(line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()),
        "links": sorted(path.name for path in Path("/sys/class/net").iterdir()),
        "network namespaces": output("ip", "netns", "list"),
        "firewall": output("nft", "--stateless", "list", "ruleset"),
        "addresses": sorted(output("ip", "-brief", "address")),
        "routes": sorted(output("ip", "route", "show", "table", "all")),
        "control groups": sorted(
            str(path) for path in cgroups.MOUNT.glob("**/*") if path.name == cgroups.ROOT
        ),
        "settings": [
            Path("/proc/sys", name).read_text() for name in settings if Path("/proc/sys", name).exists()
        ],
        "runtime files": [
            str(path) for path in (Path("/run/containerd"), Path("/var/lib/cni")) if path.exists()
        ],
        "processes": sorted(
            str(path.resolve())
            for path in Path("/proc").glob("[0-9]*/exe")
            if PLACES.cache.as_posix() in os.path.realpath(path)
        ),
    }


def test_down_leaves_nothing(shell: Shell) -> None:
    """The machine after down, up, down is the machine after down, and nothing in it is the lab's.

    The second `down` finds a broken state: unreadable records, a killed process, a removed link.
    While the lab starts, another host tries to reach it, and cannot at any moment.
    """
    with neighbour() as reached:
        _down_leaves_nothing(shell, reached)


def _down_leaves_nothing(shell: Shell, reached: Reached) -> None:
    before = uids(shell)
    lab("down")
    clean = machine()
    assert clean["control groups"] == []
    assert clean["processes"] == []
    assert clean["runtime files"] == []
    assert BRIDGE not in clean["links"]  # type: ignore[operator]
    assert not [mount for mount in clean["mounts"] if str(PLACES.state) in mount]  # type: ignore[attr-defined]
    chains = ("KUBE-", "CNI-", CHAIN)
    assert not [line for line in clean["firewall"] if any(chain in line for chain in chains)]  # type: ignore[attr-defined]
    with ThreadPoolExecutor() as together:
        starts = together.submit(lab, "up")
        found, tries = set(), 0
        while not starts.done():
            found |= reached(AT_THE_START)
            tries += 1
        starts.result()
    assert found == set()
    assert tries > 5
    assert uids(shell) == before
    os.kill(pid_of("containerd"), signal.SIGKILL)
    for record in (PLACES.state / "processes").glob("*.json"):
        record.write_text("{")
    subprocess.run(["ip", "link", "delete", BRIDGE], check=False)
    lab("down")
    assert cgroups.pids() == set()
    assert machine() == clean
    lab("down")  # a second time is no error
    lab("up")
    assert uids(shell) == before
    assert ask(URL, 50) == {"v1": 50}


def test_files_of_the_lab_are_its_owners_only(shell: Shell) -> None:
    """No other user can read a certificate, a token, a log or the cluster's data."""
    assert shell
    for folder in (PLACES.state, PLACES.cache):
        assert folder.stat().st_mode & 0o077 == 0, folder
    for path in (PLACES.kubeconfig, PLACES.environment, *(PLACES.state / "pki").iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path

"""Each mistake gives one clear message with the next step, and leaves nothing half-started."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.node import cgroups
from tests.e2e.conftest import CHECKOUT, MakeStack, lab

SETTINGS = {
    "namespace": {"name": "e2e-bad", "injection": "enabled"},
    "app": {"name": "orders", "image": "lab/orders", "port": 9090, "probe": "/healthz"},
    "versions": {"v1": {"tag": "1.0"}},
    "weights": {"v1": 100},
    "gateway": {"hosts": ["bad.example.com"]},
    "ingress": {"address": "127.0.0.1"},
}


@pytest.fixture(scope="class")
def _lab_is_down(_lab_is_up: None) -> Iterator[None]:
    lab("down")
    yield
    lab("up")


@pytest.mark.usefixtures("_lab_is_down")
class TestStarting:
    """On a machine where the lab does not run: the fault is told, and nothing of the lab runs afterwards."""

    @pytest.mark.parametrize("port", [2379, 6443, 31380])
    def test_a_port_is_taken(self, port: int) -> None:
        """The message names the port, its purpose and who holds it."""
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", port))
            taken.listen()
            done = lab("up", check=False)
        assert done.returncode == 1
        assert f"port {port} " in done.stdout
        assert "pid " in done.stdout
        assert "Traceback" not in done.stdout
        assert cgroups.pids() == set()

    @pytest.fixture
    def empty(self, tmp_path: Path) -> dict[str, str]:
        """An environment with a cache and a state of its own."""
        return {"XDG_CACHE_HOME": str(tmp_path / "cache"), "XDG_STATE_HOME": str(tmp_path / "state")}

    def test_no_go_and_no_pulumi(self, empty: dict[str, str]) -> None:
        """Said at once, before anything is downloaded or started."""
        done = lab("up", check=False, environment={**empty, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        assert done.returncode == 1
        assert "no `go` on PATH" in done.stdout
        assert "install Go 1.26" in done.stdout
        assert cgroups.pids() == set()

    def test_a_download_is_refused(self, empty: dict[str, str]) -> None:
        """A proxy that does not answer is told apart from sources that do not compile."""
        done = lab("up", check=False, environment={**empty, "GOPROXY": "http://127.0.0.1:1"})
        assert done.returncode == 1
        assert "module proxy" in done.stdout
        assert "GOPROXY" in done.stdout
        assert "Traceback" not in done.stdout
        assert cgroups.pids() == set()

    def test_a_checksum_differs(self, empty: dict[str, str], tmp_path: Path) -> None:
        """A module that is not the one of go.sum is not built."""
        clone = tmp_path / "clone"
        subprocess.run(["git", "clone", "--quiet", str(CHECKOUT), str(clone)], check=True)
        shutil.copytree(CHECKOUT / "lab", clone / "lab", dirs_exist_ok=True)
        sums = clone / "lab/build/modules/cluster/go.sum"
        lines = sums.read_text().splitlines()
        forged = [
            f"{line.rpartition(' ')[0]} h1:{'A' * 43}=" if line.startswith("k8s.io/kubernetes v") else line
            for line in lines
        ]
        assert forged != lines
        sums.write_text("\n".join(forged) + "\n")
        done = lab("up", check=False, folder=clone, environment=empty)
        assert done.returncode == 1
        assert "differs from" in done.stdout
        assert "go.sum" in done.stdout
        assert cgroups.pids() == set()


def test_a_context_that_is_not_there(new_stack: MakeStack) -> None:
    """A broken kubeconfig context: told by its name, by preview already."""
    stack = new_stack("e2e-context", **SETTINGS)
    stack.shell.run("pulumi config set --stack e2e-context kubernetes:context elsewhere")
    done = stack.pulumi("preview", check=False)
    assert done.returncode
    assert "elsewhere" in done.stdout
    assert "kubectl config get-contexts" in done.stdout
    assert "Traceback" not in done.stdout


def test_an_ingress_that_is_not_there(new_stack: MakeStack) -> None:
    """A cluster without Istio, or with its gateway elsewhere: preview names the key and the Service."""
    settings = {**SETTINGS, "ingress": {"service": "istio-system/elsewhere", "address": "127.0.0.1"}}
    stack = new_stack("e2e-ingress", **settings)
    done = stack.pulumi("preview", check=False)
    assert done.returncode
    assert "mesh-app:ingress.service" in done.stdout
    assert "'istio-system/elsewhere' does not exist" in done.stdout
    assert "Traceback" not in done.stdout

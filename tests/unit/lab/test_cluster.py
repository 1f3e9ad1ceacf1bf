import dataclasses
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.errors import LabError
from lab.node import cgroups, node
from lab.node.cluster import Cluster
from lab.node.control_plane import SUBJECTS
from lab.node.network import BRIDGE
from lab.node.process import wait_until
from lab.places import Places
from lab.progress import Progress, Step
from tests.unit.lab.conftest import Programs

HERE = Path(__file__).parent


@pytest.fixture
def cluster(tmp_path: Path, places: Places, progress: Progress, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """A cluster on a machine of folders, with certificates and configuration written."""
    monkeypatch.setattr(cgroups, "MOUNT", tmp_path / "cgroup")
    for name in ("SHIM_SOCKETS", "RUNC_STATE", "CNI_RESULTS"):
        monkeypatch.setattr(node, name, tmp_path / "run" / name / "folder")
    monkeypatch.setattr("lab.node.pki.KEY_BITS", 1024)
    places.make()
    return Cluster(places=places, progress=progress, kube=tmp_path / "kube", root=tmp_path / "root")


def flags(cluster: Cluster) -> dict[str, list[str]]:
    """How each process is called."""
    return {process.name: list(process.command) for process in cluster.processes()}


def test_processes_stand_in_the_order_in_which_they_need_each_other(cluster: Cluster) -> None:
    """The store first: it is also the last to go."""
    assert [process.name for process in cluster.processes()] == [
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "containerd",
        "kubelet",
        "kube-proxy",
    ]


def test_from_another_shell_the_processes_are_the_same(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make up` from another terminal changes nothing: no variable of the shell goes into a daemon."""
    before = [(process.command, process.environment) for process in cluster.processes()]
    for name in ("PATH", "HTTPS_PROXY", "SHLVL", "HOME"):
        monkeypatch.setenv(name, "/another")
    again = dataclasses.replace(cluster)
    assert [(process.command, process.environment) for process in again.processes()] == before


def test_what_can_listen_on_loopback_does(cluster: Cluster) -> None:
    """Only the API server and the kubelet listen to pods, and they ask for a certificate or a token."""
    addresses = {
        (name, flag): value
        for name, command in flags(cluster).items()
        for flag, _, value in (word.partition("=") for word in command[1:])
        if flag.startswith("--listen-") or flag.endswith("bind-address")
    }
    assert addresses == {
        ("etcd", "--listen-client-urls"): "https://127.0.0.1:2379",
        ("etcd", "--listen-peer-urls"): "https://127.0.0.1:2380",
        ("kube-controller-manager", "--bind-address"): "127.0.0.1",
        ("kube-scheduler", "--bind-address"): "127.0.0.1",
        ("kube-proxy", "--healthz-bind-address"): "127.0.0.1:10256",
        ("kube-proxy", "--metrics-bind-address"): "127.0.0.1:10249",
    }
    assert "--anonymous-auth=false" in flags(cluster)["kube-apiserver"]
    assert {"--client-cert-auth", "--peer-client-cert-auth"} <= set(flags(cluster)["etcd"])
    assert "--nodeport-addresses=127.0.0.1/32,10.244.0.1/32" in flags(cluster)["kube-proxy"]
    assert "--authorization-mode=Node,RBAC" in flags(cluster)["kube-apiserver"]


def test_every_file_that_a_process_is_given_is_there(cluster: Cluster, places: Places) -> None:
    """Certificates, keys and kubeconfigs in the flags are those that were made, private to their owner."""
    cluster.configure()
    for name, command in flags(cluster).items():
        for flag in command[1:]:
            path = Path(flag.rpartition("=")[2])
            if path.is_relative_to(places.state) and path.suffix:
                assert path.stat().st_mode & 0o777 == 0o600, (name, flag)


def test_the_nodes_configuration_is_as_expected(cluster: Cluster, places: Places) -> None:
    """The kubelet's file, beside this test: its limits, its authentication, and where it keeps things."""
    cluster.configure()
    written = (places.state / "kubelet/config.yaml").read_text().replace(str(places.state), "STATE")
    assert yaml.safe_load(written) == yaml.safe_load((HERE / "kubelet.yaml").read_text())


def test_every_kubeconfig_is_of_its_own_subject(cluster: Cluster, places: Places) -> None:
    """No process of the cluster goes about as the administrator."""
    cluster.configure()
    users = {
        path.stem: yaml.safe_load(path.read_text())["users"][0]["name"]
        for path in (places.state / "kubeconfigs").iterdir()
    }
    assert users == {name: name for name in users}
    assert set(users) <= {subject.name for subject in SUBJECTS} - {"admin"}


def pod(name: str, *, running: bool = True, ready: bool = True, waiting: str = "") -> dict[str, Any]:
    """A system pod as the API server returns it."""
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "istio-system"},
        "status": {
            "phase": "Running",
            "containerStatuses": [
                {
                    "containerID": f"containerd://{'run' if running else 'old'}-{name}",
                    "state": {"waiting": {"reason": waiting}} if waiting else {"running": {}},
                }
            ],
            "conditions": [
                {"type": "Ready", "status": "True" if ready else "False", "message": "containers not ready"}
            ],
        },
    }


NODE = {
    "kind": "Node",
    "metadata": {"name": "lab"},
    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
}
NOT_READY = {"kind": "Node", "metadata": {"name": "lab"}, "status": {}}
APP = {**pod("app", ready=False), "metadata": {"name": "app", "namespace": "springistiodemo"}}
DEPLOYMENT = {
    "kind": "Deployment",
    "metadata": {"name": "istiod", "namespace": "istio-system"},
    "status": {"conditions": [{"type": "Available", "status": "False", "message": "0 of 1"}]},
}


@pytest.mark.parametrize(
    ("items", "lack"),
    [
        ([NODE, pod("istiod")], ""),
        ([NODE, pod("istiod"), APP], ""),
        ([NODE], "no system pod yet"),
        ([NODE, APP], "no system pod yet"),
        ([NOT_READY, pod("istiod")], "node lab: not Ready yet"),
        ([NODE, pod("istiod", ready=False)], "pod istiod: containers not ready"),
        ([NODE, pod("istiod", running=False)], "pod istiod: Running"),
        ([NODE, pod("gateway", running=False, waiting="ErrImagePull")], "pod gateway: ErrImagePull"),
        ([NODE, pod("istiod"), DEPLOYMENT], "deployment istiod: 0 of 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_missing_part_is_shown(
    cluster: Cluster, programs: Programs, items: list[dict[str, Any]], lack: str
) -> None:
    """Node, system pods and deployments; a pod counts when its containers are those that run now."""
    printed = programs.folder / "objects.json"
    printed.write_text(json.dumps({"items": items}))
    programs.add("kubectl", f"cat {printed}", cluster.kube)
    tasks = "TASK PID STATUS\\nrun-istiod 1 RUNNING\\nrun-gateway 2 RUNNING\\nold-istiod 3 STOPPED"
    programs.add("ctr", f'printf "{tasks}\\n"', cluster.root / "usr/bin")
    step = Step("settle")
    log = cluster.places.logs / "kubelet.log"
    if not lack:
        wait_until(cluster.unsettled, step, 0, log)
    else:
        with pytest.raises(LabError) as issue:
            wait_until(cluster.unsettled, step, 0, log)
        assert issue.value.what == f"not ready after 0 s: {lack}"


def test_stop_works_from_nothing(cluster: Cluster) -> None:
    """No state, no cache, no control groups: `make down` of what is not there is a good end."""
    cluster.stop()


def test_the_pods_links_are_those_that_cni_noted(cluster: Cluster, places: Places) -> None:
    """The machine's ends of the lab's own links; results that cannot be read are skipped."""
    for container in ("abc", "def"):
        (places.state / "containerd/run/io.containerd.runtime.v2.task/k8s.io" / container).mkdir(parents=True)
    node.CNI_RESULTS.mkdir(parents=True)
    ends = [{"name": BRIDGE}, {"name": "veth0a"}, {"name": "eth0", "sandbox": "/netns/1"}]
    loopback = [{"name": "lo", "sandbox": "/netns/1"}]
    others = [{"name": "veth0b"}]
    for note, interfaces in (
        ("lab-abc-eth0", ends),
        ("cni-loopback-abc-lo", loopback),
        ("lab-xyz-eth0", others),
    ):
        (node.CNI_RESULTS / note).write_text(json.dumps({"result": {"interfaces": interfaces}}))
    (node.CNI_RESULTS / "lab-def-eth0").write_text("{")
    (node.CNI_RESULTS / "lab-def-eth1").write_text("null")
    assert cluster.links() == {"veth0a"}


def test_stop_removes_what_the_runtime_left(cluster: Cluster, places: Places) -> None:
    """Sockets of shims, runc's and CNI's notes of the lab's containers go; those of others stay."""
    run = places.state / "containerd/run"
    task = run / "io.containerd.runtime.v2.task/k8s.io/abc"
    for path in (
        node.SHIM_SOCKETS / "mine",
        node.SHIM_SOCKETS / "theirs",
        node.RUNC_STATE / "abc/state.json",
        node.CNI_RESULTS / "lab-abc-eth0",
        node.CNI_RESULTS / "podman-xyz-eth0",
        places.state / "containerd/addresses/lab/10.244.0.2",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    task.mkdir(parents=True)
    (task / "address").write_text(f"unix://{node.SHIM_SOCKETS / 'mine'}")
    cluster.stop()
    assert [path.name for path in node.SHIM_SOCKETS.iterdir()] == ["theirs"]
    assert [path.name for path in node.CNI_RESULTS.iterdir()] == ["podman-xyz-eth0"]
    assert not node.RUNC_STATE.exists()
    assert not run.exists()
    assert not (places.state / "containerd/addresses").exists()


def test_processes_that_do_not_die_are_named(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nothing else is removed, and the message has the command to check them."""
    monkeypatch.setattr(cgroups, "kill", lambda: {42, 7})
    run = cluster.places.state / "containerd/run"
    run.mkdir(parents=True)
    with pytest.raises(LabError) as issue:
        cluster.stop()
    assert issue.value.what.startswith("processes [7, 42] do not end")
    assert run.exists()


def test_kubectl_is_the_administrator(cluster: Cluster, programs: Programs) -> None:
    """It uses the lab's own kubeconfig, whatever the shell's is."""
    programs.add("kubectl", 'echo "$@"', cluster.kube)
    done = cluster.kubectl("get", "pods")
    assert isinstance(done, subprocess.CompletedProcess)
    assert done.stdout == f"--kubeconfig={cluster.places.kubeconfig} get pods\n"
    assert os.environ["PATH"] == str(programs.folder)


def test_the_log_that_matters_is_the_pods(cluster: Cluster) -> None:
    """Where a pod is what is missing, the error shows the log that this pod wrote last."""
    folder = cluster.places.logs / "pods" / "istio-system_istiod-6c9d_uid" / "discovery"
    folder.mkdir(parents=True)
    for number, moment in ((0, 100), (1, 200)):
        (folder / f"{number}.log").write_text("")
        os.utime(folder / f"{number}.log", (moment, moment))
    assert cluster._pod_log("pod istiod-6c9d: CrashLoopBackOff") == folder / "1.log"  # noqa: SLF001
    assert cluster._pod_log("pod coredns-1: Pending") is None  # noqa: SLF001
    assert cluster._pod_log("node lab: not Ready yet") is None  # noqa: SLF001

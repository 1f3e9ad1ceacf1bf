"""Who reaches what shows the mesh, and what that may do itself: the machine's user, and look."""

import socket

import psutil
import pytest

from tests.e2e.conftest import CHECKOUT, Shell, lab
from tests.e2e.observers import JAEGER, KIALI, kiali

LOOPBACK_PORTS = (20001, 16686)
PROMETHEUS = 9090
ACCOUNTS = ("default", "kiali", "prometheus")
"""Of istio-system: Jaeger runs under the namespace's own, without a token."""

CHANGES = (
    "create deployments.apps",
    "patch deployments.apps",
    "patch virtualservices.networking.istio.io",
    "delete virtualservices.networking.istio.io",
    "patch namespaces",
    "get secrets",
    "get pods --subresource=log",
    "create pods --subresource=portforward",
    "create pods --subresource=exec",
    "get nodes --subresource=proxy",
    "create clusterrolebindings.rbac.authorization.k8s.io",
    "impersonate users",
    "'*' '*'",
)
"""What none of them may."""


@pytest.fixture(scope="module")
def shell() -> Shell:
    """A shell on a lab with all of them."""
    lab("observe")
    return Shell(folder=CHECKOUT)


def others() -> list[str]:
    """Every address of the machine but loopback's."""
    return [
        each.address
        for addresses in psutil.net_if_addrs().values()
        for each in addresses
        if each.family == socket.AF_INET and not each.address.startswith("127.")
    ]


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize("port", LOOPBACK_PORTS)
def test_the_machine_itself_alone_reaches_them(port: int) -> None:
    """At 127.0.0.1 Kiali and Jaeger answer, at none of the machine's other addresses."""
    socket.create_connection(("127.0.0.1", port), timeout=5).close()
    assert others()
    for address in others():
        with pytest.raises(OSError, match=r"refused|timed out"):
            socket.create_connection((address, port), timeout=2).close()


@pytest.mark.usefixtures("shell")
def test_prometheus_has_no_port_of_the_machine() -> None:
    """It is reached in the cluster, and through the API server by who may."""
    for address in ("127.0.0.1", *others()):
        with pytest.raises(OSError, match=r"refused|timed out"):
            socket.create_connection((address, PROMETHEUS), timeout=2).close()


def test_no_service_of_theirs_leads_out_of_the_cluster(shell: Shell) -> None:
    """Neither a NodePort nor a load balancer nor an address of its own."""
    names = ("kiali", "jaeger-collector", "jaeger-query", "prometheus")
    found = shell.json(f"kubectl get services {' '.join(names)} -n istio-system -o json")["items"]
    assert {each["metadata"]["name"]: each["spec"]["type"] for each in found} == dict.fromkeys(
        names, "ClusterIP"
    )
    assert not any(each["spec"].get("externalIPs") for each in found)


@pytest.mark.parametrize("account", ACCOUNTS)
def test_none_of_them_may_change_or_read_what_is_secret(shell: Shell, account: str) -> None:
    """By the API server's own judgement; nobody is cluster-admin."""
    name = f"system:serviceaccount:istio-system:{account}"
    allowed = [
        what
        for what in CHANGES
        if shell.run(f"kubectl auth can-i {what} -A --as={name}", check=False).stdout.splitlines()[-1] != "no"
    ]
    assert allowed == []


def test_kiali_may_look(shell: Shell) -> None:
    """So that the answers above say something."""
    name = "system:serviceaccount:istio-system:kiali"
    for what in ("watch virtualservices.networking.istio.io", "list pods", "get configmaps"):
        assert shell.run(f"kubectl auth can-i {what} -A --as={name}").stdout.splitlines()[-1] == "yes"


def test_kiali_asks_istiod_and_no_application(shell: Shell) -> None:
    """It forwards ports in the mesh's own namespace, and in no other."""
    what = "create pods --subresource=portforward --as=system:serviceaccount:istio-system:kiali"
    for namespace, may in (("istio-system", "yes"), ("springistiodemo", "no"), ("kube-system", "no")):
        said = shell.run(f"kubectl auth can-i {what} -n {namespace}", check=False).stdout
        assert said.splitlines()[-1] == may, namespace


def test_jaeger_has_no_token(shell: Shell) -> None:
    """It asks nothing of the API server."""
    (pod,) = shell.pods("istio-system", "app.kubernetes.io/name=jaeger")
    assert pod["spec"]["automountServiceAccountToken"] is False


@pytest.mark.usefixtures("shell")
def test_kiali_changes_nothing_of_the_mesh() -> None:
    """Whoever asks it to: the API server refuses it."""
    with kiali() as api:
        path = "namespaces/springistiodemo/istio/virtualservices/springbootapp"
        assert api.get("namespaces").status_code == 200
        for answer in (api.patch(path, json={"spec": {"http": []}}), api.delete(path)):
            assert not answer.is_success
            assert "kiali" in answer.text
            assert "is forbidden" in answer.text


def test_a_later_make_up_leaves_them_alone(shell: Shell) -> None:
    """Their stacks are others; once more is no change, and the cluster has what they declare."""
    before = {pod["metadata"]["uid"] for pod in shell.pods("istio-system")}
    lab("up")
    assert {pod["metadata"]["uid"] for pod in shell.pods("istio-system")} == before
    said = lab("observe").stdout
    updates = [line for line in said.splitlines() if line.startswith("✓ pulumi up")]
    assert len(updates) > 2
    assert all("no change" in line for line in updates), updates
    assert f"kiali  {KIALI}" in said
    assert f"jaeger  {JAEGER}" in said
    platform = Shell(folder=CHECKOUT / "mesh-platform")
    for words in ("preview", "refresh --preview-only --run-program"):
        platform.run(f"pulumi {words} --stack observe --expect-no-changes --non-interactive")

"""Runs etcd, API server, controller manager and scheduler, each with a certificate of its own."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from lab.node.network import (
    API_PORT,
    API_SERVICE_ADDRESS,
    CLUSTER_CIDR,
    NODE_ADDRESS,
    SERVICE_CIDR,
)
from lab.node.pki import Authority, Subject
from lab.node.process import Process

NODE = "lab"
"""The node's name."""
API = f"https://127.0.0.1:{API_PORT}"
ETCD = "https://127.0.0.1:2379"
ETCD_PEER = "https://127.0.0.1:2380"

SUBJECTS = (
    Subject(
        name="kube-apiserver",
        common_name="kube-apiserver",
        hosts=(
            "127.0.0.1",
            NODE_ADDRESS,
            API_SERVICE_ADDRESS,
            "localhost",
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
        ),
    ),
    Subject(name="etcd", common_name="etcd", hosts=("127.0.0.1", "localhost")),
    Subject(name="admin", common_name="admin", groups=("system:masters",)),
    Subject(name="kube-controller-manager", common_name="system:kube-controller-manager"),
    Subject(name="kube-scheduler", common_name="system:kube-scheduler"),
    Subject(name="kube-proxy", common_name="system:kube-proxy"),
    Subject(
        name="kubelet",
        common_name=f"system:node:{NODE}",
        groups=("system:nodes",),
        hosts=(NODE_ADDRESS, NODE),
    ),
)
"""Clients and servers of the control plane, with the user names that Kubernetes' default roles bind."""


@dataclass(frozen=True, kw_only=True)
class ControlPlane:
    """The processes of the control plane, in the order in which they start."""

    kube: Path
    """The folder of the Kubernetes binary and its names."""
    etcd_binary: Path
    authority: Authority
    state: Path
    logs: Path
    environment: Mapping[str, str]

    def processes(self) -> list[Process]:
        """Return all four, in the order in which they start."""
        return [self.etcd(), self.apiserver(), self.controller_manager(), self.scheduler()]

    def kubeconfig(self, user: str) -> Path:
        """Return the path of a subject's kubeconfig."""
        return self.state / "kubeconfigs" / f"{user}.yaml"

    def etcd(self) -> Process:
        """Run etcd on loopback. Both of its ports need a client certificate.

        It has no peers, but opens the port for them all the same, and a peer may write anything.
        """
        pki = self.authority
        return self._process(
            "etcd",
            [
                str(self.etcd_binary),
                f"--data-dir={self.state / 'etcd'}",
                "--name=lab",
                f"--listen-client-urls={ETCD}",
                f"--advertise-client-urls={ETCD}",
                f"--listen-peer-urls={ETCD_PEER}",
                f"--initial-advertise-peer-urls={ETCD_PEER}",
                f"--initial-cluster=lab={ETCD_PEER}",
                "--client-cert-auth",
                f"--trusted-ca-file={pki.certificate}",
                f"--cert-file={pki.path('etcd', 'crt')}",
                f"--key-file={pki.path('etcd', 'key')}",
                "--peer-client-cert-auth",
                "--peer-cert-allowed-cn=etcd",
                f"--peer-trusted-ca-file={pki.certificate}",
                f"--peer-cert-file={pki.path('etcd', 'crt')}",
                f"--peer-key-file={pki.path('etcd', 'key')}",
                "--auto-compaction-mode=periodic",
                "--auto-compaction-retention=10m",
            ],
            health=f"{ETCD}/health",
        )

    def apiserver(self) -> Process:
        """Run the API server.

        It has one listener, which must be reached on loopback and, by pods, on the node's address: so it
        listens on all addresses. A client needs a certificate or a token, and the firewall drops other hosts.
        """
        pki = self.authority
        return self._kube(
            "kube-apiserver",
            f"--etcd-servers={ETCD}",
            f"--etcd-cafile={pki.certificate}",
            f"--etcd-certfile={pki.path('etcd', 'crt')}",
            f"--etcd-keyfile={pki.path('etcd', 'key')}",
            f"--advertise-address={NODE_ADDRESS}",
            f"--secure-port={API_PORT}",
            f"--tls-cert-file={pki.path('kube-apiserver', 'crt')}",
            f"--tls-private-key-file={pki.path('kube-apiserver', 'key')}",
            f"--client-ca-file={pki.certificate}",
            f"--kubelet-certificate-authority={pki.certificate}",
            f"--kubelet-client-certificate={pki.path('kube-apiserver', 'crt')}",
            f"--kubelet-client-key={pki.path('kube-apiserver', 'key')}",
            "--kubelet-preferred-address-types=InternalIP",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={pki.path('service-accounts', 'key')}",
            f"--service-account-signing-key-file={pki.path('service-accounts', 'key')}",
            f"--service-cluster-ip-range={SERVICE_CIDR}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--anonymous-auth=false",
            "--allow-privileged=true",  # istio-init sets up a pod's redirection with NET_ADMIN
            "--profiling=false",
            health=f"{API}/readyz",
            # It has no data of its own, and would wait a minute for open watches.
            grace=2,
        )

    def controller_manager(self) -> Process:
        """Run the controllers."""
        pki = self.authority
        return self._kube(
            "kube-controller-manager",
            f"--kubeconfig={self.kubeconfig('kube-controller-manager')}",
            "--bind-address=127.0.0.1",
            "--leader-elect=false",
            "--use-service-account-credentials",
            f"--service-account-private-key-file={pki.path('service-accounts', 'key')}",
            f"--root-ca-file={pki.certificate}",
            f"--cluster-cidr={CLUSTER_CIDR}",
            "--allocate-node-cidrs",
            "--profiling=false",
            health="https://127.0.0.1:10257/healthz",
        )

    def scheduler(self) -> Process:
        """Run the scheduler."""
        return self._kube(
            "kube-scheduler",
            f"--kubeconfig={self.kubeconfig('kube-scheduler')}",
            "--bind-address=127.0.0.1",
            "--leader-elect=false",
            "--profiling=false",
            health="https://127.0.0.1:10259/healthz",
        )

    def _kube(self, name: str, *flags: str, health: str, grace: float = 15) -> Process:
        return self._process(name, [str(self.kube / name), *flags], health=health, grace=grace)

    def _process(self, name: str, command: list[str], *, health: str, grace: float = 15) -> Process:
        return Process(
            name=name,
            command=command,
            folder=self.state / "processes",
            log=self.logs / f"{name}.log",
            environment=self.environment,
            inputs=sorted(self.authority.folder.glob("*.crt")),
            ready=lambda: answers(health, self.authority),
            grace=grace,
        )


def answers(url: str, authority: Authority) -> str:
    """Return why a health endpoint is not ready; empty if it is."""
    context = ssl.create_default_context()
    # The health port of a controller has a self-signed certificate; it is on loopback.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.load_cert_chain(authority.path("admin", "crt"), authority.path("admin", "key"))
    try:
        response = httpx.get(url, timeout=2, verify=context, trust_env=False)
    except httpx.HTTPError as error:
        return f"{url}: {error}"
    if response.is_success:
        return ""
    failing = [line for line in response.text.splitlines() if line.startswith("[-]")]
    return failing[0] if failing else f"{url} answers {response.status_code}"

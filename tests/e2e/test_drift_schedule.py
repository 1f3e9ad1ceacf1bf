"""`operations drift` with errors and on a schedule: a check that could not read everything is not clean."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
import yaml

from bench.changes import base
from tests.e2e.conftest import CHECKOUT, Stack, stacks_in
from tests.e2e.drifting import CLEAN, DRIFT, FAILED, drift, findings, kubectl

NAMESPACE = "e2e-drift-schedule"


@pytest.fixture(scope="module")
def stack(_lab_is_up: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Two versions under traffic, pinned to their cluster."""
    with stacks_in(tmp_path_factory.mktemp("drift-schedule")) as make:
        made = make(NAMESPACE, **base(NAMESPACE))
        uid = made.shell.run("kubectl get namespace kube-system -o jsonpath={.metadata.uid}").stdout
        made.configure(clusterUid=uid)
        made.up()
        yield made
        # `pulumi destroy` alone refuses a pinned stack.
        made.configure(clusterUid=None)
        made.up()


@pytest.fixture(autouse=True)
def _clean(stack: Stack) -> Iterator[None]:
    """Each test begins and ends with all objects as declared, and an up-to-date state."""
    assert drift(stack)[0] == CLEAN
    yield
    assert drift(stack)[0] == CLEAN
    stack.pulumi("refresh --preview-only --expect-no-changes --run-program")


def fix(stack: Stack) -> None:
    code, output = drift(stack, "--fix --yes")
    assert code == CLEAN, output


def test_without_a_terminal_nothing_is_changed(stack: Stack) -> None:
    """`--fix` cannot ask; `--yes` does not ask."""
    kubectl(stack, "label service springbootapp team=a")
    code, output = drift(stack, "--fix")
    assert (code, "there is no terminal to confirm; nothing was changed" in output) == (FAILED, True)
    assert drift(stack)[0] == DRIFT
    fix(stack)


def kubeconfig(stack: Stack, path: Path, **cluster: str) -> str:
    """A kubeconfig whose context `lab` has another cluster."""
    live = yaml.safe_load(stack.shell.run("kubectl config view --raw --minify").stdout)
    live["clusters"][0]["cluster"] = cluster
    live["users"][0]["user"] = {}
    path.write_text(yaml.safe_dump(live))
    return str(path)


def test_a_check_of_an_unreachable_cluster_fails(stack: Stack, tmp_path: Path) -> None:
    """With exit code 1 and the context."""
    code, output = drift(stack, kubeconfig=kubeconfig(stack, tmp_path / "away", server="https://127.0.0.1:9"))
    assert code == FAILED
    assert "the cluster of context lab returned an error or no answer" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("content", ["", "a: [", "clusters: 7", "contexts: []", "just words"])
def test_an_invalid_kubeconfig_is_reported(stack: Stack, tmp_path: Path, content: str) -> None:
    """Empty, not YAML, not a kubeconfig, another context."""
    (tmp_path / "wrong").write_text(content)
    code, output = drift(stack, kubeconfig=str(tmp_path / "wrong"))
    assert (code, "Traceback" in output) == (FAILED, False), output
    assert "no kubeconfig context lab" in output or "the kubeconfig has no such context" in output


@contextmanager
def without(stack: Stack, path: Path, kinds: str) -> Iterator[str]:
    """A proxy of the lab's API server without an API group; yields a kubeconfig."""
    words = ["kubectl", "proxy", "--port=0"]
    proxy = subprocess.Popen(
        ["bash", "-c", f"source {CHECKOUT}/.lab/env && exec {' '.join(words)}"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert proxy.stdout
    real = "http://" + proxy.stdout.readline().rpartition(" ")[2].strip()

    class Gap(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = 404, b'{"kind": "Status", "message": "the server could not find it"}'
            if not self.path.startswith(f"/apis/{kinds}"):
                try:
                    with urlopen(real + self.path) as answer:  # noqa: S310 (loopback)
                        status, body = answer.status, answer.read()
                except HTTPError as error:
                    status, body = error.code, error.read()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Gap)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield kubeconfig(stack, path, server=f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        proxy.terminate()
        proxy.wait()


def test_a_check_without_a_declared_kind_fails(stack: Stack, tmp_path: Path) -> None:
    """It names the kinds; without a kind that the stack does not declare it is clean."""
    with without(stack, tmp_path / "istio", "networking.istio.io") as gap:
        code, output = drift(stack, kubeconfig=gap)
    assert code == FAILED
    for kind in ("DestinationRule", "Gateway", "VirtualService"):
        assert f"{kind} of networking.istio.io/v1" in output
    with without(stack, tmp_path / "api", "gateway.networking.k8s.io") as gap:
        assert drift(stack, kubeconfig=gap)[0] == CLEAN


def test_an_endpoint_that_is_no_api_server_is_reported(stack: Stack, tmp_path: Path) -> None:
    """The kubeconfig has the port of the ingress gateway."""
    other = kubeconfig(stack, tmp_path / "other", server="http://127.0.0.1:31380")
    code, output = drift(stack, kubeconfig=other)
    assert code == FAILED
    assert "is not a Kubernetes API server" in output


def schedule() -> list[dict[str, object]]:
    """docs/drift/cronjob.yaml for the stack of this test, in a separate namespace."""
    text = (CHECKOUT / "docs/drift/cronjob.yaml").read_text()
    text = text.replace("springistiodemo-prod", NAMESPACE).replace("mesh-drift", "e2e-mesh-drift")
    return list(yaml.safe_load_all(text))


@pytest.fixture
def scheduled(stack: Stack, tmp_path: Path) -> Iterator[str]:
    """Apply the schedule; yields the kubeconfig of its ServiceAccount."""
    file = tmp_path / "schedule.yaml"
    file.write_text(yaml.safe_dump_all(schedule()))
    output = stack.shell.run(f"kubectl apply --server-side --filename={file}").stdout
    assert "Warning" not in output, output
    token = stack.shell.run("kubectl create token e2e-mesh-drift --namespace e2e-mesh-drift").stdout.strip()
    live = yaml.safe_load(stack.shell.run("kubectl config view --raw --minify").stdout)
    live["users"][0]["user"] = {"token": token}
    path = tmp_path / "account"
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(live))
    yield str(path)
    stack.shell.run(f"kubectl delete --ignore-not-found --filename={file}")


def test_the_schedules_account_can_only_check(stack: Stack, scheduled: str) -> None:
    """It cannot write; without a permission the check fails and names it."""
    assert drift(stack, kubeconfig=scheduled)[0] == CLEAN
    kubectl(stack, "label service springbootapp team=a")
    assert drift(stack, kubeconfig=scheduled)[0] == DRIFT
    code, output = drift(stack, "--fix --yes", kubeconfig=scheduled)
    assert code == FAILED
    assert "Service springbootapp: forbidden for the user of context lab" in output
    assert "metadata.labels.team" in " ".join(findings(stack))
    fix(stack)

    role = next(each for each in schedule() if each["kind"] == "ClusterRole")
    assert isinstance(role["rules"], list)
    role["rules"] = [each for each in role["rules"] if "security.istio.io" not in each["apiGroups"]]
    document = yaml.safe_dump(role)
    words = "apply --server-side --force-conflicts --filename=-"
    stack.shell.run(f"kubectl {words} <<'EOF'\n{document}\nEOF\n")
    code, output = drift(stack, kubeconfig=scheduled)
    assert code == FAILED
    assert "in every namespace: forbidden for the user of context lab" in output
    assert 'in API group "security.istio.io"' in output


def test_the_schedules_pods_are_admitted(stack: Stack, scheduled: str) -> None:
    """By Pod Security at the level `restricted`."""
    assert scheduled
    words = "create job now --from=cronjob/e2e-mesh-drift-prod --namespace e2e-mesh-drift --dry-run=server"
    job = yaml.safe_load(stack.shell.run(f"kubectl {words} --output=yaml").stdout)
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "now"},
        "spec": job["spec"]["template"]["spec"],
    }
    document = yaml.safe_dump(pod)
    stack.shell.run(
        f"kubectl create --namespace e2e-mesh-drift --dry-run=server --filename=- <<'EOF'\n{document}\nEOF\n"
    )

"""`operations drift` where things go wrong, and on a schedule: nothing is clean that was not looked at."""

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
from tests.e2e.drifting import CLEAN, DRIFT, UNTOLD, drift, findings, kubectl

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


@pytest.fixture(autouse=True)
def _clean(stack: Stack) -> Iterator[None]:
    """Each test begins and ends with everything as declared, and a true state."""
    assert drift(stack)[0] == CLEAN
    yield
    assert drift(stack)[0] == CLEAN
    stack.pulumi("refresh --preview-only --expect-no-changes --run-program")


def fix(stack: Stack) -> None:
    code, said = drift(stack, "--fix --yes")
    assert code == CLEAN, said


def test_without_a_person_nothing_is_changed(stack: Stack) -> None:
    """`--fix` asks, and there is nobody; `--yes` says that nobody need be asked."""
    kubectl(stack, "label service springbootapp team=hand")
    code, said = drift(stack, "--fix")
    assert (code, "there is no terminal to confirm; nothing was changed" in said) == (UNTOLD, True)
    assert drift(stack)[0] == DRIFT
    fix(stack)


def kubeconfig(stack: Stack, path: Path, **cluster: str) -> str:
    """A kubeconfig whose context `lab` leads elsewhere."""
    live = yaml.safe_load(stack.shell.run("kubectl config view --raw --minify").stdout)
    live["clusters"][0]["cluster"] = cluster
    live["users"][0]["user"] = {}
    path.write_text(yaml.safe_dump(live))
    return str(path)


def test_a_cluster_that_is_away_is_never_clean(stack: Stack, tmp_path: Path) -> None:
    """Nobody listens; exit code 1, with the context."""
    code, said = drift(stack, kubeconfig=kubeconfig(stack, tmp_path / "away", server="https://127.0.0.1:9"))
    assert code == UNTOLD
    assert "the cluster of context lab returned an error or no answer" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("content", ["", "a: [", "clusters: 7", "contexts: []", "just words"])
def test_a_wrong_kubeconfig_is_told_in_words(stack: Stack, tmp_path: Path, content: str) -> None:
    """Empty, not YAML, not a kubeconfig, another context."""
    (tmp_path / "wrong").write_text(content)
    code, said = drift(stack, kubeconfig=str(tmp_path / "wrong"))
    assert (code, "Traceback" in said) == (UNTOLD, False), said
    assert "no kubeconfig context lab" in said or "the kubeconfig has no such context" in said


@contextmanager
def without(stack: Stack, path: Path, kinds: str) -> Iterator[str]:
    """The lab's API server as it would be if an API group were not installed; yields a kubeconfig."""
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
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Gap)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield kubeconfig(stack, path, server=f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        proxy.terminate()
        proxy.wait()


def test_without_istios_kinds_nothing_can_be_told(stack: Stack, tmp_path: Path) -> None:
    """The kinds are named; the same way with a kind that no stack declares is clean."""
    with without(stack, tmp_path / "istio", "networking.istio.io") as gap:
        code, said = drift(stack, kubeconfig=gap)
    assert code == UNTOLD
    for kind in ("DestinationRule", "Gateway", "VirtualService"):
        assert f"{kind} of networking.istio.io/v1" in said
    with without(stack, tmp_path / "api", "gateway.networking.k8s.io") as gap:
        assert drift(stack, kubeconfig=gap)[0] == CLEAN


def test_what_is_no_cluster_is_told_as_such(stack: Stack, tmp_path: Path) -> None:
    """The ingress gateway answers on the port that the kubeconfig names."""
    other = kubeconfig(stack, tmp_path / "other", server="http://127.0.0.1:31380")
    code, said = drift(stack, kubeconfig=other)
    assert code == UNTOLD
    assert "is not a Kubernetes API server" in said


def schedule() -> list[dict[str, object]]:
    """docs/drift/cronjob.yaml, for this test's stack and in a namespace of its own."""
    text = (CHECKOUT / "docs/drift/cronjob.yaml").read_text()
    text = text.replace("springistiodemo-prod", NAMESPACE).replace("mesh-drift", "e2e-mesh-drift")
    return list(yaml.safe_load_all(text))


@pytest.fixture
def scheduled(stack: Stack, tmp_path: Path) -> Iterator[str]:
    """The schedule as the API server takes it; yields the kubeconfig of its ServiceAccount."""
    file = tmp_path / "schedule.yaml"
    file.write_text(yaml.safe_dump_all(schedule()))
    said = stack.shell.run(f"kubectl apply --server-side --filename={file}").stdout
    assert "Warning" not in said, said
    token = stack.shell.run("kubectl create token e2e-mesh-drift --namespace e2e-mesh-drift").stdout.strip()
    live = yaml.safe_load(stack.shell.run("kubectl config view --raw --minify").stdout)
    live["users"][0]["user"] = {"token": token}
    path = tmp_path / "account"
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(live))
    yield str(path)
    stack.shell.run(f"kubectl delete --ignore-not-found --filename={file}")


def test_the_schedules_account_can_check_and_nothing_else(stack: Stack, scheduled: str) -> None:
    """Clean, drift, and no right to write; a right that lacks is named, and is no clean check."""
    assert drift(stack, kubeconfig=scheduled)[0] == CLEAN
    kubectl(stack, "label service springbootapp team=hand")
    assert drift(stack, kubeconfig=scheduled)[0] == DRIFT
    code, said = drift(stack, "--fix --yes", kubeconfig=scheduled)
    assert code == UNTOLD
    assert "Service springbootapp: forbidden for the user of context lab" in said
    assert "metadata.labels.team" in " ".join(findings(stack))
    fix(stack)

    role = next(each for each in schedule() if each["kind"] == "ClusterRole")
    assert isinstance(role["rules"], list)
    role["rules"] = [each for each in role["rules"] if "security.istio.io" not in each["apiGroups"]]
    document = yaml.safe_dump(role)
    words = "apply --server-side --force-conflicts --filename=-"
    stack.shell.run(f"kubectl {words} <<'EOF'\n{document}\nEOF\n")
    code, said = drift(stack, kubeconfig=scheduled)
    assert code == UNTOLD
    assert "in every namespace: forbidden for the user of context lab" in said
    assert 'in API group "security.istio.io"' in said


def test_the_schedules_pods_are_admitted(stack: Stack, scheduled: str) -> None:
    """By the namespace's Pod Security level, which is the strictest."""
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

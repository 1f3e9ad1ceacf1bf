"""What a newcomer sees after `make up`."""

import re

import pytest

from tests.e2e.conftest import Shell, lab
from tests.e2e.traffic import ask, ask_inside


def test_all_traffic_goes_to_v1(shell: Shell) -> None:
    """The walkthrough's URL answers 100 of 100 times from v1, although v2 runs too."""
    url = shell.run("pulumi stack output url --stack dev").stdout.strip()
    assert url == "http://127.0.0.1:31380/hello"
    assert ask(url, 100) == {"v1": 100}
    assert {pod["metadata"]["labels"]["version"] for pod in shell.pods("springistiodemo")} == {"v1", "v2"}


def test_callers_in_the_mesh_get_v1_alone() -> None:
    """By the Service's name the weights hold too: weight 0 is no request, with the host `*` too."""
    service = "springbootapp.springistiodemo.svc:8080"
    assert ask_inside("http://127.0.0.1:31380", service, 200) == {"v1": 200}


def test_the_extra_ingress_port_reaches_the_same_service(shell: Shell) -> None:
    """8066 → 8080 → 31386 answers like the main port, through a Service of the stack's own."""
    urls = shell.json("pulumi stack output urls --stack dev --json")
    assert "http://127.0.0.1:31386/hello" in urls.values()
    assert ask("http://127.0.0.1:31386/hello", 50) == {"v1": 50}
    services = shell.json("kubectl get services -n istio-system -o json")["items"]
    extra = [
        port for service in services for port in service["spec"]["ports"] if port.get("nodePort") == 31386
    ]
    assert [(port["port"], port["targetPort"]) for port in extra] == [(8066, 8080)]


def test_every_pod_runs_hardened_and_with_a_sidecar(shell: Shell) -> None:
    """App containers: not root, read-only, no capabilities, seccomp, requests; no token mounted in them."""
    for pod in shell.pods("springistiodemo"):
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert {"istio-proxy"} < {
            container["name"] for container in [*spec["containers"], *spec.get("initContainers", [])]
        }
        app = next(container for container in spec["containers"] if container["name"] != "istio-proxy")
        security = {**spec.get("securityContext", {}), **app["securityContext"]}
        assert security["runAsNonRoot"] is True
        assert security["readOnlyRootFilesystem"] is True
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert {"cpu", "memory"} <= app["resources"]["requests"].keys()
        mounts = [mount["mountPath"] for mount in app.get("volumeMounts", [])]
        assert "/var/run/secrets/kubernetes.io/serviceaccount" not in mounts


@pytest.mark.parametrize("namespace", ["springistiodemo", "istio-system"])
def test_istioctl_finds_nothing_to_say(shell: Shell, namespace: str) -> None:
    """`istioctl analyze` reports neither errors nor warnings nor hints."""
    command = f"istioctl analyze -n {namespace} --output json --failure-threshold Info"
    found = shell.json(f"{command} 2>/dev/null")
    # What istiod is told because of another stack on the lab is not the walkthrough's.
    others = re.compile(r"\((?!springistiodemo|istio-system)[a-z0-9-]+/")
    assert [each for each in found if not others.search(each["message"])] == []


def test_a_second_make_up_changes_nothing(shell: Shell) -> None:
    """Pods, objects and Pulumi's state are the same ones afterwards."""
    before = {pod["metadata"]["uid"] for pod in shell.pods("springistiodemo")}
    said = lab("up").stdout
    assert {pod["metadata"]["uid"] for pod in shell.pods("springistiodemo")} == before
    assert said.count("no change") == 2, said  # the platform's stack and the program's
    latest = shell.json("pulumi stack history --stack dev --json --page-size 1")[0]
    assert set(latest["resourceChanges"]) <= {"same", "read"}  # read: the ingress Service, somebody else's

"""Dev, staging and prod side by side on one cluster; each rule proven by requests."""

import ssl
import time
import uuid
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.certificates import Authority
from tests.e2e.conftest import Shell
from tests.e2e.environments import PROD, side_by_side
from tests.e2e.traffic import ask, ask_until

URL = "http://127.0.0.1:31380/hello"
STAGING = "staging.example.com"
PROD_URL = f"https://{PROD}:31390/hello"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who signs prod's certificate."""
    return Authority(folder=tmp_path_factory.mktemp("certificates"), name="prod-authority")


@pytest.fixture(scope="module")
def environments(_lab_is_up: None, authority: Authority) -> Iterator[Shell]:
    """All three environments, up at the same time; the two that `make up` does not make go at the end."""
    with side_by_side(authority) as shell:
        yield shell


@pytest.fixture(scope="module")
def prod(environments: Shell, authority: Authority) -> Iterator[httpx.Client]:
    """A client that trusts prod's authority alone, and finds its name on loopback."""
    assert environments
    trust = ssl.create_default_context(cafile=str(authority.certificate))
    with httpx.Client(transport=OnLoopback(verify=trust), timeout=10, trust_env=False) as client:
        yield client


class OnLoopback(httpx.HTTPTransport):
    """Connects to 127.0.0.1 whatever the name, which stays the one that TLS and the request tell."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        name = request.url.host
        request.url = request.url.copy_with(host="127.0.0.1")
        request.extensions = {**request.extensions, "sni_hostname": name}
        return super().handle_request(request)


def arrivals(shell: Shell, version: str, agent: str) -> int:
    """How many requests of a user agent reached a version of staging, by its proxy's access log."""
    (pod,) = shell.pods("springistiodemo-staging", f"version={version}")
    logs = shell.run(
        f"kubectl logs -n springistiodemo-staging {pod['metadata']['name']} -c istio-proxy"
    ).stdout
    return logs.count(f'"{agent}"')


def test_dev_is_not_touched(environments: Shell) -> None:
    """The walkthrough's users get v1, whatever staging says on the same ingress."""
    assert environments
    assert ask(URL, 50) == {"v1": 50}
    assert ask(URL, 50, **{"x-user-group": "insider"}) == {"v1": 50}


@pytest.mark.parametrize(
    ("headers", "version"),
    [
        ({}, "v1"),
        ({"x-user-group": "insider"}, "v2"),
        ({"x-user-group": "insiders"}, "v1"),
        ({"cookie": "theme=dark; preview=v2"}, "v2"),
        ({"cookie": "preview=v22"}, "v1"),
        ({"cookie": "nopreview=v2"}, "v1"),
    ],
)
def test_insiders_alone_get_v2(environments: Shell, headers: dict[str, str], version: str) -> None:
    """By header or cookie, exactly: a longer value or another name is no insider."""
    assert environments
    answers = ask_until(URL, 20, lambda seen: set(seen) == {version}, host=STAGING, **headers)
    assert answers == {version: 20}


def test_v2_gets_a_copy_of_everything(environments: Shell) -> None:
    """Every request that v1 answers is seen by v2 too."""
    agent = f"mirror-{uuid.uuid4()}"
    assert ask(URL, 40, host=STAGING, **{"user-agent": agent}) == {"v1": 40}
    # Envoy writes its log every 10 s at the latest.
    deadline = time.monotonic() + 25
    while (copies := arrivals(environments, "v2", agent)) < 40 and time.monotonic() < deadline:
        time.sleep(0.5)
    assert copies == 40
    assert arrivals(environments, "v1", agent) == 40


def test_trouble_comes_to_who_asks_for_it(environments: Shell) -> None:
    """The delay takes its 2 s, the abort its 503; everybody else is answered at once."""
    assert environments
    with httpx.Client(headers={"host": STAGING}, timeout=10, trust_env=False) as client:
        delayed = client.get(URL, headers={"x-fault-test": "delay"})
        assert delayed.is_success
        assert 2.0 <= delayed.elapsed.total_seconds() < 3.0
        assert client.get(URL, headers={"x-fault-test": "abort"}).status_code == 503
        plain = client.get(URL)
        assert plain.is_success
        assert plain.elapsed.total_seconds() < 1.0


def test_another_host_reaches_no_environment_but_dev(environments: Shell) -> None:
    """A host that nobody names goes to dev's `*`, never to staging's routes."""
    assert environments
    assert ask(URL, 20, host="elsewhere.example.com", **{"x-user-group": "insider"}) == {"v1": 20}


def test_prod_is_a_canary_of_five_percent(prod: httpx.Client) -> None:
    """By HTTPS, from a certificate of its own; 95 to 5 within five standard deviations of 1000 requests."""
    answers = Counter(prod.get(PROD_URL).headers["x-version"] for _ in range(1000))
    assert set(answers) == {"v1", "v2"}
    assert abs(answers["v2"] - 50) < 35, answers


def test_prod_sends_plain_http_to_https(environments: Shell) -> None:
    """The answer is the way, and no version is asked."""
    assert environments
    response = httpx.get(URL, headers={"host": PROD}, trust_env=False)
    assert (response.status_code, response.headers["location"]) == (301, f"https://{PROD}/hello")


def test_prod_takes_no_plaintext_inside(environments: Shell) -> None:
    """STRICT: a caller at the pod's own address that has no certificate of the mesh is cut off."""
    for pod in environments.pods("springistiodemo-prod"):
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://{pod['status']['podIP']}:8080/hello", timeout=5, trust_env=False)


def test_prod_refuses_callers_that_are_not_listed(environments: Shell) -> None:
    """A pod of dev is in the mesh and has a certificate, and gets 403; dev's own service answers it."""
    own, other = (
        f"http://springbootapp.{namespace}.svc.cluster.local:8080/hello"
        for namespace in ("springistiodemo", "springistiodemo-prod")
    )
    assert environments
    fetch = "http://127.0.0.1:31380/fetch"
    assert httpx.get(fetch, params={"url": own}, trust_env=False).status_code == 200
    assert httpx.get(fetch, params={"url": other}, trust_env=False).status_code == 403


def test_prod_grows_and_shrinks_within_its_budget(environments: Shell) -> None:
    """Autoscaling owns the replicas, the stack does not; each version has a disruption budget."""
    namespace = "springistiodemo-prod"
    scalers = environments.json(f"kubectl get hpa -n {namespace} -o json")["items"]
    bounds = {scaler["metadata"]["name"]: scaler["spec"] for scaler in scalers}
    assert {name: (spec["minReplicas"], spec["maxReplicas"]) for name, spec in bounds.items()} == {
        "springbootapp-v1": (2, 10),
        "springbootapp-v2": (2, 10),
    }
    assert len(environments.json(f"kubectl get pdb -n {namespace} -o json")["items"]) == 2
    environments.run(f"kubectl scale deployment springbootapp-v1 -n {namespace} --replicas=3")
    environments.run("pulumi preview --stack prod --expect-no-changes")
    environments.run(f"kubectl scale deployment springbootapp-v1 -n {namespace} --replicas=2")


@pytest.mark.parametrize("namespace", ["springistiodemo", "springistiodemo-staging", "springistiodemo-prod"])
def test_istioctl_finds_nothing_to_say(environments: Shell, namespace: str) -> None:
    """Environments side by side do not confuse Istio."""
    assert environments.json(f"istioctl analyze -n {namespace} -o json 2>/dev/null") == []


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_nothing_to_do_afterwards(environments: Shell, stack: str) -> None:
    """Preview and refresh are clean while the environment is in use."""
    environments.run(f"pulumi preview --stack {stack} --expect-no-changes")
    environments.run(f"pulumi refresh --stack {stack} --preview-only --expect-no-changes --run-program")


def test_prod_is_not_destroyed_by_mistake(environments: Shell, prod: httpx.Client) -> None:
    """Its stack file says that it is protected; test_protection.py says what that means."""
    refused = environments.run("pulumi destroy --stack prod --yes --skip-preview", check=False)
    assert refused.returncode
    assert "mesh-app:protected" in refused.stdout
    assert prod.get(PROD_URL).is_success

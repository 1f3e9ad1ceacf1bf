"""Dev, staging and prod side by side on one cluster; each rule proven by requests."""

import time
import uuid
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.conftest import CHECKOUT, Shell
from tests.e2e.traffic import ask, settled

URL = "http://127.0.0.1:31380/hello"
STAGING = "staging.example.com"


def bring_up(shell: Shell, stack: str) -> None:
    """`pulumi up` of one of the project's own stacks; its working copy is as before afterwards."""
    shell.run(f"pulumi stack select --create {stack}")
    shell.run(f"pulumi up --stack {stack} --yes --skip-preview")


@pytest.fixture(scope="module")
def environments(_lab_is_up: None) -> Iterator[Shell]:
    """All three environments, up at the same time; the two that `make up` does not make go at the end."""
    shell = Shell(folder=CHECKOUT)
    bring_up(shell, "staging")
    yield shell
    shell.run("pulumi destroy --stack staging --yes --skip-preview")


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
    answers = settled(URL, 20, lambda seen: set(seen) == {version}, host=STAGING, **headers)
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


@pytest.mark.parametrize("namespace", ["springistiodemo", "springistiodemo-staging"])
def test_istioctl_finds_nothing_to_say(environments: Shell, namespace: str) -> None:
    """Environments side by side do not confuse Istio."""
    assert environments.json(f"istioctl analyze -n {namespace} -o json 2>/dev/null") == []


def test_nothing_to_do_afterwards(environments: Shell) -> None:
    """Preview and refresh of staging are clean while it is in use."""
    environments.run("pulumi preview --stack staging --expect-no-changes")
    environments.run("pulumi refresh --stack staging --preview-only --expect-no-changes --run-program")

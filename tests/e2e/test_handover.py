"""A version comes and goes under load while the gateway follows late; and the rights that the wait takes."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
import yaml

from bench import load
from bench.changes import base
from tests.e2e.conftest import CHECKOUT, Shell, Stack, stacks_in
from tests.e2e.interruptions import Update, frozen, routes_of

NAMESPACE = "e2e-handover"
RATE = 200
LATE_SECONDS = 10
"""Pods that are deleted answer for half as long."""

V1, V2 = {"tag": "42"}, {"tag": "43"}
ROLE = CHECKOUT / "docs/handover/role.yaml"
QUESTION = """
import asyncio
from components.rollout.istiod import Istiod
print(len(asyncio.run(Istiod(context="lab", namespace="istio-system").proxies())))
"""


@pytest.fixture(scope="module")
def stack(_lab_is_up: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One version under traffic."""
    with stacks_in(tmp_path_factory.mktemp("handover")) as make:
        made = make("handover", **{**base(NAMESPACE), "versions": {"v1": V1}, "weights": {"v1": 100}})
        made.up()
        yield made


def agents_of_gateways() -> list[int]:
    """List the processes through which gateways hear of istiod. Their Envoys work on without them."""
    found = psutil.process_iter(["name", "cmdline", "pid"])
    return [each.pid for each in found if each.name() == "pilot-agent" and "router" in each.cmdline()]


def test_a_version_that_goes_keeps_its_pods_until_the_gateway_has_followed(stack: Stack) -> None:
    """Here it asks the old pods for seconds after the routes have changed."""
    url, host = "http://127.0.0.1:31380/hello", f"{NAMESPACE}.example.com"
    with load.Load(url, rate=RATE, host=host, slow=False) as asked:
        stack.configure(versions={"v1": V1, "v2": V2}, weights={"v1": 50, "v2": 50})
        stack.up()
        stack.configure(versions={"v1": V1}, weights={"v1": 100})
        with routes_of(stack) as routes, ExitStack() as late:
            next(routes)
            for pid in agents_of_gateways():
                late.enter_context(frozen(pid))
            update = Update.up(stack)
            next(routes)
            time.sleep(LATE_SECONDS)
        code, said = update.end()
        assert not code, said
    assert "waiting until no proxy sends requests to v2" in said
    assert not asked.report.failed, asked.report.failures[:5]
    assert asked.report.answers["v2"] > RATE * LATE_SECONDS / 4


def test_the_role_of_the_docs_is_enough_to_ask_istiod(shell: Shell, tmp_path: Path) -> None:
    """And it is nothing besides: no Secret, no log, no command in a pod."""
    objects = list(yaml.safe_load_all(ROLE.read_text()))
    subject = objects[1]["subjects"][0]["name"]
    shell.run(f"kubectl apply -f {ROLE}")
    try:
        config = yaml.safe_load(Path(shell.run('printf %s "$KUBECONFIG"').stdout).read_text())
        for user in config["users"]:
            user["user"]["as"] = subject
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(yaml.safe_dump(config))
        asked = shell.run(
            f"cd {CHECKOUT} && KUBECONFIG={kubeconfig} .venv/bin/python -c '{QUESTION}'",
        )
        assert int(asked.stdout) > 0
        can = f"kubectl auth can-i --as={subject} --namespace=istio-system"
        assert shell.run(f"{can} create pods --subresource=portforward").stdout.strip() == "yes"
        for refused in (
            "create pods --subresource=exec",
            "get pods --subresource=log",
            *("get secrets", "list configmaps", "create pods", "delete pods"),
        ):
            assert shell.run(f"{can} {refused}", check=False).stdout.strip() == "no", refused
    finally:
        shell.run(f"kubectl delete -f {ROLE}")

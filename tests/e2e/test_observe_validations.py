"""Kiali's judgement of what the stacks deploy: nothing to object to, of any code."""

from collections.abc import Iterator
from itertools import chain

import httpx
import pytest

from bench.commands import apply
from tests.e2e.certificates import Authority
from tests.e2e.conftest import Shell, lab
from tests.e2e.environments import side_by_side
from tests.e2e.observers import kiali, wait_for

NAMESPACES = ("springistiodemo", "springistiodemo-staging", "springistiodemo-prod")


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """Dev, staging and prod side by side, and Kiali that looks at them."""
    lab("up")
    lab("observe")
    authority = Authority(folder=tmp_path_factory.mktemp("certificates"), name="prod-authority")
    with side_by_side(authority) as shell:
        yield shell


@pytest.fixture
def api() -> Iterator[httpx.Client]:
    """Kiali's API."""
    with kiali() as client:
        yield client


def objections(api: httpx.Client, namespace: str) -> list[str]:
    """What Kiali has against the configuration, the Services and the workloads of a namespace."""
    of_namespace = {"namespaces": namespace, "istioResources": "true", "health": "false"}
    answers = [
        api.get(f"namespaces/{namespace}/istio", params={"validate": "true"}),
        api.get("clusters/services", params=of_namespace),
        api.get("clusters/workloads", params=of_namespace),
    ]
    judged: dict[str, list[str]] = {}
    for answer in answers:
        for kind, objects in answer.raise_for_status().json()["validations"].items():
            for name, validation in objects.items():
                if name.endswith(f".{namespace}"):
                    said = (
                        f"{each['code']} {kind} {name}: {each['message']}" for each in validation["checks"]
                    )
                    judged.setdefault(kind, []).extend(said)
    assert judged.keys() >= {"virtualservice", "destinationrule", "gateway", "workload"}, judged
    return sorted(set(chain.from_iterable(judged.values())))


def test_kiali_has_nothing_against_dev_staging_and_prod(environments: Shell, api: httpx.Client) -> None:
    """No error and no warning of any code, once it has seen what `up` has made."""
    assert environments

    def of_all() -> dict[str, list[str]]:
        return {namespace: objections(api, namespace) for namespace in NAMESPACES}

    wait_for(lambda: not any(of_all().values()))
    assert of_all() == {namespace: [] for namespace in NAMESPACES}


def test_kiali_objects_to_a_route_into_nothing(environments: Shell, api: httpx.Client) -> None:
    """So that its silence above says something."""
    (namespace, *_), name = NAMESPACES, "into-nothing"
    route = {"destination": {"host": f"springbootapp.{namespace}.svc.cluster.local", "subset": "v9"}}
    virtual_service = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"hosts": ["nothing.example.com"], "http": [{"route": [{**route, "weight": 100}]}]},
    }
    apply([virtual_service])
    try:
        assert wait_for(lambda: "KIA1107" in " ".join(objections(api, namespace)))
    finally:
        environments.run(f"kubectl delete virtualservice {name} -n {namespace}")

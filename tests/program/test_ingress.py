"""The URLs of a service, from what clusters of several kinds say of their ingress."""

from copy import deepcopy
from typing import Any

import pytest

from components.settings.errors import ConfigError
from tests.program.recorder import INGRESS_SERVICE, run
from tests.unit.stacks import GONE, with_changes

INGRESS = "istio-system/istio-ingressgateway"
NODE = {"status": {"addresses": [{"type": "InternalIP", "address": "10.0.0.7"}]}}


def balanced(*addresses: dict[str, str]) -> dict[str, Any]:
    service = deepcopy(INGRESS_SERVICE)
    service["status"] = {"loadBalancer": {"ingress": list(addresses)}}
    return service


def test_a_load_balancer_needs_no_address_in_the_stack_file() -> None:
    """The Service says it, with its own port; the stack's extra node ports are not behind it."""
    ran = run(with_changes(ingress__address=GONE), {INGRESS: balanced({"ip": "1.2.3.4"})})
    assert ran.outputs["urls"] == {"80": "http://1.2.3.4/hello"}


def test_a_nodes_address_is_read_from_the_cluster() -> None:
    """One switch instead of an address by hand."""
    config = with_changes(ingress__address=GONE, ingress__node="worker-1")
    ran = run(config, {INGRESS: INGRESS_SERVICE, "worker-1": NODE})
    assert ran.outputs["urls"] == {
        "80": "http://10.0.0.7:31380/hello",
        "8066": "http://10.0.0.7:31386/hello",
    }


def test_the_url_can_show_another_path_than_the_probe() -> None:
    """A person opens the app's page, not its health check."""
    ran = run(with_changes(app__probe="/healthz", app__path="/hello"))
    assert ran.outputs["url"] == "http://127.0.0.1:31380/hello"


def test_https_has_a_url_of_its_own_and_is_the_one_to_open() -> None:
    """By the port of the ingress that charts name `https`."""
    outputs = run(with_changes(gateway__tls={"secret": "shop-certificate"})).outputs
    assert outputs["url"] == "https://127.0.0.1:31390/hello"
    assert outputs["urls"] == {
        "80": "http://127.0.0.1:31380/hello",
        "443": "https://127.0.0.1:31390/hello",
        "8066": "http://127.0.0.1:31386/hello",
    }


@pytest.mark.parametrize(
    ("changes", "url"),
    [
        ({"gateway": {"existing": "edge/shared"}}, "http://127.0.0.1:31380/hello"),
        ({"gateway": GONE, "mesh": "only"}, "http://springbootapp.springistiodemo:8080/hello"),
    ],
)
def test_no_gateway_is_made_where_the_service_needs_none(changes: dict[str, Any], url: str) -> None:
    """An existing Gateway, or none at all: the routes are the stack's own in any case."""
    ran = run(with_changes(ingress={"address": "127.0.0.1"}, **changes))
    assert ran.outputs["url"] == url
    assert "VirtualService springbootapp" in ran.keys()  # noqa: SIM118
    assert "Gateway springbootapp" not in ran.keys()  # noqa: SIM118


@pytest.mark.parametrize(
    ("code", "changes", "existing"),
    [
        ("MESH201", {"gateway__port": 81}, {INGRESS: INGRESS_SERVICE}),
        ("MESH201", {"gateway__tls": {"secret": "a", "port": 8443}}, {INGRESS: INGRESS_SERVICE}),
        ("MESH202", {"ingress__address": GONE}, {INGRESS: INGRESS_SERVICE}),
        (
            "MESH203",
            {"ingress__address": GONE, "ingress__node": "worker-1"},
            {INGRESS: INGRESS_SERVICE, "worker-1": {"status": {}}},
        ),
    ],
)
def test_an_ingress_without_a_way_in_says_what_to_set(
    code: str, changes: dict[str, Any], existing: dict[str, Any]
) -> None:
    """No stack trace, and no URL that leads nowhere."""
    with pytest.raises(ConfigError, match=code) as caught:
        run(with_changes(**changes), existing)
    assert "pulumi config set" in str(caught.value)

"""Several services in one stack file: each is read as one at the top, and they keep apart."""

from typing import Any

import pytest

from components.schema.issues import Path
from tests.unit.stacks import CART, SHOP, change, issues, several, stack


def codes(**changes: object) -> list[tuple[str, str]]:
    return [(fault.code, str(fault.path)) for fault in issues(**changes)]


def test_the_key_is_the_apps_name() -> None:
    """Nothing is said twice."""
    read = stack(**several())
    assert {service.app.name: service.split for service in read.services} == {
        "cart": {"blue": 0, "green": 100},
        "shop": {"v1": 90, "v2": 10},
    }
    assert [str(read.place(service)) for service in read.services] == [
        "mesh-app:services.cart",
        "mesh-app:services.shop",
    ]


def test_a_service_is_the_same_in_both_forms() -> None:
    """What is written under a name means what it means at the top."""
    (under_a_name,) = stack(**several(shop=SHOP)).services
    at_the_top = stack(**{**SHOP, "app": {**SHOP["app"], "name": "shop"}}).services[0]
    assert vars(under_a_name) == {key: vars(at_the_top)[key] for key in vars(under_a_name)}


def test_outputs_of_several_are_maps_by_name() -> None:
    """By the form, not by the count: who reads them is not surprised by the second service."""
    assert stack().each(lambda service: service.app.port) == 8080
    assert stack(**several()).each(lambda service: service.app.port) == {"cart": 9090, "shop": 8080}
    assert stack(**several(cart=CART)).each(lambda service: service.app.port) == {"cart": 9090}


@pytest.mark.parametrize(
    ("steps", "value", "fault"),
    [
        ("shop weights v1", 80, ("MESH101", "mesh-app:services.shop.weights")),
        ("shop weights v1", 101, ("MESH004", "mesh-app:services.shop.weights.v1")),
        ("cart app port", 15020, ("MESH108", "mesh-app:services.cart.app.port")),
        ("cart app name", "cart", ("MESH001", "mesh-app:services.cart.app.name")),
        ("cart gateway hosts", ["*.com", "a.com"], ("MESH104", "mesh-app:services.cart.gateway.hosts[1]")),
        ("Cart", CART, ("MESH007", "mesh-app:services.Cart")),
        ("cart", 3, ("MESH003", "mesh-app:services.cart")),
        ("cart app", 3, ("MESH003", "mesh-app:services.cart.app")),
        ("cart namespace", {"name": "a"}, ("MESH001", "mesh-app:services.cart.namespace")),
    ],
)
def test_a_fault_names_the_service(steps: str, value: object, fault: tuple[str, str]) -> None:
    """Each place is the one to type into `pulumi config set --path`."""
    changes: dict[str, Any] = several()
    change(changes["services"], steps.split(), value)
    if steps == "Cart":
        del changes["services"]["cart"]
    assert codes(**changes) == [fault]


def test_a_fault_in_one_service_does_not_silence_the_others() -> None:
    """All faults come at once, here too."""
    broken = {**CART, "app": {}, "weights": {"green": 90}}
    assert codes(**several(shop={**SHOP, "weights": {"v1": 90}}, cart=broken, lost=[])) == [
        ("MESH002", "mesh-app:services.cart.app.image"),
        ("MESH002", "mesh-app:services.cart.app.port"),
        ("MESH002", "mesh-app:services.cart.app.probe"),
        ("MESH003", "mesh-app:services.lost"),
        ("MESH101", "mesh-app:services.cart.weights"),
        ("MESH101", "mesh-app:services.shop.weights"),
    ]


def test_a_slip_in_the_word_services_is_one_fault() -> None:
    """Not the absence of everything that one service has."""
    changes = several()
    changes["sevices"] = changes.pop("services")
    found = issues(**changes)
    assert found[0].code == "MESH001"
    assert not {str(fault.path) for fault in found} & {"mesh-app:app", "mesh-app:versions"}


def test_an_unreadable_map_is_told_once() -> None:
    """A list where the services should stand by name."""
    assert codes(**{**several(), "services": [1]}) == [("MESH003", "mesh-app:services")]


def test_a_wildcard_and_a_host_that_it_covers_stand_beside_each_other() -> None:
    """Envoy takes the longest match, so one service may have all that no other has."""
    assert not codes(**several(shop={**SHOP, "gateway": {}}, cart=CART))


def test_equal_hosts_on_different_ports_stand_beside_each_other() -> None:
    """Until there is an extra port, which serves the hosts of all."""
    cart = {**CART, "gateway": {**SHOP["gateway"], "port": 8080}}
    assert not codes(**several(shop=SHOP, cart=cart), ingress={"address": "127.0.0.1"})


def test_places_are_paths() -> None:
    """The one service of the walkthrough stands at the top."""
    read = stack()
    assert read.place(read.services[0]) == Path()

"""Several services in one stack, run through the real program."""

from typing import Any

import pytest

from components.manifests.ingress import unique_name
from tests.program import recorder
from tests.program.recorder import run
from tests.unit.stacks import CART, SHOP, several, with_changes


def test_outputs_by_service() -> None:
    """Every output that belongs to a service is a map by its name; the namespace is common to all."""
    assert run(with_changes(**several())).outputs == {
        "url": {"cart": "http://127.0.0.1:31380/cart", "shop": "http://127.0.0.1:31380/ready"},
        "urls": {
            "cart": {"80": "http://127.0.0.1:31380/cart", "8066": "http://127.0.0.1:31386/cart"},
            "shop": {"80": "http://127.0.0.1:31380/ready", "8066": "http://127.0.0.1:31386/ready"},
        },
        "weights": {"cart": {"blue": 0, "green": 100}, "shop": {"v1": 90, "v2": 10}},
        "versions": {"cart": ["blue", "green"], "shop": ["v1", "v2"]},
        "namespace": "springistiodemo",
    }


def test_each_service_has_objects_of_its_own_and_the_way_in_is_common() -> None:
    """A second service adds its own objects and changes none."""
    one = run(with_changes(**several(shop=SHOP)))
    two = run(with_changes(**several()))
    assert two.keys() - one.keys() == {
        "VersionedApp cart",
        "ServiceAccount cart",
        "Service cart",
        "Deployment cart-blue",
        "Deployment cart-green",
        "TrafficPolicy cart",
        "Gateway cart",
        "DestinationRule cart-blue",
        "DestinationRule cart-green",
        "VirtualService cart",
    }
    assert {each.key for each in one.resources if each.inputs != two[each.key].inputs} == set()


def test_a_weight_change_of_one_service_shows_as_one_changed_object() -> None:
    """Law 1, however many services there are."""
    before = run(with_changes(**several()))
    after = run(with_changes(**several(cart=CART, shop={**SHOP, "weights": {"v1": 50, "v2": 50}})))
    assert {each.key for each in after.resources if each.inputs != before[each.key].inputs} == {
        "VirtualService shop"
    }


def test_what_belongs_to_no_service_alone_is_the_same_for_one_and_for_several() -> None:
    """The extra ports are one object, whose node port no other object can have beside it."""
    one = run(with_changes())
    both = run(with_changes(**several()))
    for key in ("MeshIngress ingress", "Service extra-ports"):
        assert one[key].urn == both[key].urn
        assert one[key].inputs == both[key].inputs


def test_one_that_an_older_version_made_stays_under_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pulumi takes it for the same resource, and a change of its name for none."""
    asked: dict[str, Any] = {}
    register = recorder._Monitor.RegisterResource  # noqa: SLF001 (what the engine is asked for)

    def note(monitor: Any, request: Any) -> Any:  # noqa: ANN401 (untyped by the library)
        asked[request.name] = request
        return register(monitor, request)

    monkeypatch.setattr(recorder._Monitor, "RegisterResource", note)  # noqa: SLF001
    run(with_changes(**several()))
    request = asked["extra-ports"]
    assert list(request.ignoreChanges) == ["metadata.name"]
    names = {each.spec.name for each in request.aliases} | {
        each.rpartition("::")[2] for each in request.aliasURNs
    }
    assert {unique_name("springistiodemo", each) for each in ("springistiodemo", "shop", "cart")} <= names

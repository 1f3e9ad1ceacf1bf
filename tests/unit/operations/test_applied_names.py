"""An object that keeps the name under which it was made is compared, and left, under that name."""

from dataclasses import replace

from operations.kube.applied_names import under_applied_names
from operations.pulumi_stack.recorder import Resource

SERVICE = Resource(
    type="kubernetes:core/v1:Service",
    name="extra-ports",
    urn="urn:extra-ports",
    parent="",
    custom=True,
    read=False,
    dependencies=frozenset(),
    inputs={"kind": "Service", "metadata": {"name": "extra-31386-shop"}, "spec": {"ports": [{"port": 1.5}]}},
    ignored=frozenset({"metadata.name"}),
    version="",
)
GATEWAY = replace(
    SERVICE,
    name="gateway",
    urn="urn:gateway",
    ignored=frozenset(),
    inputs={
        "spec": {"addresses": [{"value": "extra-31386-shop.istio-system.svc"}]},
        "note": "extra-31386-shops",
    },
)
APPLIED = {"urn:extra-ports": {"metadata": {"name": "shop-shop-790b86"}}, "urn:gateway": {}}


def test_it_is_declared_under_the_name_that_it_has() -> None:
    """And what names it, as the address of a Gateway, names it so."""
    service, gateway = under_applied_names([SERVICE, GATEWAY], APPLIED)
    assert service.inputs == {**SERVICE.inputs, "metadata": {"name": "shop-shop-790b86"}}
    assert gateway.inputs["spec"] == {"addresses": [{"value": "shop-shop-790b86.istio-system.svc"}]}
    assert gateway.inputs["note"] == "extra-31386-shops"


def test_one_that_is_not_there_yet_gets_its_name() -> None:
    """As the program declares it."""
    assert under_applied_names([SERVICE, GATEWAY], {}) == (SERVICE, GATEWAY)

"""A stack file with the switch on, through the real program."""

from tests.program.recorder import run
from tests.unit.stacks import with_changes

API = "gateway-api"
GATEWAY = "springbootapp-springistiodemo-790b86"


def test_the_switch_exchanges_the_objects_of_the_policy_and_no_other() -> None:
    """Workloads, the app's Service and the ingress stay; each version gets a Service."""
    istio, gateway_api = run(with_changes()), run(with_changes(api=API))
    assert istio.keys() - gateway_api.keys() == {
        "TrafficPolicy springbootapp",
        "Gateway springbootapp",
        "DestinationRule springbootapp-v1",
        "DestinationRule springbootapp-v2",
        "VirtualService springbootapp",
        "VirtualService springbootapp.mesh",
    }
    assert gateway_api.keys() - istio.keys() == {
        "GatewayApiPolicy springbootapp",
        f"Gateway {GATEWAY}",
        f"Gateway {GATEWAY}-extra",
        "HTTPRoute springbootapp",
        "Service springbootapp-v1",
        "Service springbootapp-v2",
    }
    kept = istio.keys() & gateway_api.keys()
    assert [key for key in kept if istio[key].inputs != gateway_api[key].inputs] == []
    assert gateway_api.outputs == istio.outputs


def test_the_services_pick_each_versions_pods() -> None:
    """By the labels that the subsets go by; the app's own Service has them all."""
    ran = run(with_changes(api=API))
    for version in ("v1", "v2"):
        spec = ran[f"Service springbootapp-{version}"].inputs["spec"]
        assert spec["selector"] == {"app": "springbootapp", "version": version}
        assert [port["port"] for port in spec["ports"]] == [8080]
    assert ran["Service springbootapp"].inputs["spec"]["selector"] == {"app": "springbootapp"}


def test_no_update_waits_for_the_endpoints_of_a_service() -> None:
    """They never stand still while one version's pods crash; Deployments say whether pods are ready."""
    ran = run(with_changes(api=API))
    for name in ("springbootapp", "springbootapp-v1", "springbootapp-v2"):
        annotations = ran[f"Service {name}"].inputs["metadata"]["annotations"]
        assert annotations == {"pulumi.com/skipAwait": "true"}


def test_pods_come_before_their_service_and_services_before_the_route() -> None:
    """Law 3, and with it the order in which a version goes."""
    ran = run(with_changes(api=API, versions__v2__outliers={"consecutive5xx": 3}))
    route = ran.waits_for("HTTPRoute springbootapp")
    assert {f"Gateway {GATEWAY}", f"Gateway {GATEWAY}-extra"} <= route
    assert {"Service springbootapp-v1", "Service springbootapp-v2"} <= route
    assert "DestinationRule springbootapp-v2-service" in route
    assert "Deployment springbootapp-v1" in ran.waits_for("Service springbootapp-v1")
    assert "Service extra-ports" in ran.waits_for(f"Gateway {GATEWAY}-extra")


def test_the_redirect_stands_beside_the_route() -> None:
    """A Gateway and a route of its own; a weight change leaves both alone."""
    gateway = {"hosts": ["a.b"], "tls": {"secret": "certificate", "redirect": True}}
    plain, redirects = run(with_changes(api=API)), run(with_changes(api=API, gateway=gateway))
    more = {f"Gateway {GATEWAY}-redirect", f"HTTPRoute {GATEWAY}-redirect"}
    assert redirects.keys() - plain.keys() == more
    assert f"Gateway {GATEWAY}-redirect" in redirects.waits_for(f"HTTPRoute {GATEWAY}-redirect")
    after = run(with_changes(api=API, gateway=gateway, weights={"v1": 1, "v2": 99}))
    changed = {each.key for each in after.resources if each.inputs != redirects[each.key].inputs}
    assert changed == {"HTTPRoute springbootapp"}


def test_a_weight_change_shows_as_one_changed_object() -> None:
    """Law 1, for the whole program."""
    before, after = run(with_changes(api=API)), run(with_changes(api=API, weights={"v1": 90, "v2": 10}))
    changed = {each.key for each in after.resources if each.inputs != before[each.key].inputs}
    assert changed == {"HTTPRoute springbootapp"}


def test_a_new_version_adds_its_workload_its_service_and_its_place_in_the_route() -> None:
    """Preview shows two new objects and one changed."""
    before, after = run(with_changes(api=API)), run(with_changes(api=API, versions__v3={"tag": "44"}))
    assert after.keys() - before.keys() == {"Deployment springbootapp-v3", "Service springbootapp-v3"}
    changed = {each.key for each in before.resources if after[each.key].inputs != each.inputs}
    assert changed == {"HTTPRoute springbootapp"}

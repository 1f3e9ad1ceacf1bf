"""The same policy by the Kubernetes Gateway API: what is written, and what is refused with its reason."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.gateway_api import (
    gateway as gateways,
)
from components.gateway_api import (
    http_route,
    http_route_options,
    limits,
    unsupported,
)
from components.gateway_api.http_route_precedence import overtakers
from components.manifests.route_match import Spec
from tests.unit.stacks import CART, GONE, SHOP, issues, several, stack

HERE = Path(__file__).parent / "expected"
CASES: dict[str, Any] = yaml.safe_load((HERE / "gateway_api.yaml").read_text())
GATEWAYS: dict[str, Any] = yaml.safe_load((HERE / "gateway_api_gateways.yaml").read_text())
API = "gateway-api"
ROUTE = {"name": "a", "headers": {"x-a": "b"}, "to": "v2"}


def route(**changes: object) -> dict[str, Any]:
    return {"routes": [{key: value for key, value in (ROUTE | changes).items() if value is not None}]}


def written(**changes: object) -> Spec:
    read = stack(api=API, **changes)
    return http_route.http_route(read.services[0], read)


@pytest.mark.parametrize("case", CASES)
def test_rules(case: str) -> None:
    """What a stack file says, and the rules that say the same."""
    assert written(**CASES[case]["adds"])["rules"] == CASES[case]["rules"]


def test_a_gateway_for_the_ingress_and_one_for_the_extra_ports() -> None:
    """Both on pods that are there already, open to the stack's own namespace."""
    read = stack(api=API)
    assert gateways.gateways(read.services[0], read) == GATEWAYS


def test_the_route_hangs_on_both_gateways() -> None:
    """Hosts are the route's; `*` is said by naming none."""
    assert [parent["name"] for parent in written(mesh=False)["parentRefs"]] == list(GATEWAYS)
    assert "hostnames" not in written()
    assert written(gateway={"hosts": ["a.b", "*.c.d"]})["hostnames"] == ["a.b", "*.c.d"]


def test_a_weight_change_touches_the_route_alone() -> None:
    """Law 1: gateways and policies are built without a look at the weights."""
    before, after = stack(api=API), stack(api=API, weights={"v1": 37, "v2": 63})
    (old,), (new,) = before.services, after.services
    assert gateways.gateways(old, before) == gateways.gateways(new, after)
    (rule,) = http_route.http_route(new, after)["rules"]
    assert [each["weight"] for each in rule["backendRefs"]] == [37, 63]


def test_a_version_that_says_so_has_a_destination_rule_of_its_own() -> None:
    """Pools, outliers, load balancing: Istio heeds them for a version's Service as for a subset."""
    (service,) = stack(api=API, versions__v2__outliers={"consecutive5xx": 3}).services
    assert http_route.destination_rule(service, "v1") is None
    assert http_route.destination_rule(service, "v2") == {
        "host": "springbootapp-v2",
        "trafficPolicy": {"outlierDetection": {"consecutive5xxErrors": 3}},
    }


@pytest.mark.parametrize(
    ("go", "gateway"), [("24h", "24h"), ("1.5s", "1s500ms"), ("1h0.5m", "1h30s"), ("2000us", "2ms")]
)
def test_durations_are_whole_numbers_with_units(go: str, gateway: str) -> None:
    """The Gateway API reads neither fractions nor microseconds."""
    assert http_route_options.duration(go) == gateway


REFUSED: list[tuple[Mapping[str, Any], str, str, str]] = [
    # what is changed, where the fault is, the row of the table that says why
    (route(authority="a.b"), "routes[0].authority", "Conditions", "authority"),
    (
        route(source={"namespace": "x"}) | {"mesh": True, "gateway": {"hosts": ["a.b"]}},
        "routes[0].source",
        "Conditions",
        "source",
    ),
    (
        route(anyOf=[{"cookies": {"c": {"present": False}}}]),
        "routes[0].anyOf[0].cookies.c.present",
        "ValueMatch",
        "present",
    ),
    ({"gateway": {"hosts": ["a.b", "c.d"], "tls": {"secret": "s"}}}, "gateway.tls", "Listener", "tls"),
    (
        {"gateway": {"hosts": ["a.b"], "listeners": [{"hosts": ["c.d", "*.c.d"], "tls": {"secret": "s"}}]}},
        "gateway.listeners[0].tls",
        "Listener",
        "tls",
    ),
    (route(fault={"abort": {"status": 503}}), "routes[0].fault", "Route", "fault"),
    (route(retries={"attempts": 1}), "routes[0].retries", "Route", "retries"),
    ({"resilience": {"retries": {"attempts": 0}}}, "resilience.retries", "Resilience", "retries"),
    (route(uri={"prefix": "/a"}, rewrite={"uri": "/x"}), "routes[0].rewrite", "Route", "rewrite"),
    (
        route(rewrite={"uriRegex": {"match": "/a(.*)", "rewrite": "/b"}}),
        "routes[0].rewrite.uriRegex",
        "Rewrite",
        "uriRegex",
    ),
    (route(rewrite={"authority": "a.b:80"}), "routes[0].rewrite.authority", "Rewrite", "authority"),
    (
        route(to=None, redirect={"authority": "a.b:80", "port": 80}),
        "routes[0].redirect.authority",
        "Redirect",
        "authority",
    ),
    (route(to=None, redirect={"authority": "a.b"}), "routes[0].redirect", "Route", "redirect"),
    ({"cors": {"allowOrigins": [{"prefix": "https://a"}]}}, "cors.allowOrigins", "Cors", "allowOrigins"),
    ({"cors": {"allowOrigins": ["*"]}}, "cors.allowOrigins", "Cors", "allowOrigins"),
    (
        {"cors": {"allowOrigins": ["http://a"], "allowMethods": ["*", "GET"]}},
        "cors.allowMethods",
        "Cors",
        "allowMethods",
    ),
    (
        {"cors": {"allowOrigins": ["http://a"], "allowHeaders": ["*", "x-a"]}},
        "cors.allowHeaders",
        "Cors",
        "allowHeaders",
    ),
]


@pytest.mark.parametrize(("changes", "path", "of", "key"), REFUSED)
def test_what_has_no_equivalent_is_refused_with_the_reason(
    changes: Mapping[str, Any], path: str, of: str, key: str
) -> None:
    """By its path, with the reason, and with the switch that turns back; Istio's own objects take it."""
    (why,) = [each.why for each in unsupported.MISSING if (each.of.__name__, each.key) == (of, key)]
    assert not issues(**changes)
    found = {str(fault.path): fault for fault in issues(api=API, **changes)}
    assert found[f"mesh-app:{path}"].code == "MESH190"
    assert why in found[f"mesh-app:{path}"].rule
    assert "pulumi config set --path 'mesh-app:api' istio" in found[f"mesh-app:{path}"].fix


def test_a_key_of_the_gateway_that_nobody_writes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that comes to Istio's Gateway later is never forgotten here in silence."""
    monkeypatch.setattr(unsupported, "GATEWAY_KEYS", {"hosts"})
    (fault,) = issues(api=API, gateway={"hosts": ["a.b"], "port": 8080})
    assert (fault.code, str(fault.path)) == ("MESH190", "mesh-app:gateway.port")
    assert not issues(api=API, gateway={"hosts": ["a.b"], "port": 80})


def test_every_row_of_the_table_is_provoked() -> None:
    """A reason that nothing provokes is a reason that nobody has read."""
    rows = {(each.of.__name__, each.key) for each in unsupported.MISSING}
    assert rows == {(of, key) for _, _, of, key in REFUSED}


MANY = {f"x-{nth}": "1" for nth in range(17)}
HOSTS = [f"h{nth}.b" for nth in range(16)]
TOO_MUCH: list[tuple[Mapping[str, Any], str]] = [
    (
        {"versions": {f"v{n}": {"tag": "1"} for n in range(17)}, "weights": {"v0": 100}},
        "versions",
    ),
    ({"routes": [ROUTE | {"name": f"r{n}", "headers": {"x-a": str(n)}} for n in range(16)]}, "routes"),
    (
        {
            "routes": [
                ROUTE | {"name": f"r{r}", "anyOf": [{"query": {"q": f"{r}-{n}"}} for n in range(64)]}
                for r in range(3)
            ]
        },
        "routes",
    ),
    (route(uri={"prefix": "/" + "." * 600}, headers=None), "routes[0].uri"),
    (route(query={"q": {"prefix": "." * 600}}, headers=None), "routes[0].query"),
    (route(headers=MANY), "routes[0].headers"),
    (route(query=MANY, headers=None), "routes[0].query"),
    (route(anyOf=[{"query": {"q": str(n)}} for n in range(65)]), "routes[0].anyOf"),
    ({"gateway": {"hosts": [f"h{n}.b" for n in range(17)]}}, "gateway.hosts"),
    ({"gateway": {"listeners": [{"hosts": HOSTS, "port": 8000 + n} for n in range(4)]}}, "gateway.listeners"),
    ({"requestHeaders": {"set": MANY}}, "requestHeaders.set"),
    ({"requestHeaders": {"add": MANY}}, "requestHeaders.add"),
    ({"responseHeaders": {"remove": list(MANY)}}, "responseHeaders.remove"),
]


@pytest.mark.parametrize(("changes", "path"), TOO_MUCH)
def test_what_one_route_does_not_hold_is_refused(changes: Mapping[str, Any], path: str) -> None:
    """By its path; Istio's own objects take it."""
    assert not issues(**changes)
    (fault,) = issues(api=API, **changes)
    assert (fault.code, str(fault.path)) == ("MESH191", f"mesh-app:{path}")


def test_every_limit_is_provoked() -> None:
    """As many cases as limits."""
    assert len(TOO_MUCH) == len(limits.LIMITS)


A, B = {"x-a": "1"}, {"x-a": "1", "x-b": "1"}
ORDERS: list[tuple[Mapping[str, Any], Mapping[str, Any], bool]] = [
    # a route, one below it, whether the one below would take requests first
    ({"headers": {"x-a": "1"}}, {"headers": {"x-b": "1", "x-c": "1"}}, True),
    ({"headers": {"x-a": "1"}}, {"headers": {"x-b": "1"}}, False),
    ({"headers": {"x-a": "1"}}, {"headers": {"x-a": "2", "x-c": "1"}}, False),
    ({"headers": {"x-a": {"regex": "[0-9]"}}}, {"headers": {"x-a": "b", "x-c": "1"}}, False),
    ({"headers": {"x-a": {"regex": "[0-9]"}}}, {"headers": {"x-a": "1", "x-c": "1"}}, True),
    ({"headers": {"x-a": "1"}}, {"uri": "/x"}, True),
    ({"uri": "/x"}, {"headers": {"x-a": "1"}}, False),
    ({"uri": "/x"}, {"uri": "/xy"}, False),
    ({"headers": {"x-a": "1"}}, {"method": "GET"}, True),
    ({"headers": {"x-a": "1"}, "method": "GET"}, {"method": "PUT", "uri": "/x"}, False),
    ({"query": {"q": "1"}}, {"headers": {"x-a": "1"}}, True),
    ({"uri": {"prefix": "/a"}}, {"headers": {"x-a": "1"}}, False),
    ({"uri": {"prefix": "/a"}}, {"uri": {"prefix": "/"}, "headers": {"x-a": "1"}}, False),
    ({"uri": {"prefix": "/a"}}, {"uri": {"regex": ".*/longer"}}, True),
    ({"uri": {"regex": "/items/[0-9]+"}}, {"uri": {"regex": "/x"}}, False),
]


@pytest.mark.parametrize(("upper", "lower", "overtaken"), ORDERS)
def test_an_order_that_the_gateway_api_would_not_keep_is_refused(
    upper: Mapping[str, Any], lower: Mapping[str, Any], overtaken: bool
) -> None:
    """Only where a request could fit both; with Istio's own objects any order is good."""
    changes = {"routes": [{"name": "up", **upper, "to": "v1"}, {"name": "low", **lower, "to": "v2"}]}
    assert not issues(**changes)
    found = [(fault.code, str(fault.path)) for fault in issues(api=API, **changes)]
    assert found == ([("MESH192", "mesh-app:routes[0]")] if overtaken else [])


def test_nothing_is_overtaken_by_the_weights() -> None:
    """They take any path, and stand behind every expression too."""
    read = stack(api=API, routes=[{"name": "a", "uri": {"regex": "/a/.+"}, "to": "v2"}])
    assert not list(
        overtakers([rule["matches"] for rule in http_route.http_route(read.services[0], read)["rules"]])
    )


def test_callers_in_the_mesh_follow_the_same_route() -> None:
    """It hangs on the Service that they call, beside the gateways: by default, whatever the hosts."""
    for changes in ({}, {"mesh": True}, {"gateway": {"hosts": ["a.b"]}}):
        parents = written(**changes)["parentRefs"]
        assert parents[-1] == {"group": "", "kind": "Service", "name": "springbootapp"}
        assert len(parents) == len(written(mesh=False)["parentRefs"]) + 1


def test_a_service_for_the_mesh_alone_has_no_gateway() -> None:
    """Nobody outside reaches it, by either switch."""
    spec = written(mesh="only", gateway=GONE, ingress=GONE)
    assert [parent["kind"] for parent in spec["parentRefs"]] == ["Service"]
    assert "hostnames" not in spec


def test_several_services_share_the_extra_ports() -> None:
    """Each has Gateways of its own, and all attach to the one Service that the stack opens."""
    read = stack(api=API, **several())
    both = [gateways.gateways(service, read) for service in read.services]
    assert len({name for each in both for name in each}) == 4
    addresses = [[spec["addresses"][0]["value"] for spec in each.values()] for each in both]
    assert addresses[0] == addresses[1]


def test_a_fault_of_one_of_several_names_its_place() -> None:
    """By the service's own path."""
    found = issues(api=API, **several(shop={**SHOP, **route(authority="a.b")}, cart=CART))
    assert [str(fault.path) for fault in found] == ["mesh-app:services.shop.routes[0].authority"]


def test_a_version_and_another_service_are_not_called_the_same() -> None:
    """Both would be the Service `shop-v1`; with subsets there is but one of them."""
    services = {"shop": SHOP, "shop-v1": CART}
    assert not issues(**several(**services))
    (fault,) = issues(api=API, **several(**services))
    assert (fault.code, str(fault.path)) == ("MESH193", "mesh-app:services.shop.versions.v1")


def test_a_match_that_says_nothing_stops_no_other_rule() -> None:
    """It has a fault of its own; the rules about routes go no further, and all others speak."""
    routes = [{"name": "a", "query": {"q": {"exact": None}}, "to": "v2"}]
    found = [(fault.code, str(fault.path)) for fault in issues(api=API, routes=routes, weights={"v1": 1})]
    assert found == [("MESH010", "mesh-app:routes[0].query.q"), ("MESH101", "mesh-app:weights")]

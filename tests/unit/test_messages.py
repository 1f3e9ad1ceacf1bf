"""Every message of the table, provoked by a stack file that deserves it."""

from collections.abc import Mapping
from typing import Any

import pytest

from components.schema import messages
from components.schema.issues import Message
from tests.unit.stacks import CART, GONE, SHOP, issues, several

LONG = "a" * 40
EXTRA = {"port": 8067, "targetPort": 8081, "nodePort": 31387}
SAME = {"port": 8066, "targetPort": 8080, "nodePort": 31386}
MUTUAL = {"hosts": ["a.b"], "tls": {"secret": "a", "mode": "MUTUAL"}}
JWT = {"issuer": "https://issuer.example.com", "jwksUri": "https://issuer.example.com/keys"}

PROVOKED: list[tuple[str, Mapping[str, Any], str, str]] = [
    # code, what is changed, where the fault is, what the mend says
    (
        "MESH001",
        {"app__prot": 8080},
        "mesh-app:app.prot",
        "pulumi config rm --path 'mesh-app:app.prot'",
    ),
    (
        "MESH001",
        {"weigths": {"v1": 100}},
        "mesh-app:weigths",
        "weights: {v1: 100}",
    ),
    (
        "MESH002",
        {"app__port": GONE},
        "mesh-app:app.port",
        "pulumi config set --path 'mesh-app:app.port' 8080",
    ),
    ("MESH002", {"weights": GONE}, "mesh-app:weights", "in the stack file: mesh-app:weights: {v1: 100}"),
    ("MESH003", {"weights__v1": "100"}, "mesh-app:weights.v1", "'mesh-app:weights.v1' 100"),
    ("MESH003", {"weights__v1": True}, "mesh-app:weights.v1", "'mesh-app:weights.v1' 100"),
    ("MESH003", {"weights__v1": 99.5}, "mesh-app:weights.v1", "'mesh-app:weights.v1' 100"),
    ("MESH003", {"namespace__injection": [3]}, "mesh-app:namespace.injection", "enabled"),
    ("MESH003", {"gateway__hosts": "*"}, "mesh-app:gateway.hosts", "hosts: ['*']"),
    ("MESH004", {"weights__v1": 101}, "mesh-app:weights.v1", "'mesh-app:weights.v1' 100"),
    ("MESH004", {"app__port": 0}, "mesh-app:app.port", "'mesh-app:app.port' 1"),
    (
        "MESH004",
        {"ingress__extraPorts__0__nodePort": 80},
        "mesh-app:ingress.extraPorts[0].nodePort",
        " 30000",
    ),
    ("MESH005", {"namespace__injection": "enable"}, "mesh-app:namespace.injection", "injection' enabled"),
    (
        "MESH006",
        {"app__image": "repo/app:42"},
        "mesh-app:app.image",
        "'mesh-app:app.image' xjk27400861/springbootapp",
    ),
    ("MESH006", {"app__name": "Shop"}, "mesh-app:app.name", "springbootapp"),
    (
        "MESH007",
        {"versions": {"V_1": {"tag": "1"}}, "weights": {"V_1": 100}},
        "mesh-app:versions.V_1",
        "rename",
    ),
    ("MESH008", {"versions__v2__tag": 4.1}, "mesh-app:versions.v2.tag", 'tag: "4.1"'),
    ("MESH008", {"versions__v2__tag": True}, "mesh-app:versions.v2.tag", 'tag: "true"'),
    ("MESH010", {"versions__v2__tag": GONE}, "mesh-app:versions.v2", "'mesh-app:versions.v2.tag' 42"),
    (
        "MESH010",
        {"versions__v2__digest": "sha256:" + "0" * 64},
        "mesh-app:versions.v2",
        "pulumi config rm --path 'mesh-app:versions.v2.digest'",
    ),
    (
        "MESH011",
        {"ingress__node": "worker-1"},
        "mesh-app:ingress",
        "pulumi config rm --path 'mesh-app:ingress.node'",
    ),
    ("MESH012", {"gateway__hosts": []}, "mesh-app:gateway.hosts", "hosts: ['*']"),
    (
        "MESH013",
        {"gateway__hosts": ["a.b", "a.b"]},
        "mesh-app:gateway.hosts[1]",
        "rm --path 'mesh-app:gateway.hosts[1]'",
    ),
    ("MESH101", {"weights": {"v1": 90, "v2": 20}}, "mesh-app:weights", "'mesh-app:weights.v1' 80"),
    ("MESH101", {"weights": {"v1": 10}}, "mesh-app:weights", "'mesh-app:weights.v1' 100"),
    (
        "MESH101",
        {"versions__v3": {"tag": "1"}, "weights": {"v1": 60, "v2": 60, "v3": 60}},
        "mesh-app:weights",
        "weights: {v1: 100, v2: 0, v3: 0}",
    ),
    ("MESH102", {"weights__v3": 0}, "mesh-app:weights.v3", "pulumi config rm --path 'mesh-app:weights.v3'"),
    (
        "MESH103",
        {"app__name": LONG, "versions": {LONG: {"tag": "1"}}, "weights": {LONG: 100}},
        f"mesh-app:versions.{LONG}",
        "18",
    ),
    (
        "MESH104",
        {"gateway__hosts": ["*.b.c", "a.b.c"]},
        "mesh-app:gateway.hosts[1]",
        "rm --path 'mesh-app:gateway.hosts[1]'",
    ),
    ("MESH105", {"ingress__extraPorts__0__port": 80}, "mesh-app:ingress.extraPorts[0].port", " 81"),
    (
        "MESH105",
        {"ingress__extraPorts": [SAME, {**EXTRA, "targetPort": 8080}]},
        "mesh-app:ingress.extraPorts[1].targetPort",
        " 8081",
    ),
    (
        "MESH106",
        {"ingress__extraPorts": [SAME, {**EXTRA, "nodePort": 31386}]},
        "mesh-app:ingress.extraPorts[1].nodePort",
        " 31387",
    ),
    (
        "MESH107",
        {"namespace__injection": "disabled", "versions__v1__sidecar": True},
        "mesh-app:versions.v1.sidecar",
        "pulumi config set --path 'mesh-app:namespace.injection' manual",
    ),
    ("MESH108", {"app__port": 15020}, "mesh-app:app.port", " 8080"),
    (
        "MESH108",
        {"ingress__extraPorts__0__targetPort": 15021},
        "mesh-app:ingress.extraPorts[0].targetPort",
        " 8080",
    ),
    ("MESH109", {"namespace__name": "istio-system"}, "mesh-app:namespace.name", " springbootapp"),
    ("MESH109", {"namespace__name": "kube-public"}, "mesh-app:namespace.name", " springbootapp"),
    ("MESH150", {**several(), "app": {"name": "shop"}}, "mesh-app:app", "below the service's name"),
    (
        "MESH151",
        several(
            **{
                "a-b": SHOP,
                "a": {**CART, "versions": {"b-v1": {"tag": "1"}}, "weights": {"b-v1": 100}},
            }
        ),
        "mesh-app:services.a-b.versions.v1",
        "another name",
    ),
    (
        "MESH152",
        several(shop=SHOP, cart={**CART, "gateway": SHOP["gateway"]}),
        "mesh-app:services.shop.gateway.hosts[0]",
        "set --path 'mesh-app:services.shop.gateway.hosts[0]' shop1.example.com",
    ),
    (
        "MESH152",
        several(shop=SHOP, cart={**CART, "gateway": {**SHOP["gateway"], "port": 8080}}),
        "mesh-app:services.shop.gateway.hosts[0]",
        "shop1.example.com",
    ),
    (
        "MESH152",
        {"gateway__listeners": [{"hosts": ["*"]}]},
        "mesh-app:gateway.listeners[0].hosts[0]",
        "springbootapp.example.com",
    ),
    (
        "MESH152",
        several(
            shop={**SHOP, "gateway": {**SHOP["gateway"], "existing": "edge/shared"}},
            cart={**CART, "gateway": {**SHOP["gateway"], "existing": "edge/shared"}},
            own={**SHOP, "gateway": {}},
        ),
        "mesh-app:services.shop.gateway.hosts[0]",
        "shop1.example.com",
    ),
    (
        "MESH011",
        {"gateway__existing": "edge/shared", "gateway__tls": {"secret": "a"}, "ingress": GONE},
        "mesh-app:gateway",
        "rm --path 'mesh-app:gateway.tls'",
    ),
    (
        "MESH153",
        {"gateway__tls": {"secret": "a", "port": 80}},
        "mesh-app:gateway.tls.port",
        "'mesh-app:gateway.tls.port' 443",
    ),
    (
        "MESH154",
        {"gateway__tls": {"secret": "a", "port": 8443, "redirect": True}},
        "mesh-app:gateway.tls.port",
        "'mesh-app:gateway.tls.port' 443, or pulumi config set --path 'mesh-app:gateway.tls.redirect' false",
    ),
    (
        "MESH155",
        several(
            shop={**SHOP, "gateway": {**SHOP["gateway"], "tls": {"secret": "a"}}},
            cart={**CART, "gateway": {**CART["gateway"], "tls": {"secret": "a"}}},
        ),
        "mesh-app:services.shop.gateway.tls.secret",
        "gateway.existing",
    ),
    (
        "MESH156",
        {"gateway": {"existing": "edge/shared"}},
        "mesh-app:ingress.extraPorts",
        "rm --path 'mesh-app:ingress.extraPorts'",
    ),
    (
        "MESH157",
        {"mesh": "only", "gateway__hosts": ["a.b"], "ingress": {"address": "127.0.0.1"}},
        "mesh-app:gateway",
        "pulumi config rm --path 'mesh-app:gateway', or pulumi config set --path 'mesh-app:mesh' true",
    ),
    (
        "MESH158",
        several(shop={**SHOP, "gateway": {"existing": "springistiodemo/shop"}}, cart=CART),
        "mesh-app:services.shop.gateway.existing",
        "of an existing Gateway",
    ),
    (
        "MESH159",
        several(shop=SHOP, cart={**CART, "gateway": {"hosts": ["a.b"], "existing": "springistiodemo/shop"}}),
        "mesh-app:services.cart.gateway.hosts[0]",
        "use one of its hosts",
    ),
    ("MESH108", {"gateway__port": 15021}, "mesh-app:gateway.port", " 8080"),
    (
        "MESH265",
        {"gateway": MUTUAL},
        "mesh-app:gateway.tls.mode",
        "pulumi config rm --path 'mesh-app:ingress.extraPorts'",
    ),
    (
        "MESH266",
        {"gateway": {**MUTUAL, "listeners": [{"hosts": ["c.d"]}]}, "ingress": {}},
        "mesh-app:gateway.listeners[0].tls.mode",
        "pulumi config set --path 'mesh-app:gateway.listeners[0].tls.mode' MUTUAL",
    ),
    (
        "MESH267",
        {"gateway": {**MUTUAL, "port": 8080}, "ingress": {}},
        "mesh-app:gateway.port",
        "pulumi config set --path 'mesh-app:gateway.tls.redirect' true",
    ),
]

INSIDERS = {"name": "insiders", "headers": {"x-user-group": "insider"}, "to": "v2"}
BETA = {"name": "beta", "uri": {"prefix": "/beta"}, "to": "v2"}


def routes(*changed: Mapping[str, Any]) -> Mapping[str, Any]:
    """Routes that are the insiders' but for what is said."""
    return {
        "routes": [{k: v for k, v in (INSIDERS | dict(each)).items() if v is not GONE} for each in changed]
    }


PROVOKED += [
    (
        "MESH001",
        {"resilience__timout": "2s"},
        "mesh-app:resilience.timout",
        "'mesh-app:resilience.timeout' 2s",
    ),
    (
        "MESH006",
        {"resilience__timeout": "2"},
        "mesh-app:resilience.timeout",
        "'mesh-app:resilience.timeout' 2s",
    ),
    ("MESH006", {"resilience__timeout": "1us"}, "mesh-app:resilience.timeout", " 2s"),
    ("MESH006", {"resilience__timeout": "-1s"}, "mesh-app:resilience.timeout", " 2s"),
    ("MESH006", {"sticky": {"cookie": "a", "ttl": "1500ms"}}, "mesh-app:sticky.ttl", " 1h"),
    ("MESH006", {"requestHeaders": {"set": {"a": "50%"}}}, "mesh-app:requestHeaders.set.a", " canary"),
    ("MESH007", routes({"headers": {"Host": "a"}}), "mesh-app:routes[0].headers.Host", "x-user-group"),
    ("MESH007", routes({"headers": {"host": "a"}}), "mesh-app:routes[0].headers.host", "x-user-group"),
    (
        "MESH009",
        routes({"headers": {"user-agent": {"regex": "a(?=b)"}}}),
        "mesh-app:routes[0].headers.user-agent.regex",
        "'.*Mobile/14.*'",
    ),
    (
        "MESH009",
        routes({"headers": {"a": {"regex": "a" * 1025}}}),
        "mesh-app:routes[0].headers.a.regex",
        "Mobile",
    ),
    ("MESH009", routes({"uri": {"regex": r"\C"}}), "mesh-app:routes[0].uri.regex", "/items/"),
    (
        "MESH011",
        routes({"redirect": {"uri": "/x"}}),
        "mesh-app:routes[0]",
        "rm --path 'mesh-app:routes[0].redirect'",
    ),
    (
        "MESH010",
        routes({"headers": {"a": {"exact": "b", "prefix": "b"}}}),
        "mesh-app:routes[0].headers.a",
        "rm --path 'mesh-app:routes[0].headers.a.prefix'",
    ),
    (
        "MESH011",
        {"versions__v1__replicas": 2, "versions__v1__autoscaling": {"min": 1, "max": 2}},
        "mesh-app:versions.v1",
        "rm --path 'mesh-app:versions.v1.autoscaling'",
    ),
    ("MESH014", routes({"headers": GONE}), "mesh-app:routes[0]", "headers: {x-user-group: insider}"),
    ("MESH014", routes({"headers": {}}), "mesh-app:routes[0]", "headers: {x-user-group: insider}"),
    ("MESH014", routes({"fault": {}}), "mesh-app:routes[0].fault", "delay: {time: 2s}"),
    (
        "MESH013",
        {"versions__v1__spread": [{"over": "zone"}, {"over": "node"}, {"over": "zone", "maxSkew": 2}]},
        "mesh-app:versions.v1.spread[2]",
        "rm --path 'mesh-app:versions.v1.spread[2]'",
    ),
    (
        "MESH111",
        {"versions__v1__autoscaling": {"min": 5, "max": 2}},
        "mesh-app:versions.v1.autoscaling.max",
        "'mesh-app:versions.v1.autoscaling.max' 5",
    ),
    (
        "MESH112",
        {"versions__v1__resources": {"requests": {"memory": "1Gi"}}},
        "mesh-app:versions.v1.resources.limits.memory",
        "'mesh-app:versions.v1.resources.limits.memory' 1Gi",
    ),
    (
        "MESH113",
        {"versions__v1__disruptionBudget": {"minAvailable": 1}},
        "mesh-app:versions.v1.disruptionBudget.minAvailable",
        "'mesh-app:versions.v1.disruptionBudget.maxUnavailable' 1",
    ),
    (
        "MESH113",
        {"versions__v1__replicas": 2, "versions__v1__disruptionBudget": {"minAvailable": "51%"}},
        "mesh-app:versions.v1.disruptionBudget.minAvailable",
        "'mesh-app:versions.v1.disruptionBudget.maxUnavailable' 1",
    ),
    (
        "MESH113",
        {"versions__v1__disruptionBudget": {"maxUnavailable": "0%"}},
        "mesh-app:versions.v1.disruptionBudget.maxUnavailable",
        " 1",
    ),
    ("MESH101", routes({"to": {"v2": 40}}), "mesh-app:routes[0].to", "'mesh-app:routes[0].to.v2' 100"),
    ("MESH102", routes({"to": {"v2": 100, "v9": 0}}), "mesh-app:routes[0].to.v9", "rm --path"),
    ("MESH120", routes({}, {"headers": {"a": "b"}}), "mesh-app:routes[1].name", " insiders-1"),
    ("MESH120", routes({"name": "weights"}), "mesh-app:routes[0].name", " weights-0"),
    ("MESH121", routes({"to": "v22"}), "mesh-app:routes[0].to", "'mesh-app:routes[0].to' v2"),
    ("MESH121", {"mirror": {"to": "v3"}}, "mesh-app:mirror.to", "'mesh-app:mirror.to' v"),
    (
        "MESH122",
        routes({"to": GONE, "redirect": {"uri": "/x"}, "timeout": "1s"}),
        "mesh-app:routes[0].timeout",
        "rm --path",
    ),
    (
        "MESH123",
        routes({"anyOf": [{"headers": {"x-user-group": "other"}}]}),
        "mesh-app:routes[0].anyOf[0].headers.x-user-group",
        "rm --path",
    ),
    (
        "MESH124",
        routes({"headers": {"cookie": "a=b"}, "cookies": {"c": "d"}}),
        "mesh-app:routes[0].cookies",
        "rm --path",
    ),
    (
        "MESH125",
        routes({"cookies": {name * 30: "x" for name in "abcde"}}),
        "mesh-app:routes[0].cookies",
        "rm --path",
    ),
    (
        "MESH126",
        {"mesh": False, **routes({"source": {"namespace": "a"}})},
        "mesh-app:routes[0].source",
        "pulumi config rm --path 'mesh-app:mesh'",
    ),
    (
        "MESH128",
        {"responseHeaders": {"set": {"a": "1"}, "remove": ["b", "a"]}},
        "mesh-app:responseHeaders.remove[1]",
        "rm --path",
    ),
    (
        "MESH129",
        routes({"rewrite": {"uriRegex": {"match": "/a/(.*)", "rewrite": r"/\2"}}}),
        "mesh-app:routes[0].rewrite.uriRegex.rewrite",
        "parentheses",
    ),
    ("MESH132", routes({"headers": GONE, "uri": {"prefix": "/"}}), "mesh-app:routes[0].uri", "weights"),
    (
        "MESH131",
        routes({}, {"name": "narrower", "uri": "/beta"}),
        "mesh-app:routes[1]",
        "rm --path 'mesh-app:routes[1]'",
    ),
    (
        "MESH131",
        {"routes": [BETA | {"method": "GET"}, BETA | {"name": "items", "uri": {"prefix": "/beta/items"}}]},
        "mesh-app:routes[1]",
        "rm --path 'mesh-app:routes[1]'",
    ),
    (
        "MESH140",
        {"resilience__retries": {"attempts": 0, "retryOn": ["5xx"]}},
        "mesh-app:resilience.retries.retryOn",
        "rm --path",
    ),
    (
        "MESH141",
        {"resilience": {"timeout": "1s", "retries": {"attempts": 1, "perTryTimeout": "1001ms"}}},
        "mesh-app:resilience.retries.perTryTimeout",
        "'mesh-app:resilience.retries.perTryTimeout' 1s",
    ),
    (
        "MESH142",
        {"resilience__locality": {"failover": [{"from": "a", "to": "b"}]}},
        "mesh-app:resilience.locality.failover",
        "outliers: {consecutive5xx: 5}",
    ),
    (
        "MESH143",
        {
            "resilience": {
                "outliers": {"interval": "1s"},
                "locality": {"failover": [{"from": "a", "to": "a"}]},
            }
        },
        "mesh-app:resilience.locality.failover[0].to",
        "REGION",
    ),
    (
        "MESH144",
        {"versions__v1__locality": {"distribute": [{"from": "a", "to": {"a/*": 80, "b": 30}}]}},
        "mesh-app:versions.v1.locality.distribute[0].to",
        """'mesh-app:versions.v1.locality.distribute[0].to["a/*"]' 70""",
    ),
    (
        "MESH145",
        {"resilience__locality": {"distribute": [{"from": "a/*", "to": {"a": 50, "a/b": 50}}]}},
        'mesh-app:resilience.locality.distribute[0].to["a/b"]',
        "rm --path",
    ),
    (
        "MESH005",
        {"resilience__retries": {"attempts": 1, "retryOn": ["5xy"]}},
        "mesh-app:resilience.retries.retryOn[0]",
        " 5xx",
    ),
    (
        "MESH005",
        {"resilience__loadBalancer": {"consistentHash": {"useSourceIp": False}}},
        "mesh-app:resilience.loadBalancer.consistentHash.useSourceIp",
        " true",
    ),
    ("MESH108", {"app__port": 15001}, "mesh-app:app.port", " 8080"),
    ("MESH108", {"ingress__extraPorts__0__port": 15021}, "mesh-app:ingress.extraPorts[0].port", " 8080"),
    ("MESH006", {"app__name": "istio-proxy"}, "mesh-app:app.name", " springbootapp"),
]

PROVOKED += [
    ("MESH005", {"security": {"mtls": "DISABLE"}}, "mesh-app:security.mtls", "security.mtls' PERMISSIVE"),
    (
        "MESH005",
        {"security": {"allow": {"a": {"gateway": False}}}},
        "mesh-app:security.allow.a.gateway",
        " true",
    ),
    (
        "MESH006",
        {"security": {"jwt": {**JWT, "issuer": "*"}}},
        "mesh-app:security.jwt.issuer",
        "https://issuer",
    ),
    (
        "MESH006",
        {"security": {"allow": {"a": {"paths": ["/a/*/b"]}}}},
        "mesh-app:security.allow.a.paths[0]",
        "/api/*",
    ),
    (
        "MESH006",
        {"security": {"jwt": {**JWT, "jwksUri": "http://issuer.example.com/keys"}}},
        "mesh-app:security.jwt.jwksUri",
        "security.jwt.jwksUri' https://",
    ),
    (
        "MESH010",
        {"security": {"jwt": {"issuer": "a"}}},
        "mesh-app:security.jwt",
        "security.jwt.jwksUri' https://",
    ),
    (
        "MESH012",
        {"security": {"mtls": "STRICT", "allow": {}}},
        "mesh-app:security.allow",
        "allow: {users: {gateway: true}}",
    ),
    (
        "MESH012",
        {"security": {"allow": {"a": {"gateway": True, "paths": []}}}},
        "mesh-app:security.allow.a.paths",
        "[/api/*]",
    ),
    ("MESH014", {"security": {"allow": {"a": {}}}}, "mesh-app:security.allow.a", "namespaces: [shop]"),
    (
        "MESH160",
        {"namespace__injection": "disabled", "security": {"mtls": "STRICT"}},
        "mesh-app:security",
        "pulumi config set --path 'mesh-app:namespace.injection' enabled",
    ),
    (
        "MESH160",
        {"versions__v2__sidecar": False, "security": {"mtls": "PERMISSIVE"}},
        "mesh-app:versions.v2.sidecar",
        "pulumi config rm --path 'mesh-app:versions.v2.sidecar'",
    ),
    (
        "MESH160",
        {"namespace__injection": "manual", "versions__v1__sidecar": True, "security": {"jwt": JWT}},
        "mesh-app:versions.v2.sidecar",
        "pulumi config set --path 'mesh-app:versions.v2.sidecar' true",
    ),
    (
        "MESH161",
        {"security": {"allow": {"orders": {"serviceAccounts": ["shop/orders"]}}}},
        "mesh-app:security.allow",
        "pulumi config set --path 'mesh-app:security.allow.users.gateway' true",
    ),
    (
        "MESH161",
        {
            "ingress": {"serviceAccount": "edge"},
            "security": {"allow": {"a": {"serviceAccounts": ["istio-system/istio-ingressgateway"]}}},
        },
        "mesh-app:security.allow",
        "pulumi config set --path 'mesh-app:security.allow.users.gateway' true",
    ),
    (
        "MESH162",
        {
            "namespace__injection": "ambient",
            "mesh": False,
            "security": {"allow": {"users": {"gateway": True, "paths": ["/a"]}}},
        },
        "mesh-app:security.allow.users.paths",
        "pulumi config rm --path 'mesh-app:security.allow.users.paths', or pulumi config set",
    ),
    (
        "MESH162",
        {"namespace__injection": "ambient", "mesh": False, "security": {"jwt": JWT}},
        "mesh-app:security.jwt",
        "pulumi config rm --path 'mesh-app:security.jwt', or pulumi config set",
    ),
    (
        "MESH226",
        routes({"headers": {"x-beta": "1"}, "rewrite": {"uri": "/beta"}}),
        "mesh-app:routes[0].rewrite.uri",
        "uri: {prefix: /}",
    ),
    (
        "MESH226",
        routes(
            {"anyOf": [{"uri": "/a"}, {"method": "GET"}], "rewrite": {"uri": "/beta"}},
        ),
        "mesh-app:routes[0].rewrite.uri",
        "rewrite: {uriRegex: {match: ^.*$, rewrite: /beta}}",
    ),
    (
        "MESH227",
        routes({"uri": {"prefix": "/" + "a" * 1021}, "rewrite": {"uri": "/"}}),
        "mesh-app:routes[0].rewrite.uri",
        "end both with /",
    ),
    (
        "MESH228",
        {"requestHeaders": {"set": {"X-Team": "a", "x-team": "b"}}},
        "mesh-app:requestHeaders.set.x-team",
        "pulumi config rm --path 'mesh-app:requestHeaders.set.x-team'",
    ),
    (
        "MESH229",
        {"security": {"allow": {"users": {"gateway": True, "token": False}}}},
        "mesh-app:security.allow.users.token",
        "pulumi config rm --path 'mesh-app:security.allow.users.token'",
    ),
    (
        "MESH230",
        {"security": {"jwt": JWT, "allow": {"api": {"paths": ["/api/*"]}}}},
        "mesh-app:security.allow.api.token",
        "pulumi config set --path 'mesh-app:security.allow.api.token' true",
    ),
    (
        "MESH231",
        {"cors": {"allowOrigins": ["https://a.b"], "allowCredentials": True, "allowHeaders": ["*"]}},
        "mesh-app:cors.allowHeaders",
        "pulumi config rm --path 'mesh-app:cors.allowCredentials'",
    ),
    (
        "MESH232",
        routes({"headers": GONE, "to": GONE, "uri": {"prefix": "/old"}, "redirect": {"uri": "/old/new"}}),
        "mesh-app:routes[0].redirect",
        "pulumi config set --path 'mesh-app:routes[0].redirect.authority' other.example.com",
    ),
    (
        "MESH232",
        {
            "gateway": {"hosts": ["a.b"], "tls": {"secret": "a", "redirect": True}},
            **routes({"headers": GONE, "to": GONE, "uri": "/safe", "redirect": {"scheme": "https"}}),
        },
        "mesh-app:routes[0].redirect",
        "use another uri",
    ),
    (
        "MESH005",
        {"resilience": {"loadBalancer": {"simple": "PASSTHROUGH"}}},
        "mesh-app:resilience.loadBalancer.simple",
        "R",
    ),
    (
        "MESH004",
        {"resilience": {"outliers": {"maxEjectionPercent": 0}}},
        "mesh-app:resilience.outliers.maxEjectionPercent",
        " 1",
    ),
    (
        "MESH128",
        {"responseHeaders": {"set": {"X-Team": "1"}, "add": {"x-team": "2"}}},
        "mesh-app:responseHeaders.add.x-team",
        "rm --path",
    ),
    (
        "MESH123",
        routes({"headers": {"X-Team": "a"}, "anyOf": [{"headers": {"X-TEAM": "b"}}]}),
        "mesh-app:routes[0].anyOf[0].headers.X-TEAM",
        "pulumi config rm --path 'mesh-app:routes[0].anyOf[0].headers.X-TEAM'",
    ),
    (
        "MESH124",
        routes({"headers": {"Cookie": "a"}, "cookies": {"b": "c"}}),
        "mesh-app:routes[0].cookies",
        "rm --path",
    ),
    (
        "MESH013",
        {"responseHeaders": {"remove": ["Server", "server"]}},
        "mesh-app:responseHeaders.remove[1]",
        "rm --path",
    ),
    (
        "MESH225",
        {"namespace__injection": "ambient"},
        "mesh-app:mesh",
        "pulumi config set --path 'mesh-app:mesh' false",
    ),
    (
        "MESH225",
        {
            "namespace__injection": "ambient",
            "mesh": "only",
            "gateway": GONE,
            "ingress__extraPorts": GONE,
        },
        "mesh-app:mesh",
        "pulumi config set --path 'mesh-app:namespace.injection' enabled",
    ),
    (
        "MESH163",
        {"security": {"jwt": {"issuer": "a", "jwks": '{"keys": []}'}}},
        "mesh-app:security.jwt.jwks",
        "pulumi config set --path 'mesh-app:security.jwt.jwks' \"$(cat FILE)\"",
    ),
    (
        "MESH164",
        {"security": {"jwt": {"issuer": "a", "jwks": '{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}'}}},
        "mesh-app:security.jwt.jwks",
        "create a new key",
    ),
    (
        "MESH170",
        {"canary": {"steps": [5, 50, {"weight": 25}]}},
        "mesh-app:canary.steps[2].weight",
        "pulumi config set --path 'mesh-app:canary.steps[2].weight' 50",
    ),
    (
        "MESH171",
        {"canary": {"hold": "10s"}},
        "mesh-app:canary.interval",
        "pulumi config set --path 'mesh-app:canary.interval' TIME",
    ),
    (
        "MESH171",
        {"canary": {"steps": [{"weight": 5, "hold": "1s"}]}},
        "mesh-app:canary.interval",
        "make the step longer",
    ),
    (
        "MESH172",
        {"canary": {"checks": [{"query": {"name": "queue", "promql": "up", "timesOld": 2}}]}},
        "mesh-app:canary.checks[0].query.promql",
        "write $version where",
    ),
    (
        "MESH240",
        routes(
            {"inherit": True, "uri": {"regex": "/a.*"}}, {"name": "b", "to": GONE, "uri": {"prefix": "/a"}}
        ),
        "mesh-app:routes[1]",
        "'mesh-app:routes[1].to' v1",
    ),
    (
        "MESH240",
        {"sticky": {"cookie": "user"}, **routes({"to": GONE, "headers": {"cookie": {"prefix": "a=b"}}})},
        "mesh-app:routes[0]",
        "'mesh-app:routes[0].to' v1",
    ),
    (
        "MESH240",
        {
            "canary": {"steps": [{"match": {"uri": {"prefix": "/tax/beta/"}}}]},
            **routes({"to": GONE, "uri": {"prefix": "/tax/"}, "rewrite": {"uri": "/v/"}}),
        },
        "mesh-app:routes[0]",
        "'mesh-app:routes[0].to' v1",
    ),
    (
        "MESH241",
        routes({"inherit": True, "to": GONE}),
        "mesh-app:routes[0].inherit",
        "'mesh-app:routes[0].to' v1",
    ),
    (
        "MESH242",
        routes({"inherit": True, "timeout": "1s"}),
        "mesh-app:routes[0].timeout",
        "rm --path 'mesh-app:routes[0].timeout'",
    ),
    (
        "MESH243",
        routes({"inherit": True, "uri": "/beta/x"}, BETA),
        "mesh-app:routes[0]",
        "rm --path 'mesh-app:routes[0]'",
    ),
    (
        "MESH243",
        {"routes": [BETA], "canary": {"steps": [{"match": {"uri": "/beta/x"}}]}},
        "mesh-app:canary.steps[0].match",
        "rm --path 'mesh-app:canary.steps[0].match'",
    ),
]

ELSEWHERE: Mapping[str, str] = {
    "MESH190": "test_gateway_api.py, for every row of the table",
    "MESH191": "test_gateway_api.py, for every limit",
    "MESH192": "test_gateway_api.py",
    "MESH193": "test_gateway_api.py",
    "MESH110": "test_settings.py: it takes an encrypted key",
    "MESH130": "tests/unit/test_kubeconfig.py: it takes a kubeconfig",
    "MESH201": "tests/program/test_ingress.py: it takes a cluster's answer",
    "MESH202": "tests/program/test_ingress.py: it takes a cluster's answer",
    "MESH203": "tests/program/test_ingress.py: it takes a cluster's answer",
    "MESH204": "tests/program/test_cluster_pin.py: it takes a cluster's answer",
    **{f"MESH21{nth}": "test_request_loss.py: it takes what was deployed before" for nth in range(5)},
    "MESH205": "test_ownership.py: it takes a cluster's answer",
    "MESH206": "test_ownership.py: it takes a cluster's answer",
    "MESH207": "test_ownership.py: it takes a cluster's answer",
    "MESH208": "test_ownership.py: it takes a cluster's answer",
    "MESH209": "test_ownership.py: it takes a cluster's answer",
    "MESH255": "test_ownership.py: it takes a cluster's answer",
    "MESH256": "test_ownership.py: it takes a cluster's answer",
    "MESH257": "test_ownership.py: it takes a cluster's answer",
}


@pytest.mark.parametrize(("code", "changes", "path", "fix"), PROVOKED)
def test_a_bad_stack_file_is_answered_with_its_code_its_place_and_its_mend(
    code: str, changes: Mapping[str, Any], path: str, fix: str
) -> None:
    """One mistake gives one fault, which names the place and says what to do."""
    (issue,) = issues(**changes)
    assert (issue.code, str(issue.path)) == (code, path)
    assert fix in issue.fix
    assert "{" not in issue.rule


def test_every_message_of_the_table_is_provoked() -> None:
    """A message without a test is a message that nobody has read."""
    assert set(messages.TABLE) == {code for code, *_ in PROVOKED} | set(ELSEWHERE)


def test_codes_are_not_given_twice() -> None:
    """A code leads to one message."""
    every = [value for value in vars(messages).values() if isinstance(value, Message)]
    assert len({message.code for message in every}) == len(every)

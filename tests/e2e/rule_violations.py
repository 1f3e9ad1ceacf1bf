"""Pulumi programs that break rules of the policy pack. They are previewed, and never deployed."""

from typing import Final

BEGINNING: Final = """
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.core.v1 import ConfigMap, Namespace, Service

META = {"name": "cart", "namespace": "shop"}
SOUND = {
    "name": "cart",
    "image": "example.com/cart:1",
    "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}},
    "securityContext": {"runAsNonRoot": True},
}


def istio(kind, spec, group="networking"):
    version = f"{group}.istio.io/v1"
    CustomResource(kind.lower(), api_version=version, kind=kind, metadata=META, spec=spec)


def virtual_service(*http, hosts=("cart",)):
    istio("VirtualService", {"hosts": list(hosts), "http": list(http)})


def to(subset, weight=None):
    weighted = {} if weight is None else {"weight": weight}
    return {"destination": {"host": "cart", "subset": subset}, **weighted}


def subsets(*names):
    istio("DestinationRule", {"host": "cart", "subsets": [{"name": name} for name in names]})


def deployment(pod=None, **container):
    labels = {"app": "cart"}
    spec = {"containers": [{**SOUND, **container}], **(pod or {})}
    template = {"metadata": {"labels": labels}, "spec": spec}
    Deployment("cart", metadata=META, spec={"selector": {"matchLabels": labels}, "template": template})

"""
"""The start of each program: the parts of a stack that breaks no rule."""

MANDATORY: Final = {
    "weights-sum-to-100": "subsets('v1', 'v2'); virtual_service({'route': [to('v1', 90), to('v2', 20)]})",
    "routes-reachable": """
subsets("v1")
insiders = [{"headers": {"x-user-group": {"exact": "insider"}}}]
virtual_service({"route": [to("v1")]}, {"match": insiders, "route": [to("v1")]})
""",
    "no-wildcard-in-mesh": "subsets('v1'); virtual_service({'route': [to('v1')]}, hosts=['*'])",
    "subset-declared": "subsets('v1'); virtual_service({'route': [to('v3')]})",
    "one-injection-label": """
labels = {"istio-injection": "enabled", "istio.io/rev": "canary"}
Namespace("shop", metadata={"name": "shop", "labels": labels})
""",
    "port-protocol-said": """
Service("cart", metadata=META, spec={"selector": {"app": "cart"}, "ports": [{"name": "api", "port": 80}]})
""",
    "image-pinned": "deployment(image='example.com/cart:latest')",
    "requests-set": "deployment(resources={'limits': {'memory': '64Mi'}})",
    "no-host-access": "deployment({'volumes': [{'name': 'logs', 'hostPath': {'path': '/var/log'}}]})",
    "no-added-privileges": "deployment(securityContext={'capabilities': {'add': ['SYS_ADMIN']}})",
    "not-root": "deployment(securityContext={'runAsUser': 0})",
    "mtls-not-disabled": "istio('PeerAuthentication', {'mtls': {'mode': 'DISABLE'}}, group='security')",
}
"""By rule; the stack is called prod."""

ADVISORY: Final = """
deployment(resources={"requests": {"cpu": "50m", "memory": "64Mi"}}, securityContext={})
istio("DestinationRule", {"host": "cart", "subsets": [{"name": "v3", "labels": {"version": "v3"}}]})
istio("PeerAuthentication", {"mtls": {"mode": "PERMISSIVE"}}, group="security")
http = {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["cart.example.com"]}
istio("Gateway", {"selector": {"istio": "ingressgateway"}, "servers": [http]})
"""
"""Breaks all advisory rules in one stack."""

NOT_YET_KNOWN: Final = """
later = ConfigMap("later", metadata=META, data={}).id
virtual_service({"route": [to(later.apply(str), 90), to(later.apply(str), later.apply(len))]})
deployment(image=later, resources=later.apply(lambda _: {}))
Namespace("shop", metadata={"labels": later.apply(lambda _: {})})
"""
"""Would break rules if unknown values were taken for missing ones."""

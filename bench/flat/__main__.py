"""The resources of objects.json, registered as a flat program would: no settings, no components, no order."""

import json
from pathlib import Path

import pulumi
from pulumi_kubernetes import Provider
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.core.v1 import Namespace, Service, ServiceAccount

KINDS = {
    "Deployment": Deployment,
    "Namespace": Namespace,
    "Service": Service,
    "ServiceAccount": ServiceAccount,
}

opts = pulumi.ResourceOptions(provider=Provider("cluster", context="lab"))
for each in json.loads(Path("objects.json").read_text()):
    kind, inputs = each["kind"], each["inputs"]
    if kind in KINDS:
        KINDS[kind](each["name"], **inputs, opts=opts)
    else:
        CustomResource(each["name"], kind=kind, **inputs, opts=opts)

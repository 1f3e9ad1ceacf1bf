"""The objects of objects.json, registered as a flat program would: no settings, no components, no order."""

import json
from pathlib import Path

import pulumi
from pulumi_kubernetes import Provider
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.core.v1 import Namespace, Service, ServiceAccount

KINDS = {each.__name__: each for each in (Deployment, Namespace, Service, ServiceAccount)}
INPUTS = {"automountServiceAccountToken": "automount_service_account_token"}
"""Inputs whose name is another one in Python."""

opts = pulumi.ResourceOptions(provider=Provider("cluster", context="lab"))
for each in json.loads(Path("objects.json").read_text()):
    version, kind = each.pop("apiVersion"), each.pop("kind")
    name = f"{kind}-{each['metadata']['name']}"
    inputs = {INPUTS.get(key, key): value for key, value in each.items()}
    if kind in KINDS:
        KINDS[kind](name, **inputs, opts=opts)
    else:
        CustomResource(name, api_version=version, kind=kind, **inputs, opts=opts)

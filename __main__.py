"""The Pulumi program: settings → cluster → components → outputs."""

import pulumi
from pulumi_kubernetes import Provider

from components.resources import mesh_security
from components.resources.cluster_pin import pinned
from components.resources.gateway_api_policy import GatewayApiPolicy
from components.resources.mesh_ingress import MeshIngress
from components.resources.mesh_namespace import MeshNamespace
from components.resources.protection import Protection
from components.resources.service_policy import ServicePolicy
from components.resources.traffic_policy import TrafficPolicy
from components.resources.versioned_app import VersionedApp
from components.rollout.handover import Handover
from components.rollout.loss_warnings import LossWarnings
from components.rollout.ownership import Ownership
from components.rollout.update import Update
from components.settings import load

POLICIES: dict[str, type[ServicePolicy]] = {
    "istio": TrafficPolicy,
    "gateway-api": GatewayApiPolicy,
}

stack = load.read()

ownership = Ownership(stack)
ownership.claim()
LossWarnings(stack).register()
cluster = Provider("cluster", context=stack.cluster.context, cluster_identifier=stack.cluster.identity)
on_cluster = pinned(stack, cluster)

protection, update = Protection(stack), Update(stack, ownership)
namespace = MeshNamespace(stack, protection=protection, opts=on_cluster)
ingress = MeshIngress(stack, protection=protection, opts=on_cluster)
in_namespace = pulumi.ResourceOptions.merge(on_cluster, pulumi.ResourceOptions(depends_on=[namespace]))

for service in stack.services:
    handover = Handover(service, stack, update)
    policies = mesh_security.secure(service, stack=stack, update=update, opts=in_namespace)
    app = VersionedApp(
        service,
        stack=stack,
        handover=handover,
        policies=policies,
        protection=protection,
        opts=in_namespace,
    )
    POLICIES[stack.api](
        service,
        stack=stack,
        handover=handover,
        ports=ingress.ports,
        workloads=app.workloads,
        protection=protection,
        opts=in_namespace,
    )

pulumi.export("url", stack.each(ingress.url))
pulumi.export("urls", stack.each(ingress.urls))
pulumi.export("weights", stack.each(lambda service: service.split))
pulumi.export("versions", stack.each(lambda service: list(service.versions)))
pulumi.export("namespace", namespace.name)

"""kubectl commands that roll the routes back without Pulumi, from what the program declares."""

import json
import shlex
from typing import Final

from operations.kube.manifests import manifests
from operations.pulumi_stack.program import learn
from operations.pulumi_stack.project import Project
from operations.pulumi_stack.services import MeshService

ROUTES: Final = {"VirtualService", "HTTPRoute", "GRPCRoute"}


def commands(project: Project, stack: str, service: MeshService, context: str) -> list[str]:
    """Write a kubectl command for each route of a service, as the stack file or its draft declares it.

    Raises:
        OperationError: the program refuses the stack file.
    """
    found = []
    for each in manifests(learn(project, stack).resources):
        spec = json.dumps({"spec": each.get("spec")})
        if each["kind"] not in ROUTES or not any(_leads_to(spec, host) for host in service.hosts):
            continue
        metadata = each["metadata"]
        kind = f"{each['kind']}.{each['apiVersion'].partition('/')[0]}".lower()
        found.append(
            f"kubectl --context {shlex.quote(context)} -n {metadata['namespace']} patch {kind} "
            f"{metadata['name']} --type=merge -p {shlex.quote(spec)}"
        )
    return found


def _leads_to(spec: str, host: str) -> bool:
    return f'"{host}"' in spec or f'"{host}.' in spec

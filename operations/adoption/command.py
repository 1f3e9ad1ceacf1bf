"""Runs `python -m operations adopt`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from components.model.handover import Handover
from operations.adoption import plan as plans
from operations.adoption import report, secrets, sources, stack_file
from operations.adoption.app_objects import AppObjects, find_family
from operations.adoption.differences import additions, differences
from operations.adoption.pods import end_pods, is_of, release
from operations.adoption.takeover import Takeover, urns
from operations.errors import OperationError
from operations.kube.cluster import Cluster, in_kind, spelled
from operations.kube.manifests import Manifest, manifests
from operations.kube.proxies import synced
from operations.pulumi_stack.program import declare
from operations.pulumi_stack.project import Project
from operations.pulumi_stack.recorder import Resource


@dataclass(frozen=True, kw_only=True)
class Request:
    """The options of the command."""

    stack: str
    context: str
    files: Sequence[Path]
    namespace: str | None
    app: str | None
    probe: str | None
    ingress: str
    address: str | None
    rewrite: bool
    yes: bool


def adopt(project: Project, request: Request, console: Console) -> None:
    """Write the stack file, report the differences and the plan, and with `yes` carry it out.

    Raises:
        OperationError: an object cannot be read, expressed or changed; the existing pods still serve.
    """
    if not (request.files or request.namespace):
        raise OperationError("nothing to adopt", fix="name files, -f FILE, or a namespace, -n NAMESPACE")
    cluster = Cluster(request.context)
    family, namespace, shared = _read(request, cluster)
    file = project.stack_file(request.stack)
    if file.exists() and not request.rewrite:
        console.print(f"{file.name} exists and is not changed; --rewrite writes it again")
    else:
        config = stack_file.stack_config(
            family,
            namespace,
            shared=shared,
            project=project.name,
            context=request.context,
            ingress=_ingress(request, cluster),
            probe=request.probe,
        )
        stack_file.write(file, config)
        console.print(f"wrote {file.name}")
        report.show_secrets(secrets.plain_secrets(family), file.name, request.context, console)

    resources = declare(project, request.stack)
    rendered = manifests(resources)
    report.show_differences(differences(family, rendered), console)
    report.show_additions(additions(family, rendered), console)
    plan = plans.plan(family, resources, cluster)
    report.show_plan(plan, console)
    if not request.yes:
        console.print("nothing was changed in the cluster; to take the objects over: add --yes")
        return

    secrets.check(secrets.plain_secrets(family), rendered, cluster)
    takeover = Takeover(project.folder, request.stack, lambda line: console.print(f"  {line}"))
    takeover.know(resources, plan.taken, project.name)
    report.show_preview(takeover.preview(), console)
    handover = project.setting(request.stack, "handover", Handover)
    with synced(cluster.context, handover, takeover.report_line):
        _move(takeover, plan, resources, cluster)
    plans.retire(plan, cluster, handover, takeover.report_line)
    report.show_preview(takeover.preview(), console)
    console.print(f"stack {request.stack} owns {family.app}; from now on: pulumi up --stack {request.stack}")


def _move(takeover: Takeover, plan: plans.Plan, resources: Sequence[Resource], cluster: Cluster) -> None:
    """Create new pods beside the old ones, then change the routes, end the old pods, and the Service last.

    The program's Service has a named target port, which only the program's own pods have. Changed together
    with the pods, it would have no endpoints until the first of them is ready (on the lab 806 of 4,871
    requests were lost), and Pulumi does not order the two: no Deployment depends on its Service.
    """
    for each in in_kind(plan.taken, "Deployment"):
        live = cluster.find(each)
        if live and not is_of(each, live):
            takeover.report_line(f"release the pods of {spelled(each)}; they still serve")
            release(each, cluster)
    takeover.up(but=sorted(urns(resources, in_kind(plan.taken, "Service"))))
    end_pods(plan.namespace, cluster, takeover.report_line)
    takeover.up()


def _read(request: Request, cluster: Cluster) -> tuple[AppObjects, Manifest | None, bool]:
    if request.files:
        objects = sources.from_files(request.files, request.namespace)
    else:
        objects = sources.from_namespace(cluster, str(request.namespace))
    name = sources.namespace_of(objects, request.namespace)
    for each in objects:
        if each["kind"] != "Namespace":
            each["metadata"].setdefault("namespace", name)
    asked: Manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    # The live namespace takes precedence: its labels decide about sidecars.
    live = cluster.find(asked)
    namespace = live or next(iter(in_kind(objects, "Namespace")), None)
    kinds = ("VirtualService", "Gateway")
    elsewhere = [each for kind in kinds for each in cluster.every("networking.istio.io/v1", kind)]
    return find_family(objects, name, request.app, elsewhere), namespace, live is not None


def _ingress(request: Request, cluster: Cluster) -> dict[str, Any]:
    """Return the value of `ingress`: with the given address, a load balancer, or a node."""
    if request.address:
        return {"service": request.ingress, "address": request.address}
    namespace, _, name = request.ingress.partition("/")
    balanced = cluster.status("v1", "Service", name, namespace).get("loadBalancer", {}).get("ingress")
    if balanced:
        return {"service": request.ingress}
    nodes = sorted(each["metadata"]["name"] for each in cluster.every("v1", "Node"))
    return {"service": request.ingress, "node": nodes[0]}

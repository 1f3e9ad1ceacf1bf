"""What a team changes under traffic: each change is made and unmade, by config and plain `up`."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.e2e.conftest import Stack

APP: Final = {
    "name": "springbootapp",
    "image": "xjk27400861/springbootapp",
    "port": 8080,
    "probe": "/healthz",
    "path": "/hello",
}
V1: Final = {"tag": "42", "replicas": 2, "disruptionBudget": {"maxUnavailable": 1}}
V2: Final = {"tag": "43", "replicas": 2, "disruptionBudget": {"maxUnavailable": 1}}
SCALED: Final = {"tag": "43", "autoscaling": {"min": 2, "max": 3}, "disruptionBudget": {"maxUnavailable": 1}}
WEIGHTLESS: Final = "weightless"
"""What a version calls itself that has weight 0 all the time: it must not answer."""
SEEN_SECONDS: Final = 5
"""How long a version of weight 0 runs beside the others."""
ROLLOUT_SECONDS: Final = 180
ENDING_SECONDS: Final = 60
EVICTION_SECONDS: Final = 120

Change = Callable[[Stack], None]


def base(namespace: str) -> dict[str, Any]:
    """Two versions that share the traffic of gateway and mesh."""
    return {
        "namespace": {"name": namespace},
        "app": APP,
        "versions": {"v1": V1, "v2": V2},
        "weights": {"v1": 50, "v2": 50},
        "gateway": {"hosts": [f"{namespace}.example.com"]},
        "mesh": True,
        "ingress": {"address": "127.0.0.1"},
    }


def set_(stack: Stack, **settings: object) -> None:
    """Change keys of the stack file, and run `pulumi up`."""
    stack.configure(**settings)
    stack.up()


def settle(stack: Stack) -> None:
    """Wait until every pod is new and ready, and the old ones have answered their last request."""
    where = f"-n {stack.namespace} --timeout={ROLLOUT_SECONDS}s"
    for deployment in stack.shell.run(f"kubectl get deployments -n {stack.namespace} -o name").stdout.split():
        stack.shell.run(f"kubectl rollout status {deployment} {where}")
    deadline = time.monotonic() + ENDING_SECONDS
    ending = f"kubectl get pods -n {stack.namespace} -o jsonpath={{.items[*].metadata.deletionTimestamp}}"
    while stack.shell.run(ending).stdout.strip():
        assert time.monotonic() < deadline, "pods do not end"
        time.sleep(1)


def jump(stack: Stack) -> None:
    """Everything to one version at once, and back."""
    set_(stack, weights={"v1": 0, "v2": 100})
    set_(stack, weights={"v1": 50, "v2": 50})


def steps(stack: Stack) -> None:
    """Weights moved in steps."""
    for share in (75, 90, 100, 50):
        set_(stack, weights={"v1": 100 - share, "v2": share})


def version_added(stack: Stack) -> None:
    """A version comes with its first weight, and leaves while it has half of the traffic."""
    set_(stack, versions={"v1": V1, "v2": V2, "v3": V2}, weights={"v1": 25, "v2": 25, "v3": 50})
    set_(stack, versions={"v1": V1, "v2": V2}, weights={"v1": 50, "v2": 50})


def image(stack: Stack) -> None:
    """The image of a version that serves is another one, and the old one again."""
    set_(stack, versions={"v1": V1, "v2": {**V2, "tag": "42"}})
    set_(stack, versions={"v1": V1, "v2": V2})


def replicas(stack: Stack) -> None:
    """More pods, and fewer."""
    set_(stack, versions={"v1": V1, "v2": {**V2, "replicas": 4}})
    set_(stack, versions={"v1": V1, "v2": V2})


def autoscaled(stack: Stack) -> None:
    """The number of pods passes to an autoscaler, and back to the stack file."""
    set_(stack, versions={"v1": V1, "v2": SCALED})
    set_(stack, versions={"v1": V1, "v2": V2})


def whole_weight(stack: Stack) -> None:
    """An autoscaled version comes with all of the weight in one update, and leaves in one."""
    set_(stack, versions={"v1": V1, "v2": V2, "v3": SCALED}, weights={"v1": 0, "v2": 0, "v3": 100})
    set_(stack, versions={"v1": V1, "v2": V2}, weights={"v1": 50, "v2": 50})


def weight_0(stack: Stack) -> None:
    """A version without weight comes and goes: callers outside and in the mesh get no answer of it."""
    set_(stack, versions={"v1": V1, "v2": V2, "v3": {**V2, "env": {"VERSION": WEIGHTLESS}}})
    time.sleep(SEEN_SECONDS)
    set_(stack, versions={"v1": V1, "v2": V2})


def header_route(stack: Stack) -> None:
    """A route above the weights comes and goes."""
    set_(stack, routes=[{"name": "insiders", "headers": {"x-user-group": "insider"}, "to": "v2"}])
    set_(stack, routes=None)


def subset_policy(stack: Stack) -> None:
    """How callers protect themselves from a version changes."""
    set_(stack, resilience={"outliers": {"consecutive5xx": 7}, "loadBalancer": {"simple": "ROUND_ROBIN"}})
    set_(stack, resilience=None)


def gateway_host(stack: Stack) -> None:
    """The Gateway serves one more host, and no more."""
    (own,) = stack.config["gateway"]["hosts"]
    set_(stack, gateway={"hosts": [own, f"also.{own}"]})
    set_(stack, gateway={"hosts": [own]})


def sidecars(stack: Stack) -> None:
    """The sidecar is asked for by each pod itself: new pods, the injection as it was."""
    set_(stack, versions={"v1": {**V1, "sidecar": True}, "v2": V2})
    set_(stack, versions={"v1": V1, "v2": V2})


def hand_edits(stack: Stack) -> None:
    """Hands have scaled, labelled and divided; the next `up` of the stack file meets what they left."""
    where = f"-n {stack.namespace}"
    stack.shell.run(f"kubectl scale deployment springbootapp-v1 {where} --replicas=3")
    stack.shell.run(f"kubectl label destinationrule springbootapp-v2 {where} team=shop --overwrite")
    weights = '[{"op": "replace", "path": "/spec/http/0/route/0/weight", "value": 60}]'
    stack.shell.run(f"kubectl patch virtualservice springbootapp {where} --type=json --patch='{weights}'")
    set_(stack, versions={"v1": {**V1, "replicas": 4}, "v2": V2}, weights={"v1": 40, "v2": 60})
    set_(stack, versions={"v1": V1, "v2": V2}, weights={"v1": 50, "v2": 50})


def restart(stack: Stack) -> None:
    """`kubectl rollout restart` of everything."""
    stack.shell.run(f"kubectl rollout restart deployment -n {stack.namespace}")
    for version in ("v1", "v2"):
        wait = f"--timeout={ROLLOUT_SECONDS}s"
        stack.shell.run(
            f"kubectl rollout status deployment/springbootapp-{version} -n {stack.namespace} {wait}"
        )


def evictions(stack: Stack) -> None:
    """All pods are evicted one after the other, as a drain does, while the budgets let it."""
    for pod in stack.shell.pods(stack.namespace, "app=springbootapp"):
        name = pod["metadata"]["name"]
        body = f'{{"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {{"name": "{name}"}}}}'
        path = f"/api/v1/namespaces/{stack.namespace}/pods/{name}/eviction"
        deadline = time.monotonic() + EVICTION_SECONDS
        while stack.shell.run(f"kubectl create --raw {path} -f - <<< '{body}'", check=False).returncode:
            assert time.monotonic() < deadline, f"the budget never let {name} go"
            time.sleep(1)


def mesh_callers(stack: Stack) -> None:
    """Callers in the mesh leave the routes while v2 has no weight, and follow them again."""
    set_(stack, weights={"v1": 100, "v2": 0})
    set_(stack, mesh=False)
    set_(stack, mesh=True)
    set_(stack, weights={"v1": 50, "v2": 50})


CHANGES: Final[Mapping[str, Change]] = {
    "weights in one jump": jump,
    "weights in steps": steps,
    "a version added with its first weight, removed with 50 %": version_added,
    "a version's image": image,
    "replicas up and down": replicas,
    "replicas to autoscaling": autoscaled,
    "an autoscaled version with its whole weight in one update": whole_weight,
    "a version of weight 0": weight_0,
    "a header route": header_route,
    "subset policy": subset_policy,
    "a Gateway host": gateway_host,
    "sidecar settings": sidecars,
    "after hand edits": hand_edits,
    "kubectl rollout restart": restart,
    "evictions": evictions,
    "callers in the mesh leave the routes at weight 0, and follow them again": mesh_callers,
}

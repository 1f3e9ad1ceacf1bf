"""Deploy, check, change manually, find and repair: the whole life of a drift.

The rest is in test_drift_under_load.py and test_drift_schedule.py; many changes in `python -m bench drift`.
"""

from tests.e2e.conftest import MakeStack
from tests.e2e.drifting import CLEAN, DRIFT, drift, findings, kubectl, weight
from tests.e2e.traffic import ask_until

NAMESPACE = "e2e-drift-story"
SETTINGS = {
    "namespace": {"name": NAMESPACE},
    "app": {"name": "springbootapp", "image": "xjk27400861/springbootapp", "port": 8080, "probe": "/hello"},
    "versions": {"v1": {"tag": "42"}, "v2": {"tag": "43"}},
    "weights": {"v1": 100},
    "gateway": {"hosts": [f"{NAMESPACE}.example.com"]},
    "ingress": {"address": "127.0.0.1"},
}
MANUAL = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: manual}
spec: {host: springbootapp, trafficPolicy: {connectionPool: {http: {http1MaxPendingRequests: 1}}}}
"""


def test_a_manual_change_is_found_and_repaired(new_stack: MakeStack) -> None:
    """With its writer; then objects, traffic and Pulumi's state are as declared.

    An unmanaged object is only reported.
    """
    stack = new_stack("e2e-drift-story", **SETTINGS)
    stack.up()
    assert drift(stack)[0] == CLEAN

    weight(stack, 0, 100)
    kubectl(stack, "label service springbootapp team=a")
    kubectl(stack, f"create --filename=- <<'EOF'\n{MANUAL}\nEOF\n")
    found = findings(stack)
    moved = found["VirtualService springbootapp spec.http[weights].route[1].weight"]
    assert (moved["declared"], moved["live"], moved["writer"]["manager"]) == (0, 100, "kubectl-patch")
    assert found["Service springbootapp metadata.labels.team"]["problem"] == "added"
    assert found["DestinationRule manual"]["why"] == "configures calls to Service springbootapp"
    url, host = stack.outputs()["url"], f"{NAMESPACE}.example.com"
    ask_until(url, 20, lambda seen: set(seen) == {"v2"}, host=host)

    code, output = drift(stack, "--fix --yes")
    assert code == DRIFT, output
    assert list(findings(stack)) == ["DestinationRule manual"]
    assert findings(stack)["DestinationRule manual"]["foreign"]
    kubectl(stack, "delete destinationrule manual")
    ask_until(url, 20, lambda seen: set(seen) == {"v1"}, host=host)
    assert drift(stack)[0] == CLEAN
    stack.pulumi("refresh --preview-only --expect-no-changes --run-program")

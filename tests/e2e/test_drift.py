"""Insert, nothing to do, edited by hand, found, repaired: the whole story of drift in one go.

The rest is in test_drift_under_load.py and test_drift_schedule.py; many edits in `python -m bench drift`.
"""

from tests.e2e.conftest import MakeStack
from tests.e2e.drifting import CLEAN, DRIFT, drift, findings, kubectl, weight
from tests.e2e.traffic import proxies_synced

NAMESPACE = "e2e-drift-story"
SETTINGS = {
    "namespace": {"name": NAMESPACE},
    "app": {"name": "springbootapp", "image": "xjk27400861/springbootapp", "port": 8080, "probe": "/hello"},
    "versions": {"v1": {"tag": "42"}, "v2": {"tag": "43"}},
    "weights": {"v1": 100},
    "gateway": {"hosts": [f"{NAMESPACE}.example.com"]},
    "ingress": {"address": "127.0.0.1"},
}
HAND = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: hand-made}
spec: {host: springbootapp, trafficPolicy: {connectionPool: {http: {http1MaxPendingRequests: 1}}}}
"""


def test_an_edit_by_hand_is_found_and_put_back(new_stack: MakeStack) -> None:
    """With who did it; then all is as declared, the traffic too, and Pulumi's state is true.

    What another owner made stays.
    """
    stack = new_stack("e2e-drift-story", **SETTINGS)
    stack.up()
    assert drift(stack)[0] == CLEAN

    weight(stack, 0, 100)
    kubectl(stack, "label service springbootapp team=hand")
    kubectl(stack, f"create --filename=- <<'EOF'\n{HAND}\nEOF\n")
    found = findings(stack)
    moved = found["VirtualService springbootapp spec.http[weights].route[1].weight"]
    assert (moved["declared"], moved["live"], moved["writer"]["manager"]) == (0, 100, "kubectl-patch")
    assert found["Service springbootapp metadata.labels.team"]["problem"] == "added"
    assert found["DestinationRule hand-made"]["why"] == "says how Service springbootapp is called"
    url, host = stack.outputs()["url"], f"{NAMESPACE}.example.com"
    proxies_synced(url, 20, lambda seen: set(seen) == {"v2"}, host=host)

    # The stack did not make the rule: it is reported, and whoever made it deletes it.
    code, said = drift(stack, "--fix --yes")
    assert code == DRIFT, said
    assert list(findings(stack)) == ["DestinationRule hand-made"]
    assert findings(stack)["DestinationRule hand-made"]["foreign"]
    kubectl(stack, "delete destinationrule hand-made")
    proxies_synced(url, 20, lambda seen: set(seen) == {"v1"}, host=host)
    assert drift(stack)[0] == CLEAN
    stack.pulumi("refresh --preview-only --expect-no-changes --run-program")

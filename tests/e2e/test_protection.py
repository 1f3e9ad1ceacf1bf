"""Nothing that serves is deleted by mistake, and nothing on another cluster than the one that is meant."""

import json
from collections.abc import Iterator

import pytest

from bench import load
from bench.changes import base
from tests.e2e.conftest import Stack, stacks_in

NAMESPACE = "e2e-protection"
OTHER_CLUSTER = "00000000-0000-4000-8000-000000000000"
KINDS = (
    "deployments,services,serviceaccounts,horizontalpodautoscalers,poddisruptionbudgets,"
    "destinationrules,virtualservices.networking.istio.io,gateways.networking.istio.io"
)
VERSION = {
    "tag": "42",
    "autoscaling": {"min": 1, "max": 2, "cpu": 90},
    "disruptionBudget": {"maxUnavailable": 1},
}


@pytest.fixture(scope="module")
def stack(_lab_is_up: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Two versions, of which one serves; pinned to the lab, and protected until the last test has ended."""
    with stacks_in(tmp_path_factory.mktemp("protection")) as make:
        settings = {**base(NAMESPACE), "versions": {"v1": VERSION, "v2": VERSION}}
        made = make("protection", **{**settings, "weights": {"v1": 100, "v2": 0}, "protected": True})
        made.configure(clusterUid=cluster(made))
        made.up()
        yield made
        # The explicit word. After it, a plain `pulumi destroy` does what it always does.
        made.configure(protected=None, clusterUid=None)
        made.up()


def cluster(stack: Stack) -> str:
    """The uid by which the lab's cluster is known."""
    return stack.shell.run("kubectl get namespace kube-system -o jsonpath={.metadata.uid}").stdout


def uids(stack: Stack) -> dict[str, str]:
    """All objects of the stack's namespace, and the extra ports of it, by who they are."""
    items = stack.shell.json(f"kubectl get {KINDS} -n {NAMESPACE} -o json")["items"]
    found = {f"{each['kind']} {each['metadata']['name']}": each["metadata"]["uid"] for each in items}
    assert found
    return found


def changes(stack: Stack) -> dict[str, str]:
    """What a preview would do to which object, but for those that stay and those that are read."""
    steps = json.loads(stack.pulumi("preview --json").stdout)["steps"]
    named = ((*each["urn"].split("::")[2:], each["op"]) for each in steps)
    return {name: op for kind, name, op in named if "kubernetes:" in kind and op not in ("same", "read")}


def traffic() -> load.Load:
    return load.Load("http://127.0.0.1:31380/hello", rate=100, host=f"{NAMESPACE}.example.com")


def test_a_weight_change_is_one_object(stack: Stack) -> None:
    """Though a version is no longer the last that serves, and then is again: law 1."""
    before = generations(stack)
    for weights in ({"v1": 50, "v2": 50}, {"v1": 100, "v2": 0}):
        stack.configure(weights=weights)
        assert changes(stack) == {"springbootapp": "update"}
        stack.up()
        stack.pulumi("preview --expect-no-changes")
    changed = {key for key, value in generations(stack).items() if value != before[key]}
    assert changed == {"VirtualService springbootapp"}


@pytest.mark.parametrize(
    ("words", "description"),
    [
        ("", "--run-program"),
        ("--continue-on-error", "--run-program"),
        ("--run-program", "pulumi config set --path 'mesh-app:protected' false"),
        ("--run-program --continue-on-error", "pulumi config set --path 'mesh-app:protected' false"),
    ],
)
def test_destroy_deletes_nothing(stack: Stack, words: str, description: str) -> None:
    """It names the key and what to do, every object stays who it is, and no request is lost."""
    before = uids(stack)
    with traffic() as asked:
        refused = stack.pulumi(f"destroy --yes --skip-preview {words}", check=False)
    assert refused.returncode
    assert "mesh-app:protected" in refused.stdout
    assert description in refused.stdout
    assert "Traceback" not in refused.stdout
    assert not asked.report.failed
    # It forgets what it had only read, and nothing else.
    stack.up()
    assert uids(stack) == before


def test_destroy_of_what_is_not_protected_deletes_nothing_that_serves(stack: Stack) -> None:
    """`--exclude-protected` keeps what the protected routes need."""
    before = uids(stack)
    with traffic() as asked:
        stack.pulumi("destroy --yes --skip-preview --run-program --exclude-protected", check=False)
    assert uids(stack) == before
    assert not asked.report.failed
    stack.up()


def test_the_last_version_that_serves_goes_in_two_steps(stack: Stack) -> None:
    """In one it is refused, in the preview already, and by an `up` without one it stays with its pods."""
    both = stack.config["versions"]
    stack.configure(versions={"v2": VERSION}, weights={"v2": 100})
    preview = stack.pulumi("preview", check=False)
    assert preview.returncode
    assert "springbootapp-v1 serves" in preview.stdout
    with traffic() as asked:
        assert stack.pulumi("up --yes --skip-preview", check=False).returncode
        assert "Deployment springbootapp-v1" in uids(stack)
        stack.configure(versions=both, weights={"v2": 100})
        stack.up()
        stack.configure(versions={"v2": VERSION})
        stack.up()
        assert "Deployment springbootapp-v1" not in uids(stack)
        stack.configure(versions=both, weights={"v1": 100})
        stack.up()
    assert not asked.report.failed


@pytest.mark.parametrize("command", ["preview", "up --yes", "destroy --yes --skip-preview --run-program"])
def test_another_cluster_is_refused_in_one_message(stack: Stack, command: str) -> None:
    """Also by a destroy, which a pinned stack never does without its program."""
    before, pinned = uids(stack), cluster(stack)
    stack.configure(clusterUid=OTHER_CLUSTER)
    refused = stack.pulumi(command, check=False)
    stack.configure(clusterUid=pinned)
    assert refused.returncode
    assert refused.stdout.count("MESH204") == 1, refused.stdout
    assert "Traceback" not in refused.stdout
    assert uids(stack) == before
    # A destroy runs the program, whose pin of then stands in the state: of no object.
    assert changes(stack) == {}
    stack.up()


def test_the_pin_alone_asks_for_the_program(stack: Stack) -> None:
    """Without protection too, a plain destroy does not begin."""
    stack.configure(protected=None)
    stack.up()
    before = uids(stack)
    refused = stack.pulumi("destroy --yes --skip-preview", check=False)
    assert refused.returncode
    assert "mesh-app:clusterUid" in refused.stdout
    assert "--run-program" in refused.stdout
    assert uids(stack) == before
    stack.configure(protected=True)
    stack.up()


def generations(stack: Stack) -> dict[str, str]:
    """The generation of every object that has one."""
    items = stack.shell.json(f"kubectl get {KINDS} -n {NAMESPACE} -o json")["items"]
    return {
        f"{each['kind']} {each['metadata']['name']}": str(each["metadata"].get("generation"))
        for each in items
    }

"""What `python -m operations render` prints is what `pulumi up` applied."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import Shell

RENDER = "python -m operations render --stack dev"
DIFF = "kubectl diff --server-side --field-manager=pulumi"


def missing(declared: Any, live: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 - nested plain data
    """List every declared field that the live object lacks or holds otherwise."""
    if isinstance(declared, Mapping) and isinstance(live, Mapping):
        for key, value in declared.items():
            yield from missing(value, live.get(key), f"{path}.{key}")
    elif isinstance(declared, Sequence) and not isinstance(declared, str) and isinstance(live, Sequence):
        if len(declared) != len(live):
            yield f"{path}: {len(declared)} entries declared, {len(live)} live"
        for nth, (value, other) in enumerate(zip(declared, live, strict=False)):
            yield from missing(value, other, f"{path}[{nth}]")
    elif declared != live or type(declared) is not type(live):
        yield f"{path}: declared {declared!r}, live {live!r}"


@pytest.fixture
def rendered(shell: Shell) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(shell.run(f"{RENDER} 2>/dev/null").stdout))


def test_every_declared_field_is_in_the_live_object(shell: Shell, rendered: list[dict[str, Any]]) -> None:
    """What `up` applied equals what render prints, label by label and number by number."""
    assert len(rendered) > 5
    for each in rendered:
        metadata = each["metadata"]
        kind = f"{each['kind'].lower()}.{each['apiVersion'].rpartition('/')[0]}".rstrip(".")
        scope = f"--namespace {metadata['namespace']}" if "namespace" in metadata else ""
        live = shell.json(f"kubectl get {kind} {metadata['name']} {scope} --output json")
        assert list(missing(each, live)) == [], f"{kind} {metadata['name']}"


def test_every_applied_object_is_rendered(shell: Shell, rendered: list[dict[str, Any]]) -> None:
    """Neither more nor less than the Kubernetes objects in the stack's state."""
    state = shell.json("pulumi stack export --stack dev")["deployment"]["resources"]
    applied = {
        (each["inputs"]["kind"], each["inputs"]["metadata"]["name"])
        for each in state
        if each["type"].startswith("kubernetes:") and not each.get("external")
    }
    assert applied == {(each["kind"], each["metadata"]["name"]) for each in rendered}


def test_kubectl_sees_no_difference(shell: Shell) -> None:
    """`… | kubectl diff --server-side -f -` exits with 0 and prints nothing."""
    done = shell.run(f"{RENDER} | {DIFF} -f -", check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_api_server_takes_it(shell: Shell, rendered: list[dict[str, Any]]) -> None:
    """`… | kubectl apply --server-side --dry-run=server -f -` accepts every object."""
    said = shell.run(
        f"{RENDER} | kubectl apply --server-side --field-manager=pulumi --dry-run=server -f -"
    ).stdout
    assert said.count("(server dry run)") == len(rendered)


def test_kubectl_sees_what_a_changed_stack_file_would_change(shell: Shell) -> None:
    """A weight moved in a copy of the stack file is the only difference: at the gateway, and in the mesh."""
    folder = shell.folder / ".lab/e2e-render"
    try:
        shell.run(
            f"mkdir -p {folder} && ln -sfn ../../__main__.py ../../components ../../Pulumi.yaml {folder}"
            f" && sed 's/v1: 100/v1: 90/; s/v2: 0$/v2: 10/' Pulumi.dev.yaml > {folder}/Pulumi.dev.yaml"
        )
        done = shell.run(
            f"{RENDER} --cwd {folder} | {DIFF} --force-conflicts -f -",
            check=False,
        )
    finally:
        shell.run(f"rm -rf {folder}")
    changed = [
        line for line in done.stdout.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")
    ]
    weights = [line.replace(" ", "") for line in changed if "weight" in line]
    assert weights == 2 * ["-weight:100", "+weight:90", "-weight:0", "+weight:10"], done.stdout
    assert [line for line in changed if "weight" not in line and "generation" not in line] == []

"""`python -m operations drift` on a test's stack, and the edits that hands make there."""

import json
from typing import Any

from tests.e2e.conftest import CHECKOUT, Stack

CLEAN, UNTOLD, DRIFT = 0, 1, 7


def drift(stack: Stack, words: str = "", *, kubeconfig: str = "") -> tuple[int, str]:
    """Run it; returns the exit code and what was said."""
    elsewhere = f"KUBECONFIG={kubeconfig}" if kubeconfig else ""
    command = f"python -m operations drift --stack {stack.name} --cwd {stack.shell.folder} {words}"
    done = stack.shell.run(f"cd {CHECKOUT} && {elsewhere} {command}", check=False)
    return done.returncode, done.stdout


def findings(stack: Stack) -> dict[str, dict[str, Any]]:
    """What is found now, by object and field."""
    code, said = drift(stack, "--json 2>/dev/null")
    document = json.loads(said)
    assert (code == CLEAN) == document["clean"]
    found = document["findings"]
    return {
        f"{one['object']['kind']} {one['object']['name']} {one['path'] or ''}".strip(): one for one in found
    }


def kubectl(stack: Stack, words: str) -> str:
    """Edit by hand, in the stack's namespace."""
    return stack.shell.run(f"kubectl --namespace {stack.namespace} {words}").stdout


def weight(stack: Stack, first: int, second: int) -> None:
    """Divide the traffic by hand."""
    patch = [
        {"op": "replace", "path": f"/spec/http/0/route/{nth}/weight", "value": value}
        for nth, value in enumerate((first, second))
    ]
    kubectl(stack, f"patch virtualservice springbootapp --type=json --patch='{json.dumps(patch)}'")

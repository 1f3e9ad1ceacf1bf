"""`python -m operations drift` on the stack of a test, and manual changes of its objects."""

import json
from typing import Any

from tests.e2e.conftest import CHECKOUT, Stack

CLEAN, FAILED, DRIFT = 0, 1, 7


def drift(stack: Stack, words: str = "", *, kubeconfig: str = "") -> tuple[int, str]:
    """Run the command; returns the exit code and the output."""
    elsewhere = f"KUBECONFIG={kubeconfig}" if kubeconfig else ""
    command = f"python -m operations drift --stack {stack.name} --cwd {stack.shell.folder} {words}"
    done = stack.shell.run(f"cd {CHECKOUT} && {elsewhere} {command}", check=False)
    return done.returncode, done.stdout


def findings(stack: Stack) -> dict[str, dict[str, Any]]:
    """The current findings, by object and field."""
    code, output = drift(stack, "--json 2>/dev/null")
    document = json.loads(output)
    assert (code == CLEAN) == document["clean"]
    found = document["findings"]
    return {
        f"{one['object']['kind']} {one['object']['name']} {one['path'] or ''}".strip(): one for one in found
    }


def kubectl(stack: Stack, words: str) -> str:
    """Run kubectl in the stack's namespace."""
    return stack.shell.run(f"kubectl --namespace {stack.namespace} {words}").stdout


def weight(stack: Stack, first: int, second: int) -> None:
    """Set the weights in the VirtualService."""
    patch = [
        {"op": "replace", "path": f"/spec/http/0/route/{nth}/weight", "value": value}
        for nth, value in enumerate((first, second))
    ]
    kubectl(stack, f"patch virtualservice springbootapp --type=json --patch='{json.dumps(patch)}'")

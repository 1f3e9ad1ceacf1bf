"""Nothing that validation accepts is refused later, and what the rules forbid is refused at once.

300 configurations are drawn from the whole schema, the same ones everywhere: a seed makes a red run red for
everybody. `ACCEPTED_EXAMPLES=3000 ACCEPTED_SEED=7 python -m pytest tests/e2e/test_accepted_means_accepted.py`
draws more and others.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import analysis, configurations
from tests.e2e.configurations import Case, Config, Drawn, Manifest
from tests.e2e.conftest import Shell
from tests.e2e.dry_run import ApiServer
from tests.unit.stacks import with_changes
from tests.unit.test_messages import PROVOKED

NAMESPACE = "e2e-property"
MANY = "mesh-app:services"
BATCH = 25
"""Configurations in one analysis: the files of one are read in no time, the analyzer itself starts slowly."""

SHOWN = 5
"""Refusals that a failing test shows: a fault of the program's shows in many configurations at once."""

STRIDE = 30
"""Each mistake is made in every so many-th configuration, another one for another mistake."""

WITH: Mapping[str, Sequence[str]] = {
    "gateway": ("mesh", "ingress"),
    "ingress": ("mesh", "gateway"),
    "mesh": ("gateway",),
    "namespace": ("mesh",),
    "resilience": ("versions",),
    "routes": ("mesh", "gateway"),
    "security": ("mesh", "gateway", "namespace"),
    "services": (
        "cors",
        "mesh",
        "mirror",
        "namespace",
        "requestHeaders",
        "resilience",
        "responseHeaders",
        "routes",
        "security",
        "sticky",
    ),
}
"""What a drawn configuration could say that makes right what is a mistake in the walkthrough."""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drawn]:
    """Configurations and their objects. The program under test meets no kubeconfig of the machine's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", str(tmp_path_factory.mktemp("kubeconfig") / "none"))
        yield configurations.draw()


@pytest.fixture(scope="module")
def bases(drawn: Drawn) -> list[Config]:
    """The configurations of one service, with the versions v1, v2 … that the table of messages speaks of."""
    renamed = [_with_plain_versions(case.config) for case in drawn.cases if MANY not in case.config]
    return [config for config in renamed if not configurations.issues(config)]


@pytest.fixture
def server(shell: Shell, tmp_path: Path) -> Iterator[ApiServer]:
    """The lab's API server, with a namespace to try things in."""
    shell.run(f"kubectl create namespace {NAMESPACE} --dry-run=client -o yaml | kubectl apply -f -")
    api = ApiServer(Path(shell.run("echo $KUBECONFIG").stdout.strip()), tmp_path)
    yield api
    api.close()
    shell.run(f"kubectl delete namespace {NAMESPACE} --wait=false")


def test_most_that_is_drawn_is_accepted(drawn: Drawn) -> None:
    """What validation refuses proves nothing here: there is little of it, and some of every kind of stack."""
    assert drawn.acceptance > 0.6, drawn.refused
    kinds = {each["kind"] for case in drawn.cases for each in case.objects}
    assert kinds >= {"VirtualService", "DestinationRule", "Gateway", "HTTPRoute", "PodDisruptionBudget"}
    assert any(len(case.stack.services) > 1 for case in drawn.cases)


def test_the_api_server_takes_what_validation_accepts(drawn: Drawn, server: ApiServer) -> None:
    """Kubernetes, Istio's schemas and istiod's webhook refuse no object of any accepted configuration."""
    refused = [
        f"{each['kind']} {each['metadata']['name']}: {why}\n{case}"
        for case in drawn.cases
        for each in case.objects
        if (why := server.refusal(each, NAMESPACE))
    ]
    assert not refused, f"{len(refused)} refused, among them:\n" + "\n\n".join(refused[:SHOWN])


def test_istioctl_finds_nothing_to_say(drawn: Drawn, shell: Shell, tmp_path: Path) -> None:
    """No error, no warning and no remark about any accepted configuration in its cluster."""
    said: list[str] = []
    for first in range(0, len(drawn.cases), BATCH):
        batch = drawn.cases[first : first + BATCH]
        messages = _analyze(shell, tmp_path, analysis.beside_each_other(batch))
        said += [
            f"{each['code']} {each['origin']}: {each['message']}\n{_case(each, batch)}" for each in messages
        ]
    assert not said, f"{len(said)} messages, among them:\n" + "\n\n".join(said[:SHOWN])


def test_istioctl_would_say_what_is_missing(drawn: Drawn, shell: Shell, tmp_path: Path) -> None:
    """The silence above is not deafness: without Gateways every VirtualService misses its own."""
    objects = analysis.beside_each_other(drawn.cases[:BATCH])
    left = [each for each in objects if each["kind"] != "Gateway"]
    orphans = [
        each for each in left if each["kind"] == "VirtualService" and each["spec"]["gateways"] != ["mesh"]
    ]
    names = {f"VirtualService {each['metadata']['namespace']}/{each['metadata']['name']}" for each in orphans}
    found = _analyze(shell, tmp_path, left)
    assert names
    assert names <= {each["origin"] for each in found if each["code"] == "IST0101"}


@pytest.mark.parametrize(
    ("nth", "code", "changes"), [(nth, code, changes) for nth, (code, changes, *_) in enumerate(PROVOKED)]
)
def test_what_a_rule_forbids_is_refused(
    bases: list[Config], nth: int, code: str, changes: Mapping[str, Any]
) -> None:
    """Every mistake of the table of messages is found in whatever configuration it is made."""
    wrong = with_changes(**changes)
    changed = {key.partition("__")[0] for key in changes}
    own = [f"mesh-app:{key}" for key in changed | {each for key in changed for each in WITH.get(key, ())}]
    for config in bases[nth % STRIDE :: STRIDE]:
        kept = {key: value for key, value in config.items() if key not in own}
        mutated = kept | {key: wrong[key] for key in own if key in wrong}
        found = {issue.code for issue in configurations.issues(mutated)}
        assert code in found, f"{found or 'accepted'}: {json.dumps(mutated, ensure_ascii=False)}"


def _with_plain_versions(config: Config) -> Config:
    config = deepcopy(config)
    plain = {name: f"v{nth}" for nth, name in enumerate(config["mesh-app:versions"], start=1)}
    for key in ("versions", "weights"):
        config[f"mesh-app:{key}"] = _renamed(config[f"mesh-app:{key}"], plain)
    config["mesh-app:versions"].setdefault("v2", {"tag": "43"})
    routes = config.get("mesh-app:routes", [])
    for place in (config.get("mesh-app:mirror"), *routes, *(route.get("mirror") for route in routes)):
        if place and "to" in place:
            to = place["to"]
            place["to"] = plain[to] if isinstance(to, str) else _renamed(to, plain)
    return config


def _renamed(by_version: Mapping[str, Any], names: Mapping[str, str]) -> Config:
    return {names[version]: value for version, value in by_version.items()}


def _analyze(shell: Shell, folder: Path, objects: Sequence[Manifest]) -> list[dict[str, str]]:
    file = folder / "objects.yaml"
    file.write_text("\n---\n".join(map(json.dumps, objects)))
    done = shell.run(
        f"istioctl analyze --use-kube=false --all-namespaces --output json {file} 2>/dev/null", check=False
    )
    messages: list[dict[str, str]] = json.loads(done.stdout)
    return messages


def _case(message: Mapping[str, str], cases: Sequence[Case]) -> str:
    """Find the configuration that a message is about, by the namespace of the object."""
    number = re.search(r"(?:case|ingress)-(\d+)", message["origin"])
    return next((str(case) for case in cases if number and case.number == int(number[1])), "")

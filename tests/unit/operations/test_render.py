"""`python -m operations render`: what `pulumi up` would apply, on paper."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from operations.errors import OperationError
from operations.kube.manifests import Manifest, as_yaml, manifests
from operations.pulumi_stack.program import declare
from tests.unit.operations.projects import CHECKOUT, project
from tests.unit.stacks import GONE, WALKTHROUGH, with_changes


def render(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command with nothing of Pulumi or of a cluster in reach."""
    return subprocess.run(
        [sys.executable, "-m", "operations", "render", "--cwd", str(folder), *words],
        cwd=CHECKOUT,
        env={"PATH": "", "HOME": os.devnull, "KUBECONFIG": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )


def keys(objects: list[Manifest]) -> list[str]:
    return [f"{each['kind']} {each['metadata']['name']}" for each in objects]


def leaves(value: Any) -> Iterator[object]:  # noqa: ANN401 - nested plain data
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from leaves(each)
    else:
        yield value


def test_the_namespace_comes_first_where_nothing_else_is_waited_for(tmp_path: Path) -> None:
    """`kubectl apply` accepts it unchanged, and a Gateway without extra ports has no dependency."""
    project(tmp_path, "mine", with_changes(gateway={"hosts": ["shop.example.com"]}, ingress=GONE))
    done = render("--stack", "mine", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    kinds = [each["kind"] for each in yaml.safe_load_all(done.stdout)]
    assert kinds[0] == "Namespace"
    assert "Gateway" in kinds


def test_it_prints_whole_objects_in_the_order_of_apply(tmp_path: Path) -> None:
    """A YAML stream of everything that is applied and nothing that is only read, namespace first."""
    project(tmp_path, "mine", WALKTHROUGH)
    done = render("--stack", "mine", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    objects = list(yaml.safe_load_all(done.stdout))
    names = keys(objects)
    assert sorted(names) == [
        "Deployment springbootapp-v1",
        "Deployment springbootapp-v2",
        "DestinationRule springbootapp-v1",
        "DestinationRule springbootapp-v2",
        "Gateway springbootapp",
        "Namespace springistiodemo",
        "Service extra-31386-springistiodemo",
        "Service springbootapp",
        "ServiceAccount springbootapp",
        "VirtualService springbootapp",
        "VirtualService springbootapp.mesh",
    ]
    for earlier, later in (
        ("Namespace springistiodemo", "Service springbootapp"),
        ("ServiceAccount springbootapp", "Deployment springbootapp-v1"),
        ("Deployment springbootapp-v2", "DestinationRule springbootapp-v2"),
        ("DestinationRule springbootapp-v2", "VirtualService springbootapp"),
        ("Gateway springbootapp", "VirtualService springbootapp"),
    ):
        assert names.index(earlier) < names.index(later)
    for each in objects:
        assert list(each)[:3] == ["apiVersion", "kind", "metadata"]
        assert each["kind"] == "Namespace" or each["metadata"]["namespace"]


def test_numbers_and_keys_are_as_kubernetes_writes_them(tmp_path: Path) -> None:
    """Ports are integers, not 8080.0, and keys are camelCase."""
    objects = manifests(declare(project(tmp_path, "mine", WALKTHROUGH), "mine"))
    assert not [leaf for each in objects for leaf in leaves(each) if isinstance(leaf, float)]
    (deployment,) = [each for each in objects if each["metadata"]["name"] == "springbootapp-v1"][:1]
    pod = deployment["spec"]["template"]["spec"]
    assert pod["containers"][0]["ports"][0]["containerPort"] == 8080
    assert pod["terminationGracePeriodSeconds"] == 40


def test_equal_stacks_are_equal_text(tmp_path: Path) -> None:
    """Twice the same bytes, although the program's tasks register in whatever order they come."""
    project(tmp_path, "mine", WALKTHROUGH)
    assert len({render("-s", "mine", folder=tmp_path).stdout for _ in range(3)}) == 1


def test_one_list_in_json(tmp_path: Path) -> None:
    """For tools that read JSON, with the same objects."""
    project(tmp_path, "mine", WALKTHROUGH)
    listed = yaml.safe_load(render("-s", "mine", "--output", "json", folder=tmp_path).stdout)
    streamed = list(yaml.safe_load_all(render("-s", "mine", folder=tmp_path).stdout))
    assert (listed["kind"], listed["items"]) == ("List", streamed)


def test_a_gateway_on_any_port_needs_no_cluster_to_ask(tmp_path: Path) -> None:
    """What the program reads of the ingress decides on the URLs, not on the manifests."""
    config = with_changes(gateway__port=8443, ingress__address="10.0.0.1")
    assert "Gateway springbootapp" in keys(manifests(declare(project(tmp_path, "mine", config), "mine")))


def test_faults_of_the_stack_file_are_told_as_in_a_preview(tmp_path: Path) -> None:
    """All errors, no stack trace, no manifest, exit code 1."""
    project(tmp_path, "mine", with_changes(weights={"v1": 90, "v2": 20}, app__port=0))
    done = render("--stack", "mine", folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert {"MESH101", "MESH004", "Pulumi.mine.yaml"} <= set(done.stderr.replace(":", " ").split())


def test_a_secret_is_a_fault_and_not_printed(tmp_path: Path) -> None:
    """Only Pulumi can decrypt, and the program takes no secret anyway."""
    config = {**WALKTHROUGH, "mesh-app:app": {"name": {"secure": "AAABAxyz"}}}
    done = render("--stack", "mine", folder=project(tmp_path, "mine", config).folder)
    assert "MESH110" in done.stderr
    assert "AAABAxyz" not in done.stderr


def test_an_unknown_stack_names_those_that_are_there(tmp_path: Path) -> None:
    """A folder without a project is reported too."""
    with pytest.raises(OperationError, match=r"Pulumi\.other\.yaml.*there is: Pulumi\.mine\.yaml"):
        project(tmp_path, "mine", WALKTHROUGH).config("other")
    assert "no Pulumi.yaml in" in render("-s", "mine", folder=Path(os.sep)).stderr


def test_a_program_that_fails_is_told_with_its_own_words(tmp_path: Path) -> None:
    """The end of its trace as evidence; the command itself shows none."""
    folder = project(tmp_path, "mine", WALKTHROUGH).folder
    (folder / "__main__.py").unlink()
    (folder / "__main__.py").write_text("raise KeyError('springbootapp')\n")
    done = render("-s", "mine", folder=folder)
    assert done.returncode == 1
    assert "the program fails: KeyError('springbootapp')" in done.stderr


def test_letters_that_kubernetes_reads_as_truths_are_quoted() -> None:
    """Kubernetes' YAML takes a bare y or n for true or false, and refuses it where text belongs."""
    written = as_yaml([{"env": ["y", "N", "yes", "no!"], "on": True}])
    assert written == "---\nenv:\n- 'y'\n- 'N'\n- 'yes'\n- no!\n'on': true\n"

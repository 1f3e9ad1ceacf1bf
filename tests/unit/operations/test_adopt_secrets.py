"""`python -m operations adopt`: no secret is written into the stack file, shown, or lost."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from operations.adoption import report
from operations.adoption.app_objects import AppObjects, find_family
from operations.adoption.differences import differences
from operations.adoption.secrets import check, plain_secrets
from operations.adoption.stack_file import stack_config, write
from operations.errors import OperationError
from operations.kube.cluster import Cluster
from operations.kube.manifests import Manifest, manifests
from operations.pulumi_stack.program import declare
from tests.unit.operations.projects import project
from tests.unit.operations.test_adopt import INGRESS, walkthrough

ENV = [
    {"name": "LOG_LEVEL", "value": "info"},
    {"name": "DB_PASSWORD", "value": "hunter2"},
    {"name": "QUEUE", "value": "amqp://shop:hunter2@queue:5672"},
    {"name": "API_TOKEN", "valueFrom": {"secretKeyRef": {"name": "api", "key": "token"}}},
]
SECRET = "springbootapp-v1-env"  # noqa: S105 (a name)


@pytest.fixture
def family() -> AppObjects:
    """The walkthrough's app, of which v1 has secrets in plain variables."""
    objects = walkthrough()
    for each in objects:
        if each["kind"] == "Deployment" and each["metadata"]["name"].endswith("v1"):
            (container,) = each["spec"]["template"]["spec"]["containers"]
            container |= {"env": ENV, "args": ["--token=hunter2"]}
    return find_family(objects, "team", None)


def config(family: AppObjects) -> dict[str, Any]:
    return stack_config(
        family, None, shared=True, project="mesh-app", context="lab", ingress=dict(INGRESS), probe="/hello"
    )


def rendered(family: AppObjects, folder: Path) -> list[Manifest]:
    return manifests(declare(project(folder, "team", config(family)), "team"))


def test_the_stack_file_names_a_secret_in_place_of_the_value(family: AppObjects, tmp_path: Path) -> None:
    """What is no secret, and what is in a Secret already, is written as it is."""
    write(tmp_path / "Pulumi.team.yaml", config(family))
    text = (tmp_path / "Pulumi.team.yaml").read_text()
    assert "hunter2" not in text
    assert yaml.safe_load(text)["config"]["mesh-app:versions"]["v1"]["env"] == {
        "LOG_LEVEL": "info",
        "DB_PASSWORD": {"secret": SECRET, "key": "DB_PASSWORD"},
        "QUEUE": {"secret": SECRET, "key": "QUEUE"},
        "API_TOKEN": {"secret": "api", "key": "token"},
    }


def test_nothing_of_it_is_shown(family: AppObjects, tmp_path: Path) -> None:
    """The warning has names and a command; the list of what goes has the fields without their values."""
    with (tmp_path / "printed").open("w") as printed:
        console = Console(file=printed, markup=False, width=100)
        report.show_secrets(plain_secrets(family), "Pulumi.team.yaml", "lab", console)
        report.show_differences(differences(family, rendered(family, tmp_path)), console)
    text = (tmp_path / "printed").read_text()
    assert "hunter2" not in text
    assert "warning: DB_PASSWORD, QUEUE of" in text
    assert ".args: [--token=(hidden)]" in text
    assert ".env[DB_PASSWORD].value: (hidden)" in text


def test_the_command_makes_the_secret_of_the_live_values(family: AppObjects, tmp_path: Path) -> None:
    """In bash, and no value is among the words of any command, which every user of the machine can read."""
    (found,) = plain_secrets(family)
    kubectl = tmp_path / "kubectl"
    # Answers as kubectl does: a value for `get`, and for `create` what the files hold.
    kubectl.write_text(
        '#!/bin/bash\necho "$@" >> words\nfor word in "$@"; do case $word in\n'
        "jsonpath=*DB_PASSWORD*) printf hunter2;;\njsonpath=*QUEUE*) printf amqp;;\n"
        '--from-file=*) name=${word#*=}; echo "${name%%=*}: $(cat ${word##*=})";;\nesac; done\n'
    )
    kubectl.chmod(0o700)
    done = subprocess.run(
        ["bash", "-c", found.command("lab")],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "DB_PASSWORD: hunter2\nQUEUE: amqp\n"
    words = (tmp_path / "words").read_text()
    assert f"--context lab --namespace team create secret generic {SECRET}" in words
    assert "hunter2" not in words


@pytest.mark.parametrize("there", [True, False])
def test_a_takeover_waits_for_the_secret(
    family: AppObjects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, there: bool
) -> None:
    """Without it the new pods would never start; the message has the command."""
    asked: list[Manifest] = []

    def find(_: Cluster, manifest: Manifest) -> Manifest | None:
        asked.append(manifest)
        return manifest if there else None

    monkeypatch.setattr(Cluster, "find", find)
    declared = rendered(family, tmp_path)
    if there:
        check(plain_secrets(family), declared, Cluster("lab"))
    else:
        with pytest.raises(OperationError, match=f"need Secret {SECRET} with DB_PASSWORD, QUEUE") as told:
            check(plain_secrets(family), declared, Cluster("lab"))
        assert f"create secret generic {SECRET}" in str(told.value)
    assert [each["metadata"] for each in asked] == [{"name": SECRET, "namespace": "team"}]


def test_no_secret_is_needed_if_the_stack_file_has_another_value(family: AppObjects, tmp_path: Path) -> None:
    """A person may know better: the value is none, or in a Secret of another name."""
    keys = config(family)
    keys["mesh-app:versions"]["v1"]["env"] = {"DB_PASSWORD": "not one"}
    declared = manifests(declare(project(tmp_path, "team", keys), "team"))
    check(plain_secrets(family), declared, Cluster("nowhere"))

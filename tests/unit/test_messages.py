"""Every message of the table, provoked by a stack file that deserves it."""

from collections.abc import Mapping
from typing import Any

import pytest

from components import messages
from components.faults import Message
from tests.unit.stacks import GONE, faults

LONG = "a" * 40
EXTRA = {"port": 8067, "targetPort": 8081, "nodePort": 31387}
SAME = {"port": 8066, "targetPort": 8080, "nodePort": 31386}

PROVOKED: list[tuple[str, Mapping[str, Any], str, str]] = [
    # code, what is changed, where the fault is, what the mend says
    (
        "MESH001",
        {"app__prot": 8080},
        "mesh-app:app.prot",
        "pulumi config rm --path 'mesh-app:app.prot'",
    ),
    (
        "MESH001",
        {"weigths": {"v1": 100}},
        "mesh-app:weigths",
        "weights: {v1: 100}",
    ),
    (
        "MESH002",
        {"app__port": GONE},
        "mesh-app:app.port",
        "pulumi config set --path 'mesh-app:app.port' 8080",
    ),
    ("MESH002", {"weights": GONE}, "mesh-app:weights", "in the stack file: mesh-app:weights: {v1: 100}"),
    ("MESH003", {"weights__v1": "100"}, "mesh-app:weights.v1", "'mesh-app:weights.v1' 100"),
    ("MESH003", {"weights__v1": True}, "mesh-app:weights.v1", "'mesh-app:weights.v1' 100"),
    ("MESH003", {"weights__v1": 99.5}, "mesh-app:weights.v1", "'mesh-app:weights.v1' 100"),
    ("MESH003", {"namespace__injection": 3}, "mesh-app:namespace.injection", "enabled"),
    ("MESH003", {"gateway__hosts": "*"}, "mesh-app:gateway.hosts", "hosts: ['*']"),
    ("MESH004", {"weights__v1": 101}, "mesh-app:weights.v1", "'mesh-app:weights.v1' 100"),
    ("MESH004", {"app__port": 0}, "mesh-app:app.port", "'mesh-app:app.port' 1"),
    (
        "MESH004",
        {"ingress__extraPorts__0__nodePort": 80},
        "mesh-app:ingress.extraPorts[0].nodePort",
        " 30000",
    ),
    ("MESH005", {"namespace__injection": "enable"}, "mesh-app:namespace.injection", "injection' enabled"),
    (
        "MESH006",
        {"app__image": "repo/app:42"},
        "mesh-app:app.image",
        "'mesh-app:app.image' xjk27400861/springbootapp",
    ),
    ("MESH006", {"app__name": "Shop"}, "mesh-app:app.name", "springbootapp"),
    (
        "MESH007",
        {"versions": {"V_1": {"tag": "1"}}, "weights": {"V_1": 100}},
        "mesh-app:versions.V_1",
        "rename",
    ),
    ("MESH008", {"versions__v2__tag": 4.1}, "mesh-app:versions.v2.tag", 'tag: "4.1"'),
    ("MESH008", {"versions__v2__tag": True}, "mesh-app:versions.v2.tag", 'tag: "true"'),
    ("MESH010", {"versions__v2__tag": GONE}, "mesh-app:versions.v2", "'mesh-app:versions.v2.tag' 42"),
    (
        "MESH010",
        {"versions__v2__digest": "sha256:" + "0" * 64},
        "mesh-app:versions.v2",
        "pulumi config rm --path 'mesh-app:versions.v2.digest'",
    ),
    (
        "MESH011",
        {"ingress__node": "worker-1"},
        "mesh-app:ingress",
        "pulumi config rm --path 'mesh-app:ingress.node'",
    ),
    ("MESH012", {"gateway__hosts": []}, "mesh-app:gateway.hosts", "hosts: ['*']"),
    (
        "MESH013",
        {"gateway__hosts": ["a.b", "a.b"]},
        "mesh-app:gateway.hosts[1]",
        "rm --path 'mesh-app:gateway.hosts[1]'",
    ),
    ("MESH101", {"weights": {"v1": 90, "v2": 20}}, "mesh-app:weights", "'mesh-app:weights.v1' 80"),
    ("MESH101", {"weights": {"v1": 10}}, "mesh-app:weights", "'mesh-app:weights.v1' 100"),
    (
        "MESH101",
        {"versions__v3": {"tag": "1"}, "weights": {"v1": 60, "v2": 60, "v3": 60}},
        "mesh-app:weights",
        "weights: {v1: 100, v2: 0, v3: 0}",
    ),
    ("MESH102", {"weights__v3": 0}, "mesh-app:weights.v3", "pulumi config rm --path 'mesh-app:weights.v3'"),
    (
        "MESH103",
        {"app__name": LONG, "versions": {LONG: {"tag": "1"}}, "weights": {LONG: 100}},
        f"mesh-app:versions.{LONG}",
        "18",
    ),
    (
        "MESH104",
        {"gateway__hosts": ["*.b.c", "a.b.c"]},
        "mesh-app:gateway.hosts[1]",
        "rm --path 'mesh-app:gateway.hosts[1]'",
    ),
    ("MESH105", {"ingress__extraPorts__0__port": 80}, "mesh-app:ingress.extraPorts[0].port", " 81"),
    (
        "MESH105",
        {"ingress__extraPorts": [SAME, {**EXTRA, "targetPort": 8080}]},
        "mesh-app:ingress.extraPorts[1].targetPort",
        " 8081",
    ),
    (
        "MESH106",
        {"ingress__extraPorts": [SAME, {**EXTRA, "nodePort": 31386}]},
        "mesh-app:ingress.extraPorts[1].nodePort",
        " 31387",
    ),
    (
        "MESH107",
        {"namespace__injection": "disabled", "versions__v1__sidecar": True},
        "mesh-app:versions.v1.sidecar",
        "pulumi config set --path 'mesh-app:namespace.injection' manual",
    ),
    ("MESH108", {"app__port": 15020}, "mesh-app:app.port", " 8080"),
    (
        "MESH108",
        {"ingress__extraPorts__0__targetPort": 15021},
        "mesh-app:ingress.extraPorts[0].targetPort",
        " 8080",
    ),
    ("MESH109", {"namespace__name": "istio-system"}, "mesh-app:namespace.name", " springbootapp"),
    ("MESH109", {"namespace__name": "kube-public"}, "mesh-app:namespace.name", " springbootapp"),
]

ELSEWHERE: Mapping[str, str] = {
    "MESH110": "test_settings.py: it takes an encrypted key",
    "MESH130": "tests/unit/test_kubeconfig.py: it takes a kubeconfig",
    "MESH201": "tests/program/test_ingress.py: it takes a cluster's answer",
    "MESH202": "tests/program/test_ingress.py: it takes a cluster's answer",
    "MESH203": "tests/program/test_ingress.py: it takes a cluster's answer",
}


@pytest.mark.parametrize(("code", "changes", "path", "mend"), PROVOKED)
def test_a_bad_stack_file_is_answered_with_its_code_its_place_and_its_mend(
    code: str, changes: Mapping[str, Any], path: str, mend: str
) -> None:
    """One mistake gives one fault, which names the place and says what to do."""
    (fault,) = faults(**changes)
    assert (fault.code, str(fault.path)) == (code, path)
    assert mend in fault.mend
    assert "{" not in fault.rule


def test_every_message_of_the_table_is_provoked() -> None:
    """A message without a test is a message that nobody has read."""
    assert set(messages.TABLE) == {code for code, *_ in PROVOKED} | set(ELSEWHERE)


def test_codes_are_not_given_twice() -> None:
    """A code leads to one message."""
    every = [value for value in vars(messages).values() if isinstance(value, Message)]
    assert len({message.code for message in every}) == len(every)

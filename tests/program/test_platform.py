"""The platform's program: each part where the stack file names it, and no other."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from tests.program.recorder import ROOT, Recording, run, stack_file

FOLDER = ROOT / "mesh-platform"
SOURCE = {"repository": "https://charts.example.com", "version": "1.31.0"}


def platform(**parts: object) -> Recording:
    """Run the program with the parts of a stack file."""
    return of_config({f"mesh-platform:{name}": settings for name, settings in parts.items()})


def of_config(config: Mapping[str, object]) -> Recording:
    """Run the program with whole keys."""
    return run(config, project="mesh-platform", folder=FOLDER)


def values(recording: Recording, chart: str) -> dict[str, Any]:
    """Look up the Helm values of a chart."""
    found: dict[str, Any] = recording[f"Chart {chart}"].inputs["values"]
    return found


def test_a_part_that_is_not_named_is_not_there() -> None:
    """Pulumi.yaml's empty defaults name none."""
    assert platform(istio={}).keys() == {"kubernetes cluster"}


def test_the_labs_istio() -> None:
    """Istio alone: whatever looks at the mesh is of other stacks, for `make up` does not wait for it."""
    recording = of_config(stack_file("mesh-platform/Pulumi.lab.yaml"))
    assert recording.keys() == {
        "kubernetes cluster",
        "Namespace istio-system",
        "Chart base",
        "ConfigGroup gateway-api",
        "Chart istiod",
        "Chart gateway",
    }
    assert recording.waits_for("Chart gateway") >= {"Chart istiod", "Chart base", "ConfigGroup gateway-api"}
    assert recording.outputs == {
        "namespace": "istio-system",
        "ingressService": "istio-system/istio-ingressgateway",
        "nodePorts": {"http": 31380, "https": 31390},
    }


def test_values_of_the_stack_file_are_laid_over_ours() -> None:
    """Key by key: what ours say beside stays."""
    mesh = {"meshConfig": {"accessLogFile": "/dev/stdout"}}
    istiod = values(platform(istio={**SOURCE, "values": {"istiod": mesh}}), "istiod")
    assert istiod["meshConfig"] == {
        "accessLogFile": "/dev/stdout",
        "defaultConfig": {"holdApplicationUntilProxyStarts": True},
    }


def test_charts_come_from_a_repository_too() -> None:
    """At the version that the stack file pins."""
    chart = platform(istio=SOURCE)["Chart istiod"].inputs
    assert (chart["chart"], chart["version"]) == ("istiod", "1.31.0")
    assert chart["repositoryOpts"] == {"repo": "https://charts.example.com"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"folder": "a", "repository": "b", "version": "1"}, "set exactly one of folder and repository"),
        ({"version": "1.31.0"}, "set exactly one of folder and repository"),
        ({"repository": "b"}, "set version with repository"),
        ({"foldre": "a"}, "istio.foldre: no such key, did you mean folder?"),
        ({"folder": ["a"]}, "istio.folder: ['a'] is no text"),
        ({"folder": "a", "nodePorts": 31380}, "istio.nodePorts: 31380 is no mapping"),
        ("yes", "istio: 'yes' is no mapping of settings"),
    ],
)
def test_a_mistake_is_told_before_anything_is_made(settings: object, said: str) -> None:
    """In one message, without a stack trace."""
    with pytest.raises(pulumi.RunError, match="nothing was changed") as told:
        platform(istio=settings)
    assert said in str(told.value)


def test_a_part_that_does_not_exist_is_told() -> None:
    """Also a key of an older stack file; all mistakes at once."""
    with pytest.raises(pulumi.RunError, match="2 faults") as told:
        platform(itsio=SOURCE, chartFolder="x")
    assert "itsio: no such key, did you mean istio?" in str(told.value)
    assert "chartFolder: no such key" in str(told.value)

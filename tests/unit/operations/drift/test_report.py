"""A whole check: the report as a table and as JSON, and changes that are not applied yet."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from operations.drift.check import Observed, compare
from operations.drift.findings import Problem, Report
from operations.drift.output import as_json, show
from operations.kube.manifests import Manifest
from tests.unit.operations.drift.live import EDITED, declared, edited, made, snapshot, state


@pytest.fixture
def live() -> list[Manifest]:
    """All objects of the dev stack, as it created them."""
    return [made(wanted) for wanted in declared("dev").manifests]


def check(live: list[Manifest]) -> Report:
    return compare(Observed(wanted=declared("dev"), state=state("dev"), live=snapshot(live)))


def text(report: Report) -> str:
    output = io.StringIO()
    show(report, Console(file=output, width=200, markup=False))
    return output.getvalue()


def test_a_clean_report_has_the_number_of_compared_objects(live: list[Manifest]) -> None:
    """It shows that something was checked."""
    report = check(live)
    assert report.clean
    assert text(report) == f"stack dev: {len(live)} objects, all as declared\n"


def test_json_has_object_path_values_and_writer(live: list[Manifest]) -> None:
    """The documented form; a missing value has no key."""
    (account,) = (each for each in live if each["kind"] == "ServiceAccount")
    live[live.index(account)] = edited(account, "metadata", "labels", "team", value="x")
    document = json.loads(as_json(check(live)))
    assert (document["schema"], document["stack"], document["clean"]) == (1, "dev", False)
    assert document["findings"] == [
        {
            "object": {
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "namespace": "springistiodemo",
                "name": "springbootapp",
            },
            "problem": "added",
            "path": "metadata.labels.team",
            "live": "x",
            "writer": {
                "manager": "kubectl-edit",
                "operation": "Update",
                "time": EDITED,
                "subresource": None,
            },
            "why": None,
            "foreign": False,
            "pending": False,
        }
    ]


def test_no_value_that_looks_like_a_secret_is_reported(live: list[Manifest]) -> None:
    """Neither in the table nor in JSON; the path and the writer are."""
    (v1,) = (
        each
        for each in live
        if each["metadata"]["name"] == "springbootapp-v1" and each["kind"] == "Deployment"
    )
    (container,) = v1["spec"]["template"]["spec"]["containers"]
    env = [
        *container.get("env", []),
        {"name": "DB_PASSWORD", "value": "hunter2"},
        {"name": "QUEUE", "value": "amqp://shop:hunter2@queue"},
    ]
    containers = [{**container, "env": env, "args": ["--token", "hunter2"]}]
    live[live.index(v1)] = edited(v1, "spec", "template", "spec", "containers", value=containers)
    report = check(live)
    for form in (text(report), as_json(report)):
        assert "hunter2" not in form
        assert "DB_PASSWORD" in form
        assert "(hidden)" in form


def test_the_table_has_the_same(live: list[Manifest]) -> None:
    """Object, path, value and time."""
    (service,) = (
        each for each in live if (each["kind"], each["metadata"]["name"]) == ("Service", "springbootapp")
    )
    live[live.index(service)] = edited(service, "spec", "sessionAffinity", value="ClientIP")
    table = text(check(live))
    for part in ("Service springistiodemo/springbootapp", "spec.sessionAffinity", "ClientIP", EDITED):
        assert part in table


def test_changes_that_are_not_applied_are_marked(live: list[Manifest]) -> None:
    """Changed, new and removed objects of the stack file, before `pulumi up`."""
    wanted = declared("dev")
    stored = dict(state("dev").objects)
    by_kind = {f"{each.inputs['kind']} {each.name}": each for each in wanted.resources}
    new, changed = by_kind["ServiceAccount springbootapp"], by_kind["Service springbootapp"]
    old = replace(stored[changed.urn], inputs={**changed.inputs, "spec": {"ports": []}})
    retired = {**changed.inputs, "metadata": {**changed.inputs["metadata"], "name": "retired"}}
    stored |= {changed.urn: old, "urn:retired": replace(old, inputs=retired)}
    del stored[new.urn]
    there = [each for each in live if each["kind"] != "ServiceAccount"]
    there = [
        each for each in there if each["metadata"]["name"] != "springbootapp" or each["kind"] != "Service"
    ]
    there += [made(old.inputs), made(retired)]
    report = compare(
        Observed(wanted=wanted, state=replace(state("dev"), objects=stored), live=snapshot(there))
    )
    assert sorted(report.unapplied) == [
        "create ServiceAccount springistiodemo/springbootapp",
        "delete Service springistiodemo/retired",
        "update Service springistiodemo/springbootapp",
    ]
    assert all(each.pending for each in report.findings)
    assert {each.problem for each in report.findings} >= {Problem.MISSING, Problem.UNDECLARED}
    assert "pulumi up --stack dev" in text(report)


def test_findings_are_selected_by_kind(live: list[Manifest]) -> None:
    """Like a canary before a step."""
    report = check([each for each in live if each["kind"] not in ("VirtualService", "Service")])
    assert [each.problem for each in report.of("VirtualService", "HTTPRoute")] == [Problem.MISSING] * 2

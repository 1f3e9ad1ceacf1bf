"""`python -m operations traffic` on the lab: what was sent, as a person, a machine and a watcher see it."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from bench import load
from bench.changes import base
from tests.e2e.conftest import CHECKOUT, Stack, lab, stacks_in

NAMESPACE = "e2e-traffic"
HOST = f"{NAMESPACE}.example.com"
INGRESS = "http://127.0.0.1:31380/hello"
RATE = 40
"""Requests a second."""
WINDOW = 20
"""Seconds that are looked at, all of them under load."""
SCRAPED_SECONDS = 8
"""After so long what happened is in Prometheus."""
LOOKS = 10
"""So many looks at most, 2 s apart, until a change of the stack file is seen: the next one should show it."""
TOLERANCE = 0.09
"""Between a weight and its share of 800 requests: more than five standard deviations."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Two versions, 70 and 30 percent, and Prometheus."""
    lab("metrics")
    with stacks_in(tmp_path_factory.mktemp("traffic")) as make:
        made = make("traffic", **{**base(NAMESPACE), "weights": {"v1": 70, "v2": 30}})
        made.up()
        yield made


def command(stack: Stack, words: str = "") -> str:
    """The command line, for the stack of a folder that is not the checkout."""
    place = f"env --chdir={CHECKOUT} COLUMNS=160 python -m operations"
    return f"{place} traffic -s {stack.name} --cwd {stack.shell.folder} --window {WINDOW} {words}"


def versions(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What a look says of each version of the one service."""
    (service,) = document["services"]
    return {each["version"]: each for each in service["versions"]}


def rows(said: str) -> dict[str, list[str]]:
    """The cells of the table by version."""
    lines = [line.split("│")[1:-1] for line in said.splitlines() if line.count("│") > 2]
    return {version.strip(): [cell.strip() for cell in cells] for version, *cells in lines}


def test_no_traffic_is_told_and_no_failure(stack: Stack) -> None:
    """Nobody asked yet: weights and pods are there, figures are not made up."""
    done = stack.shell.run(command(stack))
    assert f"no requests within {WINDOW} s" in done.stdout
    assert rows(done.stdout) == {
        "v1": ["70 %", "-", "0.0", "-", "-", "-", "-", "2 of 2"],
        "v2": ["30 %", "-", "0.0", "-", "-", "-", "-", "2 of 2"],
    }


def test_what_is_sent_is_what_is_shown(stack: Stack) -> None:
    """Shares by weight, the rate that was asked, nothing failed; for people and machines alike."""
    with load.Load(INGRESS, rate=RATE, host=HOST, slow=False) as sending:
        time.sleep(WINDOW + SCRAPED_SECONDS)
        document = stack.shell.json(command(stack, "--json"))
        table = rows(stack.shell.run(command(stack)).stdout)
    assert sending.report.failed == 0
    seen = versions(document)
    assert (document["stack"], document["window"]) == (stack.name, WINDOW)
    assert document["services"][0]["why"] is None
    for version, weight in (("v1", 0.7), ("v2", 0.3)):
        of_version = seen[version]
        assert of_version["share"] == pytest.approx(weight, abs=TOLERANCE)
        assert of_version["rate"] == pytest.approx(RATE * weight, rel=0.3)
        assert of_version["success"] == 1
        assert 0 < of_version["p50"] <= of_version["p90"] <= of_version["p99"]
        assert of_version["pods"] == {"ready": 2, "wanted": 2}
        wanted, share, *_, success, _, _, _, pods = table[version]
        assert (wanted, success, pods) == (f"{100 * weight:.0f} %", "100.00 %", "2 of 2")
        assert float(share.removesuffix(" %")) == pytest.approx(100 * weight, abs=100 * TOLERANCE)


def test_watching_until_somebody_presses_ctrl_c(stack: Stack) -> None:
    """A line for each look, by the stack file as it is then; Ctrl-C ends it well."""
    watching = subprocess.Popen(
        ["bash", "-c", f"{stack.shell.prelude} && exec {command(stack, '--watch --json')}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert watching.stdout
    weights = [versions(json.loads(watching.stdout.readline()))["v2"]["weight"]]
    stack.configure(weights={"v1": 60, "v2": 40})
    while weights[-1] == 30 and len(weights) < LOOKS:
        weights.append(versions(json.loads(watching.stdout.readline()))["v2"]["weight"])
    watching.send_signal(signal.SIGINT)
    _, complained = watching.communicate(timeout=30)
    stack.configure(weights={"v1": 70, "v2": 30})
    assert (watching.returncode, complained) == (0, "")
    assert (weights[0], weights[-1]) == (30, 40)


def test_without_prometheus_the_reason_is_told(stack: Stack) -> None:
    """With exit code 1, what to look at, and pods and weights all the same."""
    stack.shell.run(f"kubectl create service clusterip nobody --tcp=9090 -n {NAMESPACE}")
    stack.configure(metrics={"prometheus": f"{NAMESPACE}/nobody:9090"})
    told = stack.shell.run(command(stack), check=False)
    asked = stack.shell.run(command(stack, "--json"), check=False)
    stack.configure(metrics=None)
    assert (told.returncode, asked.returncode) == (1, 1)
    assert "is down" in told.stdout
    assert "Traceback" not in told.stdout
    assert rows(told.stdout)["v2"] == ["30 %", *["-"] * 6, "2 of 2"]
    document = json.loads(asked.stdout)
    assert document["services"][0]["why"]["cause"] == "PrometheusUnreachable"
    assert versions(document)["v1"]["share"] is None

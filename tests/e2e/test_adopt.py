"""Existing objects become a stack's own, under load."""

import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.e2e.conftest import CHECKOUT, PROJECT_FILES, Shell
from tests.e2e.stream import Stream
from tests.e2e.traffic import ask, ask_until

URL = "http://127.0.0.1:31380/hello"
MANUAL = CHECKOUT / "tests/unit/operations/manual"
WALKTHROUGH = ("2nodes", "destination", "gateway", "vs-v1")


@dataclass(frozen=True, kw_only=True)
class Team:
    """A team that applies YAML with kubectl, in a namespace and with a host of its own."""

    name: str
    folder: Path
    shell: Shell

    @property
    def host(self) -> str:
        """The host of its users' requests."""
        return f"{self.name}.example.com"

    def apply(self, file: str, text: str) -> Path:
        """Write a file and apply it."""
        path = self.folder / file
        path.write_text(text)
        self.shell.run(f"kubectl apply --namespace {self.name} -f {path}")
        return path

    def adopt(self, words: str) -> str:
        """Run the command on the team's project folder."""
        return self.shell.run(self.command(words)).stdout

    def command(self, words: str) -> str:
        """Return the command line."""
        base = f"python -m operations adopt --stack {self.name} --context lab --cwd {self.folder}"
        return f"{base} --address 127.0.0.1 {words}"

    def pulumi(self, command: str) -> str:
        """Run pulumi on the team's stack; a failure fails the test."""
        return self.shell.run(
            f"cd {self.folder} && pulumi {command} --stack {self.name} --non-interactive"
        ).stdout

    def objects(self) -> dict[str, dict[str, Any]]:
        """Return the objects of the namespace, by kind and name."""
        kinds = "services,deployments,destinationrules,gateways.networking.istio.io,virtualservices"
        items = self.shell.json(f"kubectl get {kinds} --namespace {self.name} --output json")["items"]
        return {f"{each['kind']} {each['metadata']['name']}": each for each in items}

    def uids(self) -> dict[str, str]:
        """Return the uids of the objects."""
        return {key: each["metadata"]["uid"] for key, each in self.objects().items()}


@pytest.fixture
def team(request: pytest.FixtureRequest, shell: Shell, tmp_path: Path) -> Iterator[Team]:
    """A namespace with injection and nothing in it; at the end, neither namespace nor stack."""
    name = f"e2e-adopt-{request.param}"
    for shared in PROJECT_FILES:
        (tmp_path / shared).symlink_to(CHECKOUT / shared)
    team = Team(name=name, folder=tmp_path, shell=shell)
    shell.run(f"kubectl create namespace {name} && kubectl label namespace {name} istio-injection=enabled")
    yield team
    shell.run(f"kubectl delete namespace {name} --ignore-not-found")
    shell.run(
        f"cd {tmp_path} && pulumi refresh --stack {name} --yes && pulumi destroy --stack {name} --yes"
        f" && pulumi stack rm {name} --yes --preserve-config",
        check=False,
    )


def serve(team: Team) -> None:
    team.shell.run(f"kubectl rollout status deployment --namespace {team.name} --timeout 120s")
    assert ask_until(URL, 20, lambda seen: seen["v1"] > 0, host=team.host)["v1"] > 0


@pytest.mark.parametrize("team", ["files"], indirect=True)
def test_the_walkthroughs_files_become_a_stack_without_a_lost_request(team: Team) -> None:
    """Same Service, Deployments and VirtualService; new rules before, old ones last; 0 failures."""
    files = [
        team.apply(
            f"{name}.yaml", (MANUAL / f"springbootapp-{name}.yaml").read_text().replace('"*"', team.host)
        )
        for name in WALKTHROUGH
    ]
    serve(team)
    before = team.uids()
    words = f"--namespace {team.name} --probe /hello " + " ".join(f"-f {file}" for file in files)

    printed = team.adopt(words)
    assert "nothing was changed in the cluster" in printed
    assert team.uids() == before
    assert (
        "replaced, deleted at the end: DestinationRule springbootapp, Gateway springbootapp-gateway"
        in printed
    )

    with Stream(URL, host=team.host) as stream:
        printed = team.adopt(f"{words} --yes")
    assert stream.failures == [], f"{stream.answers}\n{printed}"
    assert set(stream.answers) == {"v1"}
    assert stream.answers["v1"] > 500, stream.answers

    after = team.uids()
    same = {key for key in before if after.get(key) == before[key]}
    assert same == {
        "Service springbootapp",
        "Deployment springbootapp-v1",
        "Deployment springbootapp-v2",
        "VirtualService springbootapp",
    }
    assert before.keys() - after.keys() == {"DestinationRule springbootapp", "Gateway springbootapp-gateway"}
    assert printed.rstrip().splitlines()[-2] == "pulumi preview: no change"
    team.pulumi("preview --expect-no-changes")
    team.pulumi("refresh --preview-only --expect-no-changes --run-program")
    assert ask(URL, 20, host=team.host) == {"v1": 20}


@pytest.mark.parametrize("team", ["live"], indirect=True)
def test_a_live_namespace_becomes_a_stack_without_a_lost_request(team: Team) -> None:
    """With the live weights; fields that cannot be expressed are reported, and removed; 0 failures."""
    for name in WALKTHROUGH:
        objects = list(
            yaml.safe_load_all((MANUAL / f"springbootapp-{name}.yaml").read_text().replace('"*"', team.host))
        )
        for each in objects:
            if each["kind"] == "Deployment":
                container = each["spec"]["template"]["spec"]["containers"][0]
                container |= {"name": "web", "readinessProbe": {"httpGet": {"path": "/hello", "port": 8080}}}
                container["workingDir"] = "/tmp"  # noqa: S108 - the container's own
                each["metadata"]["annotations"] = {"team/contact": "shop"}
        team.apply(f"{name}.yaml", yaml.safe_dump_all(objects))
    split = {"http": [{"route": [destination("v1", 60), destination("v2", 40)]}]}
    patch = json.dumps({"spec": split})
    team.shell.run(
        f"kubectl patch virtualservice springbootapp -n {team.name} --type merge --patch '{patch}'"
    )
    serve(team)
    before = team.uids()

    with Stream(URL, host=team.host) as stream:
        printed = team.adopt(f"--namespace {team.name} --yes")
    assert stream.failures == [], f"{stream.answers}\n{printed}"
    assert set(stream.answers) == {"v1", "v2"}
    pod = "spec.template.spec.containers[0]"
    for line in (
        "4 fields are lost, because the stack cannot express them:",
        "  Deployment springbootapp-v1  metadata.annotations.team/contact: shop",
        f"  Deployment springbootapp-v1  {pod}.workingDir: /tmp",
        f"  Deployment springbootapp-v1  {pod}.name: web → springbootapp",
    ):
        assert line in printed.splitlines(), printed

    config = yaml.safe_load((team.folder / f"Pulumi.{team.name}.yaml").read_text())["config"]
    assert config["mesh-app:weights"] == {"v1": 60, "v2": 40}
    assert config["mesh-app:gateway"] == {"hosts": [team.host], "port": 80}
    live = team.objects()["Deployment springbootapp-v1"]
    assert live["metadata"]["uid"] == before["Deployment springbootapp-v1"]
    assert [each["name"] for each in live["spec"]["template"]["spec"]["containers"]] == ["springbootapp"]
    team.pulumi("preview --expect-no-changes")


def is_whole(team: Team, printed: str) -> None:
    """Check that nothing is to change, and nothing drifted."""
    assert printed.rstrip().splitlines()[-2] == "pulumi preview: no change", printed
    team.pulumi("preview --expect-no-changes")
    team.pulumi("refresh --preview-only --expect-no-changes --run-program")


@pytest.mark.parametrize("team", ["helloworld"], indirect=True)
def test_istios_sample_helloworld_becomes_a_stack_without_a_lost_request(team: Team) -> None:
    """No subsets, an image for each version, one path; the weights follow the number of pods."""
    file = team.apply("helloworld.yaml", (MANUAL / "helloworld.yaml").read_text().replace('"*"', team.host))
    serve(team)
    before = team.uids()
    with Stream(URL, host=team.host) as stream:
        printed = team.adopt(f"--namespace {team.name} --probe /hello --yes -f {file}")
    assert stream.failures == [], f"{stream.answers}\n{printed}"
    assert set(stream.answers) == {"v1", "v2"}
    after = team.uids()
    for name in ("Service helloworld", "Deployment helloworld-v1", "VirtualService helloworld"):
        assert after[name] == before[name]
    is_whole(team, printed)
    answers = ask(URL, 400, host=team.host)
    assert abs(answers["v1"] - 200) < 50, answers  # five standard deviations
    assert answers["v1"] + answers["v2"] == 400, answers


@pytest.mark.parametrize("team", ["reviews"], indirect=True)
def test_reviews_of_istios_sample_bookinfo_becomes_a_stack_without_a_lost_request(team: Team) -> None:
    """From a live namespace, beside ratings, which is not changed; callers are in the mesh alone."""
    team.apply("reviews.yaml", (MANUAL / "reviews.yaml").read_text())
    team.shell.run(f"kubectl rollout status deployment --namespace {team.name} --timeout 120s")
    before = team.uids()
    # The walkthrough's app requests them, through its own proxy.
    inside = f"http://127.0.0.1:31380/fetch?url=http://reviews.{team.name}.svc:9080/reviews/0"
    assert ask_until(inside, 5, lambda seen: seen == {"unnamed": 5}) == {"unnamed": 5}
    with Stream(inside) as stream:
        printed = team.adopt(f"--namespace {team.name} --app reviews --probe /healthz --yes")
    assert stream.failures == [], f"{stream.answers}\n{printed}"
    assert stream.answers["unnamed"] > 100, stream.answers
    after = team.uids()
    for name in ("Service reviews", "Deployment reviews-v1", "Service ratings", "Deployment ratings-v1"):
        assert after[name] == before[name]
    is_whole(team, printed)
    versions = Counter(httpx.get(inside, trust_env=False).text.split()[3] for _ in range(200))
    assert abs(versions["v1,"] - 160) < 29, versions  # five standard deviations of 80 %
    assert versions["v1,"] + versions["v2,"] == 200, versions


@pytest.mark.parametrize("team", ["killed"], indirect=True)
def test_a_killed_takeover_resumes_without_a_lost_request(team: Team) -> None:
    """SIGKILL while Pulumi changes the Deployments; the lock is named, and the same command finishes it."""
    files = [
        team.apply(
            f"{name}.yaml", (MANUAL / f"springbootapp-{name}.yaml").read_text().replace('"*"', team.host)
        )
        for name in WALKTHROUGH
    ]
    serve(team)
    words = f"--namespace {team.name} --probe /hello --yes " + " ".join(f"-f {file}" for file in files)

    with Stream(URL, host=team.host) as stream:
        kill_at("  update Deployment springbootapp-v1", team.command(words))
        locked = team.shell.run(team.command(words), check=False)
        team.pulumi("cancel --yes")
        printed = team.adopt(words)
    assert stream.failures == [], f"{stream.answers}\n{printed}"
    assert locked.returncode == 1
    assert f"pulumi cancel --yes --stack {team.name}" in locked.stdout
    assert "Traceback" not in locked.stdout
    team.pulumi("preview --expect-no-changes")
    pods = team.shell.pods(team.name)
    assert sorted(pod["metadata"]["ownerReferences"][0]["kind"] for pod in pods) == ["ReplicaSet"] * 2


def kill_at(line: str, command: str) -> None:
    """Run a command, and kill it with all of its processes as soon as it prints a line."""
    process = subprocess.Popen(
        ["bash", "-c", f"source {CHECKOUT}/.lab/env && {command}"],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        for printed in process.stdout or ():
            if printed.rstrip() == line:
                break
        os.killpg(process.pid, signal.SIGKILL)


def destination(version: str, weight: int) -> dict[str, Any]:
    return {"destination": {"host": "springbootapp", "subset": version}, "weight": weight}

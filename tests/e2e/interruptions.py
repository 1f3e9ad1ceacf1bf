"""Updates that do not come to their end, and what must be true of a stack afterwards."""

import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import psutil

from bench import load
from bench.changes import V1, V2, base
from lab.places import Places
from tests.e2e.conftest import CHECKOUT, Shell, Stack

RATE: Final = 100
"""Requests a second through the ingress while something is interrupted."""

KILLS: Final = 25
MOMENTS: Final = [(nth + 0.5) / KILLS for nth in range(KILLS)]
"""Of a kill, as shares of the time that the same update takes when nothing happens to it."""

PLACES: Final = Places.of_this_machine()
INSIDERS: Final = [{"name": "insiders", "headers": {"x-user-group": "insider"}, "to": "v2"}]
MADE: Final = (
    "deployments,services,serviceaccounts,poddisruptionbudgets,horizontalpodautoscalers,"
    "destinationrules,virtualservices.networking.istio.io,gateways.networking.istio.io"
)
SAYING_SECONDS: Final = 180
END_SECONDS: Final = 420
"""No update takes longer, whatever is broken while it runs."""


def releases(namespace: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Two stack files. From each to the other a version comes, one goes, and what stays is changed."""
    common = base(namespace)
    one = {"versions": {"v1": V1, "v2": {**V2, "replicas": 1}}, "weights": {"v1": 50, "v2": 50}}
    other = {"versions": {"v2": V2, "v3": V1}, "weights": {"v2": 50, "v3": 50}}
    hosts = [f"{namespace}.example.com", f"also.{namespace}.example.com"]
    return (
        {**common, **one, "routes": None},
        {**common, **other, "routes": INSIDERS, "gateway": {"hosts": hosts}},
    )


@dataclass(kw_only=True)
class Stage:
    """A stack that goes from one release to the other and back."""

    stack: Stack
    at: int = 0
    seconds: dict[int, float] = field(default_factory=dict)
    """How long an update to each release takes when nothing happens to it."""

    @classmethod
    def rehearsed(cls, stack: Stack) -> Self:
        """Bring a stack up, and go to the other release and back, with a look at the clock."""
        stage = cls(stack=stack)
        stack.up()
        for _ in range(2):
            stage.turn()
            begun = time.monotonic()
            stack.up()
            stage.seconds[stage.at] = time.monotonic() - begun
        return stage

    def turn(self) -> None:
        """Write the other release into the stack file."""
        self.at = 1 - self.at
        self.stack.configure(**releases(self.stack.namespace)[self.at])

    def wait(self, share: float) -> None:
        """Let the time pass in which a share of the update to the present release is done."""
        time.sleep(share * self.seconds[self.at])

    def traffic(self) -> load.Load:
        """Ask through the ingress, from enter to exit."""
        host = f"{self.stack.namespace}.example.com"
        return load.Load("http://127.0.0.1:31380/hello", rate=RATE, host=host)


class Update:
    """A pulumi, or an operation, that runs in the background."""

    def __init__(self, shell: Shell, command: str) -> None:
        self._log = (shell.folder / "update.log").open("w+")
        self.process = subprocess.Popen(
            ["bash", "-c", f"{shell.prelude} && exec {command}"],
            cwd=shell.folder,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    @classmethod
    def up(cls, stack: Stack) -> Self:
        """`pulumi up`, as in a pipeline."""
        return cls(stack.shell, f"pulumi up --yes --skip-preview --stack {stack.name} --non-interactive")

    def kill(self) -> bool:
        """End it without a word, and nothing that it started; tells whether it still ran."""
        ran = self.process.poll() is None
        self.process.kill()
        self.process.wait()
        return ran

    def helper(self, name: str) -> psutil.Process | None:
        """Find a process that it started, by how its name begins."""
        below = psutil.Process(self.process.pid).children(recursive=True)
        return next((each for each in below if each.name().startswith(name)), None)

    def description(self, words: str) -> None:
        """Wait until it says something."""
        ends = time.monotonic() + SAYING_SECONDS
        while words not in self.said:
            assert time.monotonic() < ends, self.said
            time.sleep(0.05)

    def end(self) -> tuple[int, str]:
        """Wait for its own end; returns the exit code and what it said."""
        return self.process.wait(END_SECONDS), self.said

    @property
    def said(self) -> str:
        """What it has said so far."""
        return Path(self._log.name).read_text()


@dataclass(kw_only=True)
class Case:
    """One interruption, the command that mends it, and what is noted of both."""

    stage: Stage
    note: Callable[[str, object], None]
    """Keeps a figure in pytest's report."""

    @property
    def stack(self) -> Stack:
        """The stack whose update is interrupted."""
        return self.stage.stack

    @contextmanager
    def under_traffic(self) -> Iterator[None]:
        """Assert that nothing is lost from enter to exit, and that all is as declared at the end."""
        with self.stage.traffic() as traffic:
            yield
        report = traffic.report
        self.note("requests", report.requests)
        self.note("failed", report.failed)
        in_order(self.stack)
        assert not report.failed, f"{report.failed} of {report.requests}: {report.failures[:5]}"

    @contextmanager
    def update(self) -> Iterator[Update]:
        """Begin the update to the other release, under traffic."""
        self.stage.turn()
        with self.under_traffic():
            yield Update.up(self.stack)

    def kill(self, update: Update) -> None:
        """End an update by `kill -9`, and note where it stood."""
        lines = [line.strip() for line in update.said.splitlines() if line.strip()]
        self.note("interrupted at", ["its start", *lines][-1] if update.kill() else "its end")

    def recover(self) -> None:
        """Bring everything in order by the one command."""
        begun = time.monotonic()
        said = self.stack.shell.run(operations(self.stack, "recover --yes")).stdout
        self.note("mended by", f"recover, {time.monotonic() - begun:.0f} s")
        self.note(
            "left behind",
            sum("was not released" in line or "interrupted" in line for line in said.splitlines()),
        )

    def recovering(self) -> Update:
        """Begin the same in the background."""
        return Update(self.stack.shell, operations(self.stack, "recover --yes"))

    def up_again(self, update: Update) -> None:
        """Let an update end; where it gave up, `pulumi up` is enough to go on."""
        code, said = update.end()
        assert "Traceback" not in said
        if code:
            self.stack.up()
        self.note("mended by", "pulumi up" if code else "nothing")


def operations(stack: Stack, words: str) -> str:
    """Spell a command of `python -m operations` for a project folder that is not the checkout."""
    command, _, options = words.partition(" ")
    place = f"env --chdir={CHECKOUT} python -m operations {command}"
    return f"{place} --stack {stack.name} --cwd {stack.shell.folder} {options}"


def in_order(stack: Stack) -> None:
    """Assert that stack and cluster are as declared: nothing half-done, doubled, orphaned or locked."""
    stack.shell.run(operations(stack, "drift"))
    stack.pulumi("preview --expect-no-changes")
    state = json.loads(stack.pulumi("stack export").stdout)["deployment"]
    assert not state.get("pending_operations")
    urns = Counter(each["urn"] for each in state["resources"])
    assert [urn for urn, count in urns.items() if count > 1] == []
    assert [each["urn"] for each in state["resources"] if each.get("delete")] == []
    assert made(stack) == declared(stack)
    assert helpers(stack.shell.folder) == []
    assert locks(stack) == []


def made(stack: Stack) -> Counter[str]:
    """What Pulumi made in the stack's namespace, and is there."""
    words = f"-n {stack.namespace} -l app.kubernetes.io/managed-by=pulumi -o json"
    return _named(stack.shell.json(f"kubectl get {MADE} {words}")["items"])


def declared(stack: Stack) -> Counter[str]:
    """What the stack file declares in the namespace."""
    document = json.loads(stack.shell.run(operations(stack, "render --output json")).stdout)
    return _named(each for each in document["items"] if each["metadata"].get("namespace") == stack.namespace)


def helpers(folder: Path) -> list[str]:
    """Processes of Pulumi's that work in a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.name().startswith("pulumi") and Path(process.cwd()).is_relative_to(folder):
                found.append(f"{process.name()} {process.pid} {process.status()}")
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def locks(stack: Stack) -> list[str]:
    """The notes of those who locked the stack."""
    url = stack.shell.run('printf %s "$PULUMI_BACKEND_URL"').stdout
    folder = Path(url.removeprefix("file://")) / ".pulumi/locks/organization/mesh-app" / stack.name
    return [each.read_text() for each in folder.glob("*.json")]


@contextmanager
def routes_of(stack: Stack) -> Iterator[Iterator[str]]:
    """Watch the routes: the generation of now, and each later one as soon as the API server has it."""
    words = f"-n {stack.namespace} --watch -o jsonpath='{{.metadata.generation}}{{\"\\n\"}}'"
    command = (
        f"{stack.shell.prelude} && exec kubectl get virtualservices.networking.istio.io springbootapp {words}"
    )
    with subprocess.Popen(["bash", "-c", command], stdout=subprocess.PIPE, text=True) as watch:
        assert watch.stdout
        try:
            yield watch.stdout
        finally:
            watch.kill()


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Stop a process where it stands, and let it go on at the end."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def pid_of(process: str) -> int:
    """The pid of a daemon of the lab."""
    return int(json.loads((PLACES.state / "processes" / f"{process}.json").read_text())["pid"])


def _named(objects: Iterable[Any]) -> Counter[str]:
    return Counter(f"{each['kind']} {each['metadata']['name']}" for each in objects)

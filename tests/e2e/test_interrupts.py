"""Whatever interrupts an update, no request is lost, and one command brings stack and cluster in order.

The update adds a version with half of the traffic, changes what stays, and removes a version that had half.
`python -m tests.e2e.proof_tables interrupts` makes a table of pytest's reports.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.e2e.conftest import lab, stacks_in
from tests.e2e.interruptions import (
    MOMENTS,
    Case,
    Stage,
    Update,
    frozen,
    helpers,
    operations,
    pid_of,
    releases,
    routes_of,
)

NAMESPACE = "e2e-interrupts"
AWAY_SECONDS = 15

DEAF_SECONDS = 40
"""In which `recover` would delete what it does not wait for; after 45 s the ingress is no longer ready."""

DISK_MEBIBYTES = 32
PROVIDER = "pulumi-resource"

Note = Callable[[str, object], None]


@pytest.fixture(scope="module")
def stage(_lab_is_up: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Two releases, and how long the way from each to the other takes."""
    with stacks_in(tmp_path_factory.mktemp("interrupts")) as make:
        stack = make("interrupts", **releases(NAMESPACE)[0])
        yield Stage.rehearsed(stack)
        # What a failed test left behind must not keep the stack from going.
        stack.shell.run(operations(stack, "recover --yes"))


@pytest.fixture
def case(stage: Stage, record_property: Note) -> Case:
    """The next interruption."""
    return Case(stage=stage, note=record_property)


@pytest.mark.parametrize("share", MOMENTS)
def test_pulumi_killed(case: Case, share: float) -> None:
    """By `kill -9`: its lock, its helpers and what it began are put in order by `recover`."""
    with case.update() as update:
        case.stage.wait(share)
        case.kill(update)
        case.recover()


def test_pulumi_killed_before_the_proxies_have_followed(case: Case) -> None:
    """The routes have changed, the state does not know it, the ingress has not heard: no pods go now."""
    with _at_the_routes(case) as update:
        with frozen(_agent_of_the_ingress()):
            case.kill(update)
            mending = case.recovering()
            time.sleep(DEAF_SECONDS)
            assert "delete Deployment" not in mending.said
        code, said = mending.end()
        assert code == 0, said
        case.note("mended by", "recover")


def test_recover_while_istiod_is_silent(case: Case) -> None:
    """It says so and deletes nothing; the same command goes on once istiod is back."""
    with _at_the_routes(case) as update:
        with frozen(_istiod()):
            case.kill(update)
            code, said = case.recovering().end()
        assert code
        assert "istiod did not answer" in said
        case.recover()


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_recover_killed(case: Case, share: float) -> None:
    """The same command goes on from there."""
    with case.update() as update:
        case.stage.wait(0.4)
        update.kill()
        mending = case.recovering()
        case.stage.wait(share)
        case.kill(mending)
        _end_pulumi(case.stack.shell.folder)
        case.recover()


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_provider_killed(case: Case, share: float) -> None:
    """Pulumi ends by itself, not knowing what happened; `recover` finds out."""
    with case.update() as update:
        case.stage.wait(share)
        provider = update.helper(PROVIDER)
        assert provider, "the update ended before its provider could be killed"
        provider.kill()
        code, said = update.end()
        assert code, said
        case.recover()


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_api_server_frozen(case: Case, share: float) -> None:
    """The proxies go on with what they have; where the update gave up, `pulumi up` goes on."""
    with case.update() as update:
        case.stage.wait(share)
        with frozen(pid_of("kube-apiserver")):
            time.sleep(AWAY_SECONDS)
        case.up_again(update)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_api_server_killed(case: Case, share: float) -> None:
    """It is away until somebody starts it again; then `pulumi up` goes on."""
    with case.update() as update:
        case.stage.wait(share)
        os.kill(pid_of("kube-apiserver"), signal.SIGKILL)
        time.sleep(AWAY_SECONDS)
        lab("up")
        case.up_again(update)


def test_istiod_away_during_a_weight_change(case: Case) -> None:
    """The change is refused by its webhook; the proxies go on; `pulumi up` does it once istiod is back."""
    shell = case.stack.shell
    case.stack.configure(weights=dict(zip(case.stack.config["versions"], (10, 90), strict=True)))
    with case.under_traffic():
        shell.run("kubectl scale deployment istiod -n istio-system --replicas=0")
        shell.run("kubectl wait pod -n istio-system -l app=istiod --for=delete --timeout=60s")
        refused = Update.up(case.stack)
        code, said = refused.end()
        shell.run("kubectl scale deployment istiod -n istio-system --replicas=1")
        shell.run("kubectl rollout status deployment/istiod -n istio-system --timeout=120s")
        assert code, said
        assert "validation.istio.io" in said
        case.up_again(refused)


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_istiod_frozen(case: Case, share: float) -> None:
    """A release waits for it, or says what it missed; where it gave up, `pulumi up` goes on."""
    with case.update() as update:
        case.stage.wait(share)
        with frozen(_istiod()):
            time.sleep(AWAY_SECONDS)
        case.up_again(update)


def test_two_updates_at_once(case: Case) -> None:
    """The second says who holds the lock and changes nothing, `recover` too; the first comes to its end."""
    with case.update() as update:
        case.stage.wait(0.4)
        second = case.stack.pulumi("up --yes --skip-preview", check=False)
        mending = case.stack.shell.run(operations(case.stack, "recover --yes"), check=False)
        code, said = update.end()
        assert code == 0, said
        for refused in (second, mending):
            assert refused.returncode
            assert str(update.process.pid) in refused.stdout
        assert f"held by {os.environ.get('USER', 'root')}@" in mending.stdout
        case.note("mended by", "nothing")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk."""
    place = tmp_path / "small-disk"
    place.mkdir(mode=0o700)
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MEBIBYTES}m,mode=0700", "none", str(place)], check=True
    )
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.usefixtures("_lab_is_up")
def test_disk_full(disk: Path, tmp_path: Path, record_property: Note) -> None:
    """The state cannot be written any more; once there is room, `recover` brings it in order."""
    with stacks_in(tmp_path, {"PULUMI_BACKEND_URL": f"file://{disk}"}) as make:
        stack = make("disk", **releases(f"{NAMESPACE}-disk")[0])
        stack.up()
        case = Case(stage=Stage(stack=stack), note=record_property)
        with case.update() as update:
            update.description("springbootapp-v3")
            _fill(disk / "filler")
            code, said = update.end()
            assert code, said
            full = stack.shell.run(operations(stack, "recover --yes"), check=False)
            assert full.returncode
            assert "disk of Pulumi's state is full" in full.stdout
            (disk / "filler").unlink()
            case.recover()


@contextmanager
def _at_the_routes(case: Case) -> Iterator[Update]:
    """Begin the update, and stand where the API server has just taken the new routes."""
    with routes_of(case.stack) as generations, case.update() as update:
        next(generations)
        next(generations)
        yield update


def _istiod() -> int:
    (found,) = [each.pid for each in psutil.process_iter(["name"]) if each.name() == "pilot-discovery"]
    return found


def _agent_of_the_ingress() -> int:
    """Through which its Envoy hears of istiod."""
    agents = [each for each in psutil.process_iter(["name"]) if each.name() == "pilot-agent"]
    (found,) = [each.pid for each in agents if "router" in each.cmdline()]
    return found


def _fill(file: Path) -> None:
    with file.open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(bytes(1 << 16))


def _end_pulumi(folder: Path) -> None:
    """End the pulumi that a killed `recover` had started: who kills by hand kills the group."""
    for each in helpers(folder):
        name, pid, _ = each.split()
        if name == "pulumi":
            os.kill(int(pid), signal.SIGKILL)

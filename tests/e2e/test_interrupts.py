"""Whatever interrupts an update, no request is lost, and one command brings stack and cluster in order.

The update adds a version with half of the traffic, changes what stays, and removes a version that had half.
INTERRUPTS_TABLE=FILE keeps a table of what was found.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.e2e import load
from tests.e2e.conftest import lab, stacks_in
from tests.e2e.interruptions import (
    Stage,
    Update,
    frozen,
    helpers,
    in_order,
    operations,
    pid_of,
    recover,
    releases,
    row,
)

NAMESPACE = "e2e-interrupts"
KILLS = 25
SHARES = [(nth + 0.5) / KILLS for nth in range(KILLS)]
"""Of the time that the same update takes when nothing happens to it."""

AWAY_SECONDS = 15
DISK_MEBIBYTES = 32
PROVIDER = "pulumi-resource"


@pytest.fixture(scope="module")
def stage(_lab_is_up: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Two releases, and how long the way from each to the other takes."""
    with stacks_in(tmp_path_factory.mktemp("interrupts")) as make:
        stack = make("interrupts", **releases(NAMESPACE)[0])
        yield Stage.rehearsed(stack)
        # What a failed test left behind must not keep the stack from going.
        recover(stack)


def lossless(report: load.Report) -> str:
    """Assert that every request was answered; returns the counts."""
    assert not report.failed, f"{report.failed} of {report.requests}: {report.failures[:5]}"
    return f"0 of {report.requests}"


@pytest.mark.parametrize("share", SHARES)
def test_pulumi_killed(stage: Stage, share: float) -> None:
    """By `kill -9`: its lock, its helpers and what it began are put in order by `recover`."""
    stage.turn()
    moment = stage.moment(share)
    with stage.traffic() as traffic:
        update = Update.up(stage.stack)
        time.sleep(moment)
        ran = update.kill()
        begun = time.monotonic()
        said = recover(stage.stack)
        took = time.monotonic() - begun
    found = [line for line in said.splitlines() if "was left" in line or "interrupted" in line]
    row(
        f"pulumi killed after {moment:.1f} s ({share:.0%}){'' if ran else ', had ended'}",
        f"{traffic.report.failed} of {traffic.report.requests}",
        f"recover, {took:.0f} s",
        *[f"{len(found)} found"],
    )
    in_order(stage.stack)
    lossless(traffic.report)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_recover_killed(stage: Stage, share: float) -> None:
    """The same command goes on from there."""
    stage.turn()
    with stage.traffic() as traffic:
        update = Update.up(stage.stack)
        time.sleep(stage.moment(0.4))
        update.kill()
        mending = Update(stage.stack.shell, operations(stage.stack, "recover --yes"))
        time.sleep(stage.moment(share))
        mending.kill()
        _end_pulumi(stage.stack.shell.folder)
        recover(stage.stack)
    row(
        f"recover killed too ({share:.0%})",
        f"{traffic.report.failed} of {traffic.report.requests}",
        "recover",
    )
    in_order(stage.stack)
    lossless(traffic.report)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_provider_killed(stage: Stage, share: float) -> None:
    """Pulumi ends by itself, not knowing what happened; `recover` finds out."""
    stage.turn()
    with stage.traffic() as traffic:
        update = Update.up(stage.stack)
        time.sleep(stage.moment(share))
        provider = update.helper(PROVIDER)
        assert provider, "the update ended before its provider could be killed"
        provider.kill()
        code, said = update.end()
        assert code, said
        recover(stage.stack)
    row(f"provider killed ({share:.0%})", f"{traffic.report.failed} of {traffic.report.requests}", "recover")
    in_order(stage.stack)
    lossless(traffic.report)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_api_server_frozen(stage: Stage, share: float) -> None:
    """The proxies go on with what they have; where the update gave up, `pulumi up` goes on."""
    stage.turn()
    with stage.traffic() as traffic:
        update = Update.up(stage.stack)
        time.sleep(stage.moment(share))
        with frozen(pid_of("kube-apiserver")):
            time.sleep(AWAY_SECONDS)
        code, _ = update.end()
        if code:
            stage.stack.up()
    row(
        f"API server frozen for {AWAY_SECONDS} s ({share:.0%})",
        f"{traffic.report.failed} of {traffic.report.requests}",
        "pulumi up" if code else "nothing",
    )
    in_order(stage.stack)
    lossless(traffic.report)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_api_server_killed(stage: Stage, share: float) -> None:
    """It is away until somebody starts it again; then `pulumi up` goes on."""
    stage.turn()
    with stage.traffic() as traffic:
        update = Update.up(stage.stack)
        time.sleep(stage.moment(share))
        os.kill(pid_of("kube-apiserver"), signal.SIGKILL)
        time.sleep(AWAY_SECONDS)
        lab("up")
        code, _ = update.end()
        if code:
            stage.stack.up()
    row(
        f"API server killed, away for {AWAY_SECONDS} s ({share:.0%})",
        f"{traffic.report.failed} of {traffic.report.requests}",
        "pulumi up" if code else "nothing",
    )
    in_order(stage.stack)
    lossless(traffic.report)


def test_istiod_away_during_a_weight_change(stage: Stage) -> None:
    """The change is refused by its webhook, or taken; the proxies go on; `pulumi up` does the rest."""
    shell, versions = stage.stack.shell, list(stage.stack.config["versions"])
    stage.stack.configure(weights=dict(zip(versions, (10, 90), strict=True)))
    with stage.traffic() as traffic:
        shell.run("kubectl scale deployment istiod -n istio-system --replicas=0")
        shell.run("kubectl wait pod -n istio-system -l app=istiod --for=delete --timeout=60s")
        done = stage.stack.pulumi("up --yes --skip-preview", check=False)
        shell.run("kubectl scale deployment istiod -n istio-system --replicas=1")
        shell.run("kubectl rollout status deployment/istiod -n istio-system --timeout=120s")
        assert done.returncode, done.stdout
        assert "validation.istio.io" in done.stdout
        stage.stack.up()
    row("istiod away, weights changed", f"{traffic.report.failed} of {traffic.report.requests}", "pulumi up")
    in_order(stage.stack)
    lossless(traffic.report)


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_istiod_frozen(stage: Stage, share: float) -> None:
    """A release waits for it, or says what it missed; where it gave up, `pulumi up` goes on."""
    stage.turn()
    (istiod,) = [each for each in psutil.process_iter(["name"]) if each.name() == "pilot-discovery"]
    with stage.traffic() as traffic:
        update = Update.up(stage.stack)
        time.sleep(stage.moment(share))
        with frozen(istiod.pid):
            time.sleep(AWAY_SECONDS)
        code, _ = update.end()
        if code:
            stage.stack.up()
    row(
        f"istiod frozen for {AWAY_SECONDS} s ({share:.0%})",
        f"{traffic.report.failed} of {traffic.report.requests}",
        "pulumi up" if code else "nothing",
    )
    in_order(stage.stack)
    lossless(traffic.report)


def test_two_updates_at_once(stage: Stage) -> None:
    """The second says who holds the lock and changes nothing, `recover` too; the first comes to its end."""
    stage.turn()
    stack = stage.stack
    with stage.traffic() as traffic:
        update = Update.up(stack)
        time.sleep(stage.moment(0.4))
        second = stack.pulumi("up --yes --skip-preview", check=False)
        mending = stack.shell.run(operations(stack, "recover --yes"), check=False)
        code, said = update.end()
    assert code == 0, said
    for refused in (second, mending):
        assert refused.returncode
        assert str(update.process.pid) in refused.stdout
    assert f"held by {os.environ.get('USER', 'root')}@" in mending.stdout
    row("two updates at once", f"{traffic.report.failed} of {traffic.report.requests}", "nothing")
    in_order(stack)
    lossless(traffic.report)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk."""
    place = tmp_path / "disk"
    place.mkdir(mode=0o700)
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MEBIBYTES}m,mode=0700", "none", str(place)], check=True
    )
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.usefixtures("_lab_is_up")
def test_disk_full(disk: Path, tmp_path: Path) -> None:
    """The state cannot be written any more; once there is room, `recover` brings it in order."""
    namespace = f"{NAMESPACE}-disk"
    with stacks_in(tmp_path, {"PULUMI_BACKEND_URL": f"file://{disk}"}) as make:
        stack = make("disk", **releases(namespace)[0])
        stack.up()
        stage = Stage(stack=stack, seconds={})
        stage.turn()
        with stage.traffic() as traffic:
            update = Update.up(stack)
            _wait_for(update, "springbootapp-v3")
            _fill(disk / "filler")
            code, said = update.end()
            assert code, said
            full = stack.shell.run(operations(stack, "recover --yes"), check=False)
            (disk / "filler").unlink()
            recover(stack)
        assert full.returncode
        assert "disk of Pulumi's state is full" in full.stdout
        row("disk full", f"{traffic.report.failed} of {traffic.report.requests}", "room, recover")
        in_order(stack)
        lossless(traffic.report)


def _wait_for(update: Update, words: str) -> None:
    ends = time.monotonic() + 60
    while words not in update.said:
        assert time.monotonic() < ends, update.said
        time.sleep(0.05)


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

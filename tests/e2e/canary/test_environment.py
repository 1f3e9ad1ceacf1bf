"""What happens around a canary: its stack file, its terminal, its output. The weights go back."""

import os
import signal
import subprocess

import pytest

from tests.e2e.canaries import Canary
from tests.e2e.canary.proof import ABORTED, ROLLED_BACK, Prove, Users, as_before
from tests.e2e.canary.setup import DEPLOYED, WEIGHT_OF_V2, declare_v2
from tests.e2e.conftest import CHECKOUT

CONFLICT = "<<<<<<< HEAD\n"


@pytest.mark.parametrize("spoil", ["conflict", "delete"])
def test_a_stack_file_that_cannot_be_read_any_more(canary: Canary, prove: Prove, spoil: str) -> None:
    """During a hold: the next step is none; everybody is back in cluster and state, and the rest is told."""
    declare_v2(canary.stack)
    file = canary.stack.shell.folder / f"Pulumi.{canary.stack.name}.yaml"
    with Users() as users:
        run = canary.begins()
        run.description(DEPLOYED)
        text = file.read_text()
        if spoil == "conflict":
            file.write_text(CONFLICT + text)
        else:
            file.unlink()
        assert run.ends() == ROLLED_BACK, run.said
        assert "rolling back with the canary's copy" in run.said
        assert f"Before the next pulumi up, in {file.name}: set mesh-app:weights" in run.said
        # v2 cannot leave a file that cannot be read; without weight it does no harm.
        assert canary.stack.shell.run(WEIGHT_OF_V2).stdout.strip() in {"", "0"}
        file.write_text(text)
    prove(run, users)
    assert users.lost == []


def test_abort_after_a_kill_needs_no_stack_file(canary: Canary, prove: Prove) -> None:
    """Another process has the copy of the one that was killed."""
    declare_v2(canary.stack)
    file = canary.stack.shell.folder / f"Pulumi.{canary.stack.name}.yaml"
    with Users() as users:
        run = canary.begins()
        run.description(DEPLOYED)
        run.kill()
        text = file.read_text()
        file.write_text(CONFLICT + text)
        run = canary.run("--abort")
        assert run.ends() == ABORTED, run.said
        assert canary.stack.shell.run(WEIGHT_OF_V2).stdout.strip() in {"", "0"}
        file.write_text(text)
    prove(run, users)
    assert users.lost == []


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_process_that_has_to_end_has_everybody_back(
    canary: Canary, prove: Prove, number: signal.Signals
) -> None:
    """A terminal that is closed, a job that is cancelled."""
    declare_v2(canary.stack)
    with Users() as users:
        run = canary.begins(terminal=number is signal.SIGHUP)
        run.description(DEPLOYED)
        os.kill(run.process.pid, number)
        assert run.ends() == ABORTED, run.said
    prove(run, users)
    assert users.lost == []
    as_before(canary.stack)


def test_a_closed_pipe_ends_nothing(canary: Canary) -> None:
    """As by `| head`: a bad version goes back all the same, and the exit code says so."""
    declare_v2(canary.stack, FAILURE_PERCENT="50")
    shell = canary.stack.shell
    command = f"source .lab/env && exec python -m operations canary -s {canary.stack.name} -C {shell.folder}"
    with (
        Users() as users,
        subprocess.Popen(
            ["bash", "-c", f"{command} --to v2 --yes"],
            cwd=CHECKOUT,
            env={**os.environ, "XDG_STATE_HOME": str(canary.home)},
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stdout
        for line in process.stdout:
            if "step 1/" in line:
                break
        process.stdout.close()
        assert process.wait(300) == ROLLED_BACK
    assert users.lost == []
    as_before(canary.stack)

import io
import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from pulumi import automation as auto
from pulumi.automation import events
from pulumi.automation._cmd import CommandResult

from lab.errors import LabError
from lab.places import Places
from lab.progress import Progress
from lab.stacks.stacks import DEV, Stacks, _held

Up = Callable[..., object]


@pytest.fixture
def stacks(tmp_path: Path, progress: Progress) -> Stacks:
    """Stacks of a lab whose folders have names that a shell must quote."""
    places = Places(
        checkout=tmp_path / "my checkout", cache=tmp_path / "cache", state=tmp_path / "what's $HOME"
    )
    places.make()
    return Stacks(places=places, progress=progress)


def sourced(stacks: Stacks, command: str, variables: dict[str, str] | None = None) -> str:
    """What a command prints in a shell that has sourced the lab's settings."""
    script = f'. "$1"; {command}'
    return subprocess.run(
        ["/bin/bash", "-euc", script, "bash", stacks.places.environment],
        env={"PATH": "/usr/bin:/bin", **(variables or {})},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def pulumi_does(
    monkeypatch: pytest.MonkeyPatch, up: Up, *, state: object = None, refresh: Up | None = None
) -> list[dict[str, object]]:
    """Let every stack's `up` be this function; returns what each was selected by."""
    selected: list[dict[str, object]] = []

    def select(**how: object) -> SimpleNamespace:
        selected.append(how)
        exported = SimpleNamespace(deployment=state)
        return SimpleNamespace(up=up, refresh=refresh, export_stack=lambda: exported)

    monkeypatch.setattr(auto, "create_or_select_stack", select)
    return selected


def command_error(stderr: str) -> auto.CommandError:
    """What the Automation API raises when pulumi fails."""
    return auto.CommandError(CommandResult(stdout="", stderr=stderr, code=255))


def test_a_shell_that_sources_the_file_has_the_labs_variables(stacks: Stacks) -> None:
    """The same ones that the lab itself gives to Pulumi, whatever characters are in them."""
    stacks.prepare()
    for name, value in stacks.variables.items():
        assert sourced(stacks, f'printf %s "${name}"') == value


def test_the_file_is_good_shell_and_its_owners_only(stacks: Stacks) -> None:
    """`bash -n` finds nothing, and nobody else reads where the passphrase is."""
    stacks.prepare()
    subprocess.run(["/bin/bash", "-n", stacks.places.environment], check=True)
    assert stacks.places.environment.stat().st_mode & 0o777 == 0o600


def test_the_labs_programs_come_first_on_path(stacks: Stacks) -> None:
    """Then those of the checkout's Python, then the shell's own."""
    stacks.prepare()
    path = sourced(stacks, 'printf %s "$PATH"').split(":")
    checkout = stacks.places.checkout
    assert path == [str(checkout / ".lab/bin"), str(checkout / ".venv/bin"), "/usr/bin", "/bin"]


def test_the_shells_own_passphrase_does_not_get_in_the_way(stacks: Stacks) -> None:
    """Pulumi takes the variable before the file: with both, no stack of the lab could be opened."""
    stacks.prepare()
    show = 'printf %s "${PULUMI_CONFIG_PASSPHRASE-unset}"'
    said = sourced(stacks, show, {"PULUMI_CONFIG_PASSPHRASE": "mine"})
    assert said == "unset"


def test_everything_of_pulumis_is_the_labs_own(stacks: Stacks) -> None:
    """Backend, home and passphrase stand in the state folder; the secret is no variable."""
    variables = stacks.variables
    state = str(stacks.places.state)
    for name in ("KUBECONFIG", "PULUMI_HOME", "PULUMI_CONFIG_PASSPHRASE_FILE"):
        assert variables[name].startswith(state)
    assert variables["PULUMI_BACKEND_URL"].startswith(f"file://{state}")
    assert "PULUMI_CONFIG_PASSPHRASE" not in variables


def test_the_passphrase_is_made_once(stacks: Stacks) -> None:
    """Another one would lock the stacks; it is long, and for its owner's eyes."""
    stacks.prepare()
    passphrase = stacks.places.passphrase.read_text()
    stacks.prepare()
    assert stacks.places.passphrase.read_text() == passphrase
    assert len(passphrase) > 40
    assert stacks.places.passphrase.stat().st_mode & 0o777 == 0o600
    assert stacks.variables["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(stacks.places.passphrase)


def test_folders_with_state_are_their_owners_only(stacks: Stacks) -> None:
    """A stack's state holds what the stack knows."""
    stacks.prepare()
    for name in ("backend", "home"):
        assert (stacks.places.pulumi / name).stat().st_mode & 0o777 == 0o700


def test_up_returns_the_outputs_and_says_what_changed(
    stacks: Stacks, monkeypatch: pytest.MonkeyPatch, output: io.StringIO
) -> None:
    """The stack is selected with the lab's variables; unchanged resources are no news."""
    result = SimpleNamespace(
        summary=SimpleNamespace(resource_changes={"create": 3, "same": 9}),
        outputs={"url": auto.OutputValue(value="http://127.0.0.1", secret=False)},
    )
    selected = pulumi_does(monkeypatch, lambda **_: result)
    assert stacks.up(DEV, Path("/checkout")) == {"url": "http://127.0.0.1"}
    assert "✓ pulumi up --stack dev in checkout: 3 create (" in output.getvalue()
    (how,) = selected
    assert (how["stack_name"], how["work_dir"]) == (DEV, "/checkout")
    options = how["opts"]
    assert isinstance(options, auto.LocalWorkspaceOptions)
    assert options.env_vars == stacks.variables


@pytest.mark.parametrize(("pending", "refreshes"), [([], 0), ([{"type": "creating"}], 1)])
def test_up_leaves_no_pending_operations(
    stacks: Stacks, monkeypatch: pytest.MonkeyPatch, pending: list[object], refreshes: int
) -> None:
    """A killed update leaves some, and Pulumi's own `up` keeps them."""
    done: list[str] = []
    result = SimpleNamespace(summary=SimpleNamespace(resource_changes={}), outputs={})

    def up(**_: object) -> SimpleNamespace:
        done.append("up")
        return result

    def refresh(*, clear_pending_creates: bool, **_: object) -> None:
        assert clear_pending_creates
        done.append("refresh")

    pulumi_does(monkeypatch, up, state={"pending_operations": pending}, refresh=refresh)
    stacks.up(DEV, Path("/checkout"))
    assert done == ["refresh"] * refreshes + ["up"]


@pytest.mark.parametrize("changes", [{"same": 12}, {}, None])
def test_up_says_when_nothing_changed(
    stacks: Stacks,
    monkeypatch: pytest.MonkeyPatch,
    output: io.StringIO,
    changes: dict[str, int] | None,
) -> None:
    """A second `make up` shows in its log that it did nothing."""
    result = SimpleNamespace(summary=SimpleNamespace(resource_changes=changes), outputs={})
    pulumi_does(monkeypatch, lambda **_: result)
    stacks.up(DEV, Path("/checkout"))
    assert "dev in checkout: no change (" in output.getvalue()


def test_a_failed_update_is_told_in_pulumis_words(stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    """The errors of the resources are shown, not the whole output, and how to try it by hand."""

    def fail(on_event: Callable[[auto.EngineEvent], None], **_: object) -> None:
        for severity in ("error", "warning"):
            event = events.DiagnosticEvent(
                message=f"{severity}: gateway\n\n  is not ready\n", color="", severity=severity
            )
            on_event(auto.EngineEvent(sequence=0, timestamp=0, diagnostic_event=event))
        raise command_error("exit status 255")

    pulumi_does(monkeypatch, fail)
    with pytest.raises(LabError) as issue:
        stacks.up(DEV, Path("/checkout"))
    assert issue.value.what == "`pulumi up --stack dev` failed in /checkout"
    assert issue.value.evidence == "error: gateway\n  is not ready"
    assert issue.value.fix == "source .lab/env, then in that folder: pulumi up --stack dev"


def test_an_update_that_cannot_begin_is_a_fault_too(stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    """A passphrase that does not fit is told as pulumi tells it."""

    def refuse(**_: object) -> None:
        raise command_error("error: incorrect passphrase")

    monkeypatch.setattr(auto, "create_or_select_stack", refuse)
    with pytest.raises(LabError) as issue:
        stacks.up(DEV, Path("/checkout"))
    assert "incorrect passphrase" in issue.value.evidence


def test_the_resource_at_work_is_shown(
    stacks: Stacks, monkeypatch: pytest.MonkeyPatch, output: io.StringIO
) -> None:
    """An update of a minute says what it waits for; one that stays the same is passed over."""

    def work(on_event: Callable[[auto.EngineEvent], None], **_: object) -> None:
        for operation, name in ((auto.OpType.CREATE, "gateway"), (auto.OpType.SAME, "base")):
            metadata = events.StepEventMetadata(
                op=operation, urn=f"urn:pulumi:lab::p::t::{name}", type="t", provider=""
            )
            event = events.ResourcePreEvent(metadata=metadata)
            on_event(auto.EngineEvent(sequence=0, timestamp=0, resource_pre_event=event))
        raise command_error("stopped")

    pulumi_does(monkeypatch, work)
    with pytest.raises(LabError):
        stacks.up(DEV, Path("/checkout"))
    assert "✗ pulumi up --stack dev in checkout: create gateway (" in output.getvalue()


def test_a_killed_pulumi_that_nobody_has_reaped_holds_no_lock(tmp_path: Path) -> None:
    """It keeps its pid and its name until its parent asks for it, which may be never."""
    program = tmp_path / "pulumi"
    shutil.copy2("/bin/sleep", program)
    lock = tmp_path / "lock.json"
    process = subprocess.Popen([program, "60"])
    try:
        lock.write_text(json.dumps({"pid": process.pid}))
        assert _held(lock)
        process.kill()
        deadline = time.monotonic() + 5
        while _held(lock) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not _held(lock)
        assert process.returncode is None  # not reaped yet
    finally:
        process.kill()
        process.wait()


def test_a_lock_that_is_gone_meanwhile_is_no_error(tmp_path: Path) -> None:
    """Its pulumi has given it back between the listing and the reading."""
    assert not _held(tmp_path / "lock.json")


@pytest.mark.parametrize("text", ["", '{"pid"', "[]", '{"pid": "x"}'])
@pytest.mark.parametrize("runs", [True, False])
def test_a_half_written_lock_is_held_while_a_pulumi_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, runs: bool
) -> None:
    """It may be this pulumi's; with none left it is a killed one's."""
    monkeypatch.setattr("lab.stacks.stacks.psutil.pids", lambda: [7])
    monkeypatch.setattr("lab.stacks.stacks._is_pulumi", lambda pid: runs and pid == 7)
    lock = tmp_path / "lock.json"
    lock.write_text(text)
    assert _held(lock) is runs

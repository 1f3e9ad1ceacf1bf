import io
import json
import os
import shutil
import socket
import subprocess
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
from lab.stacks.stacks import DEV, Stacks

Up = Callable[..., object]
FILES = {
    "Pulumi.yaml": "name: mesh-app\nruntime: python\n",
    "Pulumi.dev.yaml": "# two versions\nconfig:\n  mesh-app:api: istio\n",
}


@pytest.fixture
def stacks(tmp_path: Path, progress: Progress) -> Stacks:
    """Stacks of a lab whose folders have names that a shell must quote, and a project."""
    places = Places(
        checkout=tmp_path / "my checkout", cache=tmp_path / "cache", state=tmp_path / "what's $HOME"
    )
    places.make()
    for file, text in FILES.items():
        (places.checkout / file).write_text(text)
    return Stacks(places=places, progress=progress)


def sourced(stacks: Stacks, command: str, variables: dict[str, str] | None = None) -> str:
    """Return what a command prints in a shell that has sourced `.lab/env`."""
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
    """Replace the stack's `up`; return the arguments of each selection."""
    selected: list[dict[str, object]] = []

    def select(**arguments: object) -> SimpleNamespace:
        selected.append(arguments)
        exported = SimpleNamespace(deployment=state)
        return SimpleNamespace(up=up, refresh=refresh, export_stack=lambda: exported)

    monkeypatch.setattr(auto, "select_stack", select)
    return selected


def command_error(stderr: str) -> auto.CommandError:
    """Return the exception that the Automation API raises if pulumi fails."""
    return auto.CommandError(CommandResult(stdout="", stderr=stderr, code=255))


def test_a_shell_that_sources_the_file_has_the_labs_variables(stacks: Stacks) -> None:
    """They are the ones that the lab itself passes to Pulumi, whatever characters are in them."""
    stacks.prepare()
    for name, value in stacks.variables.items():
        assert sourced(stacks, f'printf %s "${name}"') == value


def test_the_file_is_good_shell_and_its_owners_only(stacks: Stacks) -> None:
    """`bash -n` accepts it, and only its owner can read the path of the passphrase."""
    stacks.prepare()
    subprocess.run(["/bin/bash", "-n", stacks.places.environment], check=True)
    assert stacks.places.environment.stat().st_mode & 0o777 == 0o600


def test_the_labs_programs_come_first_on_path(stacks: Stacks) -> None:
    """Those of the checkout's Python follow, then the shell's own."""
    stacks.prepare()
    path = sourced(stacks, 'printf %s "$PATH"').split(":")
    checkout = stacks.places.checkout
    assert path == [str(checkout / ".lab/bin"), str(checkout / ".venv/bin"), "/usr/bin", "/bin"]


def test_the_shells_own_passphrase_is_not_used(stacks: Stacks) -> None:
    """Pulumi prefers the variable to the file: with both set, no stack of the lab could be opened."""
    stacks.prepare()
    show = 'printf %s "${PULUMI_CONFIG_PASSPHRASE-unset}"'
    assert sourced(stacks, show, {"PULUMI_CONFIG_PASSPHRASE": "mine"}) == "unset"


def test_everything_of_pulumis_is_the_labs_own(stacks: Stacks) -> None:
    """Backend, home and passphrase are in the state folder; the secret is no variable."""
    variables = stacks.variables
    state = str(stacks.places.state)
    for name in ("KUBECONFIG", "PULUMI_HOME", "PULUMI_CONFIG_PASSPHRASE_FILE"):
        assert variables[name].startswith(state)
    assert variables["PULUMI_BACKEND_URL"].startswith(f"file://{state}")
    assert "PULUMI_CONFIG_PASSPHRASE" not in variables


def test_the_passphrase_is_made_once(stacks: Stacks) -> None:
    """With another passphrase the stacks could not be opened; it is long, and only its owner can read it."""
    stacks.prepare()
    passphrase = stacks.places.passphrase.read_text()
    stacks.prepare()
    assert stacks.places.passphrase.read_text() == passphrase
    assert len(passphrase) > 40
    assert stacks.places.passphrase.stat().st_mode & 0o777 == 0o600
    assert stacks.variables["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(stacks.places.passphrase)


def test_folders_with_state_are_their_owners_only(stacks: Stacks) -> None:
    """A stack's state may hold secrets."""
    stacks.prepare()
    for name in ("backend", "home"):
        assert (stacks.places.pulumi / name).stat().st_mode & 0o777 == 0o700


def test_up_returns_the_outputs_and_shows_what_changed(
    stacks: Stacks, monkeypatch: pytest.MonkeyPatch, output: io.StringIO
) -> None:
    """The stack is selected with the lab's variables; unchanged resources are not counted."""
    result = SimpleNamespace(
        summary=SimpleNamespace(resource_changes={"create": 3, "same": 9}),
        outputs={"url": auto.OutputValue(value="http://127.0.0.1", secret=False)},
    )
    selected = pulumi_does(monkeypatch, lambda **_: result)
    assert stacks.up(DEV, stacks.places.checkout) == {"url": "http://127.0.0.1"}
    assert "✓ pulumi up --stack dev in my checkout: 3 create (" in output.getvalue()
    (arguments,) = selected
    assert (arguments["stack_name"], arguments["work_dir"]) == (DEV, str(stacks.places.checkout))
    options = arguments["opts"]
    assert isinstance(options, auto.LocalWorkspaceOptions)
    assert options.env_vars == stacks.variables


@pytest.mark.parametrize(("pending", "refreshes"), [([], 0), ([{"type": "creating"}], 1)])
def test_up_leaves_no_pending_operations(
    stacks: Stacks, monkeypatch: pytest.MonkeyPatch, pending: list[object], refreshes: int
) -> None:
    """A killed update leaves some, and `pulumi up` keeps them."""
    done: list[str] = []
    result = SimpleNamespace(summary=SimpleNamespace(resource_changes={}), outputs={})

    def up(**_: object) -> SimpleNamespace:
        done.append("up")
        return result

    def refresh(*, clear_pending_creates: bool, **_: object) -> None:
        assert clear_pending_creates
        done.append("refresh")

    pulumi_does(monkeypatch, up, state={"pending_operations": pending}, refresh=refresh)
    stacks.up(DEV, stacks.places.checkout)
    assert done == ["refresh"] * refreshes + ["up"]


@pytest.mark.parametrize("changes", [{"same": 12}, {}, None])
def test_up_reports_that_nothing_changed(
    stacks: Stacks,
    monkeypatch: pytest.MonkeyPatch,
    output: io.StringIO,
    changes: dict[str, int] | None,
) -> None:
    """A second `make up` prints `no change`."""
    result = SimpleNamespace(summary=SimpleNamespace(resource_changes=changes), outputs={})
    pulumi_does(monkeypatch, lambda **_: result)
    stacks.up(DEV, stacks.places.checkout)
    assert "dev in my checkout: no change (" in output.getvalue()


def test_a_failed_update_reports_pulumis_errors(stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has the errors of the resources, not the whole output, and the command to repeat it."""

    def fail(on_event: Callable[[auto.EngineEvent], None], **_: object) -> None:
        for severity in ("error", "warning"):
            event = events.DiagnosticEvent(
                message=f"{severity}: gateway\n\n  is not ready\n", color="", severity=severity
            )
            on_event(auto.EngineEvent(sequence=0, timestamp=0, diagnostic_event=event))
        raise command_error("exit status 255")

    pulumi_does(monkeypatch, fail)
    with pytest.raises(LabError) as issue:
        stacks.up(DEV, stacks.places.checkout)
    assert issue.value.what == f"`pulumi up --stack dev` failed in {stacks.places.checkout}"
    assert issue.value.evidence == "error: gateway\n  is not ready"
    assert issue.value.fix == "source .lab/env, then in that folder: pulumi up --stack dev"


def test_an_update_that_cannot_start_is_an_error_too(stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    """An incorrect passphrase is reported as Pulumi reports it."""

    def refuse(**_: object) -> None:
        raise command_error("error: incorrect passphrase")

    monkeypatch.setattr(auto, "select_stack", refuse)
    with pytest.raises(LabError) as issue:
        stacks.up(DEV, stacks.places.checkout)
    assert "incorrect passphrase" in issue.value.evidence


def test_the_resource_that_is_being_changed_is_shown(
    stacks: Stacks, monkeypatch: pytest.MonkeyPatch, output: io.StringIO
) -> None:
    """A resource that stays the same is not shown."""

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
        stacks.up(DEV, stacks.places.checkout)
    assert "✗ pulumi up --stack dev in my checkout: create gateway (" in output.getvalue()


def test_up_changes_no_stack_file_of_the_checkout(stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack is created, refreshed and updated with a copy, into which Pulumi writes the salt."""
    used: list[Path] = []

    def salted(*, config_file: str, show_secrets: bool, **_: object) -> SimpleNamespace:
        assert not show_secrets
        used.append(Path(config_file))
        assert used[-1].read_text().startswith(FILES["Pulumi.dev.yaml"])
        with used[-1].open("a") as file:
            file.write("encryptionsalt: v1:x\n")
        return SimpleNamespace(summary=SimpleNamespace(resource_changes={}), outputs={})

    def missing(**_: object) -> None:
        raise auto.StackNotFoundError(CommandResult(stdout="", stderr="no stack named 'dev' found", code=255))

    def create(*, work_dir: str, **_: object) -> None:
        pulumi_does(monkeypatch, salted, state={"pending_operations": [1]}, refresh=salted)
        salted(config_file=f"{work_dir}/Pulumi.dev.yaml", show_secrets=False)

    monkeypatch.setattr(auto, "select_stack", missing)
    monkeypatch.setattr(auto, "create_stack", create)
    stacks.up(DEV, stacks.places.checkout)
    assert len(used) == 3
    assert {file: (stacks.places.checkout / file).read_text() for file in FILES} == FILES


def note(stacks: Stacks, text: str) -> Path:
    """Write a lock of stack dev, as Pulumi does."""
    file = stacks.places.pulumi / "backend/.pulumi/locks/organization/mesh-app/dev/1.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def lock(pid: int, host: str) -> str:
    """Return the content of a lock."""
    holder = {"pid": pid, "username": "me", "hostname": host, "timestamp": "2026-12-01T02:00:00Z"}
    return json.dumps(holder)


@pytest.mark.parametrize("killed", [True, False])
def test_the_lock_of_a_killed_pulumi_is_removed(stacks: Stacks, tmp_path: Path, killed: bool) -> None:
    """That of a running one stays."""
    program = tmp_path / "pulumi"
    shutil.copy2("/bin/sleep", program)
    process = subprocess.Popen([program, "60"])
    try:
        if killed:
            process.kill()
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and is not reaped yet
        file = note(stacks, lock(process.pid, socket.gethostname()))
        stacks.prepare()
        assert file.exists() is not killed
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("text", ["", '{"pid"', lock(1, "another-host")])
def test_a_lock_of_unknown_state_stays(stacks: Stacks, text: str) -> None:
    """It cannot be read, or its holder is on another host: Pulumi reports it."""
    file = note(stacks, text)
    stacks.prepare()
    assert file.exists()


def test_a_provider_of_the_lab_without_its_pulumi_is_ended(stacks: Stacks) -> None:
    """One that is not from the lab's cache runs on."""
    providers = []
    for folder in (stacks.places.cache, stacks.places.state):
        program = folder / "pulumi-resource-kubernetes"
        shutil.copy2("/bin/sleep", program)
        providers.append(subprocess.Popen([program, "60"]))
    own, other = providers
    try:
        stacks.prepare()
        own.wait(5)
        assert other.poll() is None
    finally:
        for each in providers:
            each.kill()
            each.wait()

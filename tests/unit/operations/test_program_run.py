"""A program that runs in this process gets its own folder, modules and variables, and leaves none behind."""

import os
import pickle
import sys
from contextvars import copy_context
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from pulumi import automation as auto

from operations.pulumi_stack import stack
from operations.pulumi_stack.locks import StackLocked
from operations.pulumi_stack.program_run import InlineProgram, execute, program_environment, runs_in_process
from operations.pulumi_stack.project import Project

PROGRAM = """
import os, sys
import components.shop

print("printed by the program")
components.shop.SEEN += [os.getcwd(), os.environ["ADOPTS"], sys.path[0]]
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program with a package of the same name as one of operations'."""
    (tmp_path / "components").mkdir()
    (tmp_path / "components" / "__init__.py").write_text("")
    (tmp_path / "components" / "shop.py").write_text("SEEN: list[str] = []\n")
    (tmp_path / "__main__.py").write_text(PROGRAM)
    return tmp_path


def ran(program: Path) -> ModuleType:
    """Run it, and return the module that it has written to."""
    with program_environment(program, {"ADOPTS": "true"}):
        copy_context().run(execute, program)
        return sys.modules["components.shop"]


def test_it_gets_its_folder_modules_and_variables(program: Path) -> None:
    assert [str(program), "true", str(program)] == ran(program).SEEN


def test_each_run_loads_its_modules_again(program: Path) -> None:
    first = ran(program)
    assert ran(program) is not first


def test_this_process_is_as_before(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The modules that operations imported under the same names among it."""
    own = ModuleType("components")
    monkeypatch.setitem(sys.modules, "components", own)
    before = (Path.cwd(), list(sys.path), dict(os.environ), sys.stdout)
    ran(program)
    assert (Path.cwd(), list(sys.path), dict(os.environ), sys.stdout) == before
    assert sys.modules["components"] is own
    assert "components.shop" not in sys.modules


def test_what_it_prints_goes_to_standard_error(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Reports of the same time go to standard output."""
    with program_environment(program, {"ADOPTS": "true"}):
        copy_context().run(execute, program)
        sys.stdout.write("a report\n")
    assert tuple(capsys.readouterr()) == ("a report\n", "printed by the program\n")


@pytest.mark.parametrize(
    ("runtime", "runs"),
    [
        ({"name": "python", "options": {"virtualenv": ".venv"}}, True),
        ({"name": "python", "options": {"virtualenv": "other"}}, False),
        ({"name": "python", "options": {"toolchain": "uv"}}, False),
        ("nodejs", False),
    ],
)
def test_other_languages_and_environments_are_left_to_pulumi(
    program: Path, runtime: object, runs: bool
) -> None:
    (program / ".venv").symlink_to(sys.prefix)
    assert runs_in_process(Project(folder=program, settings={"runtime": runtime})) is runs


def test_the_python_of_the_path_serves_where_no_environment_is_named(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = Project(folder=program, settings={"runtime": "python"})
    monkeypatch.setenv("PATH", f"{sys.prefix}/bin")
    assert runs_in_process(python)
    monkeypatch.setenv("PATH", "/usr/bin")
    assert not runs_in_process(python)


def test_a_folder_without_a_main_module_is_left_to_pulumi(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{sys.prefix}/bin")
    (program / "__main__.py").unlink()
    assert not runs_in_process(Project(folder=program, settings={"runtime": "python"}))


def test_the_pulumi_command_runs_the_program_after_a_run_that_did_not_succeed(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cancelled run leaves servers of the SDK behind, at which every later run in this process fails."""
    (program / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    monkeypatch.setenv("PATH", f"{sys.prefix}/bin")
    monkeypatch.setattr(auto.LocalWorkspace, "select_stack", lambda *_: None)
    monkeypatch.setattr(stack, "installed", SimpleNamespace)
    pulumi = stack.PulumiStack(program, "dev", print, variables={"ADOPTS": "true"})
    runners: list[str] = []

    def up(**_: object) -> None:
        run = pulumi.stack.workspace.program
        runners.append("this process" if run else "pulumi")
        if run:
            copy_context().run(run)
        if len(runners) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(pulumi.stack, "up", up)
    monkeypatch.setattr(InlineProgram, "is_unfinished", False)
    pulumi.up()
    with pytest.raises(KeyboardInterrupt):
        pulumi.up()
    pulumi.up()
    assert runners == ["this process", "this process", "pulumi"]


def test_an_error_keeps_its_parts_between_processes() -> None:
    error = pickle.loads(pickle.dumps(StackLocked("locked", fix="wait", evidence="held")))  # noqa: S301
    assert (type(error), error.what, error.fix, error.evidence) == (StackLocked, "locked", "wait", "held")

"""Several drafts of a stack file are learnt in one process, and each as if it were the only one."""

from pathlib import Path

import pytest

from operations.errors import OperationError
from operations.pulumi_stack.program import learn_each
from operations.pulumi_stack.program_run import InlineProgram
from operations.pulumi_stack.project import Project

PROGRAM = """
import pulumi
import counted

counted.RUNS.append(pulumi.Config().require("word"))
pulumi.export("runs", counted.RUNS)
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A program with a module whose state lasts as long as the module is loaded."""
    (tmp_path / "Pulumi.yaml").write_text("name: counting\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(PROGRAM)
    (tmp_path / "counted.py").write_text("RUNS: list[str] = []\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(config("as it is"))
    return Project.at(tmp_path)


def config(word: str) -> str:
    return f"config: {{counting:word: {word}}}\n"


def test_no_run_finds_anything_of_another(project: Project) -> None:
    """What the program's own modules keep is gone with each run; the answers come in the drafts' order."""
    drafts = [project, *(project.with_draft("dev", config(word)) for word in ("first", "second"))]
    answers = [each.outputs["runs"] for each in learn_each(drafts, "dev")]
    assert answers == [["as it is"], ["first"], ["second"]]


def test_a_draft_that_the_program_refuses_is_told(project: Project) -> None:
    """With the stack file's name and the program's own words, whatever the others say."""
    drafts = [project, project.with_draft("dev", "config: {}\n")]
    with pytest.raises(OperationError, match=r"Pulumi\.dev\.yaml: .*counting:word"):
        learn_each(drafts, "dev")


@pytest.mark.parametrize("failure", ["raise SystemExit(0)", "raise ValueError('no')"])
def test_a_program_that_ends_or_fails_gives_an_error(project: Project, failure: str) -> None:
    """And does not end the process of the operation."""
    (project.folder / "__main__.py").write_text(failure)
    with pytest.raises(OperationError, match=r"Pulumi\.dev\.yaml: the program fails"):
        learn_each([project], "dev")


def test_a_process_whose_last_update_was_cancelled_asks_another(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(InlineProgram, "is_unfinished", True)
    assert learn_each([project], "dev")[0].outputs["runs"] == ["as it is"]
    with pytest.raises(OperationError, match=r"Pulumi\.dev\.yaml: .*counting:word"):
        learn_each([project.with_draft("dev", "config: {}\n")], "dev")

"""The stack file as it was last deployed: what a rollback is made of where the file itself fails."""

import errno
import tempfile
from pathlib import Path

import pytest
import yaml

from operations.canary.deploy.manual_rollback import commands
from operations.canary.stack_file import deployed_copy
from operations.canary.stack_file.deployed_copy import DeployedCopy, stored
from operations.canary.stack_file.edit import set_traffic
from operations.canary.traffic import Traffic
from operations.errors import OperationError
from operations.pulumi_stack.program import learn
from operations.pulumi_stack.project import Project
from operations.pulumi_stack.services import services_of
from tests.unit.operations.projects import project
from tests.unit.stacks import WALKTHROUGH

STEP = Traffic(weights={"v1": 90, "v2": 10}, route={"name": "canary", "headers": {"x": "y"}, "to": "v2"})
BACK = Traffic(weights={"v1": 100, "v2": 0})
CONFLICT = "<<<<<<< HEAD\n"


@pytest.fixture
def own(tmp_path: Path) -> Project:
    """A project with the walkthrough's stack."""
    folder = tmp_path / "project"
    folder.mkdir()
    return project(folder, "dev", WALKTHROUGH)


@pytest.fixture
def copy(own: Project, tmp_path: Path) -> DeployedCopy:
    """Its copy, after a step was written and deployed."""
    (tmp_path / "record").mkdir(mode=0o700)
    made = DeployedCopy(project=own, stack="dev", service="springbootapp", folder=tmp_path / "record")
    made.begin()
    set_traffic(own, "dev", "springbootapp", STEP)
    made.write()
    made.deploy()
    return made


def weights(text: str) -> object:
    """Read the weights of a stack file."""
    return yaml.safe_load(text)["config"]["mesh-app:weights"]


def test_the_stack_file_itself_is_taken_while_it_is_good(copy: DeployedCopy) -> None:
    """No copy, no other file."""
    with copy.file() as config:
        assert config is None


@pytest.mark.parametrize("spoil", ["conflict", "delete", "other"])
def test_a_rollback_needs_no_stack_file(copy: DeployedCopy, own: Project, spoil: str) -> None:
    """Conflict markers, another branch: the text that was last deployed, with the weights of before."""
    file = own.stack_file("dev")
    if spoil == "delete":
        file.unlink()
    else:
        file.write_text(CONFLICT + file.read_text() if spoil == "conflict" else "config: {}\n")
    with pytest.raises(Exception, match=r".+"):
        set_traffic(own, "dev", "springbootapp", STEP)
    change = copy.use(BACK)
    assert change == (
        "in Pulumi.dev.yaml: set mesh-app:weights of springbootapp to {v1: 100, v2: 0}, "
        "delete the route named canary"
    )
    with copy.file() as config:
        assert config
        text = config.read_text()
    assert weights(text) == {"v1": 100, "v2": 0}
    assert "mesh-app:routes" not in yaml.safe_load(text)["config"]
    assert not config.exists()


def test_what_never_deployed_is_no_copy(copy: DeployedCopy, own: Project) -> None:
    """A step whose update fails, for whatever else was written into the file meanwhile."""
    file = own.stack_file("dev")
    file.write_text(file.read_text().replace("42", "nope"))
    copy.write()
    copy.use(BACK)
    with copy.file() as config:
        assert config
        assert "nope" not in config.read_text()


def test_it_outlives_the_process(copy: DeployedCopy, own: Project, tmp_path: Path) -> None:
    """`--abort` after a kill has it, for its owner alone."""
    again = DeployedCopy(project=own, stack="dev", service="springbootapp", folder=tmp_path / "record")
    again.resume()
    assert again.deployed == copy.deployed == stored(tmp_path / "record")
    assert (tmp_path / "record/stack.yaml").stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_good_again_is_taken_again(copy: DeployedCopy) -> None:
    """From its next step on."""
    copy.use(BACK)
    copy.write()
    with copy.file() as config:
        assert config is None


def test_a_full_disk_leaves_other_folders(copy: DeployedCopy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporary files, or memory; with no room anywhere that is told."""
    real = tempfile.mkstemp

    def full(*, dir: Path, prefix: str, suffix: str) -> tuple[int, str]:  # noqa: A002
        if dir in full_folders:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(dir=dir, prefix=prefix, suffix=suffix)

    monkeypatch.setattr(tempfile, "mkstemp", full)
    full_folders = {copy.folder}
    copy.use(BACK)
    with copy.file() as config:
        assert config
        assert config.parent == Path(tempfile.gettempdir())
    full_folders |= {Path(tempfile.gettempdir()), deployed_copy.MEMORY}
    with pytest.raises(OSError, match="no room for a copy"), copy.file():
        pass


def test_without_a_copy_there_is_none(own: Project, tmp_path: Path) -> None:
    """As of a canary that another program began."""
    none = DeployedCopy(project=own, stack="dev", service="springbootapp", folder=tmp_path)
    none.resume()
    with pytest.raises(OperationError, match="no copy"):
        none.use(BACK)


def test_a_person_can_move_the_routes_without_pulumi(copy: DeployedCopy, own: Project) -> None:
    """By a command that has the whole of what the program declares with the weights of before."""
    own.stack_file("dev").unlink()
    copy.use(BACK)
    draft = own.with_draft("dev", copy.draft or "")
    (service,) = services_of(learn(draft, "dev"))
    lines = commands(draft, "dev", service, "lab")
    assert lines
    assert all(
        each.startswith("kubectl --context lab -n springistiodemo patch virtualservice") for each in lines
    )
    assert '"subset": "v2"}, "weight": 0}' in lines[0]

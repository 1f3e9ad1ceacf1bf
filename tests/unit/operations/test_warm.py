"""A language host that stands ready serves what the program is now, or nothing."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from operations.pulumi_stack.project import Project
from operations.warm.helper import imported
from operations.warm.host import Host, Hosts, interpreter


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program with a module of its own."""
    (tmp_path / "own.py").write_text("NAME = 'one'\n")
    (tmp_path / "__main__.py").write_text("import own\n\nraise SystemExit(own.NAME)\n")
    return tmp_path


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine imports take longer than an update would wait for them."""
    monkeypatch.setattr("operations.warm.host.READY_SECONDS", 60)


@pytest.fixture
def host(program: Path) -> Iterator[Host]:
    host = Host(sys.executable, program)
    yield host
    host.end()


def test_a_host_is_reached_on_loopback_once_it_has_imported_what_the_program_imports(host: Host) -> None:
    address = host.address()
    assert address
    assert address.startswith("127.0.0.1:")


def test_a_host_whose_program_was_edited_since_is_not_used(program: Path, host: Host) -> None:
    assert host.address()
    (program / "own.py").write_text("NAME = 'two'\n")
    assert host.address() is None


def test_a_host_of_a_program_that_cannot_be_imported_is_not_used(program: Path) -> None:
    (program / "own.py").write_text("raise ValueError\n")
    host = Host(sys.executable, program)
    assert host.address() is None
    host.end()


def test_a_host_serves_one_update(program: Path) -> None:
    settings = "name: own\nruntime: {name: python, options: {virtualenv: .venv}}\n"
    (program / "Pulumi.yaml").write_text(settings)
    (program / ".venv").symlink_to(sys.prefix)
    hosts = Hosts(Project.at(program))
    assert hosts.take() is None
    hosts.prepare()
    taken = hosts.take()
    assert taken
    assert hosts.take() is None
    taken[0].end()


def test_imports_are_those_at_the_top_of_the_program() -> None:
    text = "import a.b, c\nfrom d import e\nfrom . import f\n\n\ndef later():\n    import g\n"
    assert imported(text) == ["a.b", "c", "d"]


@pytest.mark.parametrize(
    ("runtime", "python"),
    [
        ({"name": "python", "options": {"virtualenv": ".venv"}}, "/project/.venv/bin/python"),
        ({"name": "python", "options": {"toolchain": "uv"}}, None),
        ("nodejs", None),
    ],
)
def test_the_program_runs_in_the_python_that_pulumi_takes(runtime: object, python: str | None) -> None:
    assert interpreter(Project(folder=Path("/project"), settings={"runtime": runtime})) == python

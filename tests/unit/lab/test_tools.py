import subprocess
import sys
from pathlib import Path

import pytest

from lab.build import tools
from lab.build.go import GoBuilder
from lab.build.parts import CLI, PROVIDER, PROVIDER_VERSION, PULUMI
from lab.build.tools import LANGUAGE_HOST, PROVIDER_NAME, Tool, choose, install
from lab.places import Places
from lab.progress import Progress
from tests.unit.lab.conftest import Programs


def chosen() -> dict[str, Tool]:
    """What is chosen for each name."""
    return {tool.name: tool for tool in choose()}


def home(programs: Programs) -> Path:
    """The user's home folder."""
    return programs.folder.parent / "home"


def provider(version: str) -> str:
    """A script that is a provider of a version."""
    return f"exec {sys.executable} {Path(__file__).with_name('provider.py')} {version}"


@pytest.fixture
def builder(places: Places, progress: Progress) -> GoBuilder:
    """A builder that has built everything before, so that none of it takes Go."""
    built = GoBuilder(cache=places.cache, progress=progress)
    for part, name in ((CLI, "pulumi"), (PROVIDER, PROVIDER_NAME)):
        built.directory(part).mkdir(parents=True)
        (built.directory(part) / name).write_text(f"built {name}")
    places.make()
    return built


def test_a_machine_without_pulumi_gets_what_is_built(programs: Programs) -> None:
    """Nothing on PATH, nothing in ~/.pulumi: all three are the lab's, with the reason."""
    assert programs.calls == []
    found = chosen()
    assert [tool.path for tool in found.values()] == [None, None, None]
    assert found["pulumi"].reason == f"{PULUMI}, built: none on PATH or in ~/.pulumi/bin"
    assert found[PROVIDER_NAME].reason == f"{PROVIDER_VERSION}, built: none on PATH or in ~/.pulumi"
    assert found[LANGUAGE_HOST].reason == "the lab's own (lab/stacks/language_host.py)"


@pytest.mark.parametrize("version", [PULUMI, "v3.999.0", "v3.999.0-alpha.1", PULUMI.removeprefix("v")])
def test_the_users_pulumi_is_used_where_it_fits(programs: Programs, version: str) -> None:
    """The pinned release or a later one of the same major; its version and path are printed."""
    path = programs.add("pulumi", f"[ $1 = version ] && echo {version}")
    assert chosen()["pulumi"] == Tool(name="pulumi", path=path, reason=f"yours at {path}, {version}")


@pytest.mark.parametrize(
    ("script", "printed"),
    [
        ("echo v3.245.9", "v3.245.9"),
        ("echo v2.999.0", "v2.999.0"),
        ("echo v4.0.0", "v4.0.0"),
        ("echo no idea", "of no version"),
        ("exit 1", "of no version"),
    ],
)
def test_a_pulumi_that_does_not_fit_is_named_with_its_version(
    programs: Programs, script: str, printed: str
) -> None:
    """One that is too old, of another major, or without a version is not used, and the reason is printed."""
    path = programs.add("pulumi", script)
    tool = chosen()["pulumi"]
    assert tool.path is None
    assert tool.reason == f"{PULUMI}, built: yours at {path} is {printed}, not {PULUMI} or a later v3"


def test_pulumis_own_installation_is_found_without_path(programs: Programs) -> None:
    """Its installer puts it into ~/.pulumi/bin, which not every shell has on PATH."""
    path = programs.add("pulumi", f"echo {PULUMI}", home(programs) / ".pulumi/bin")
    assert chosen()["pulumi"].path == path


def test_behind_an_old_pulumi_a_new_one_is_found(programs: Programs) -> None:
    """A distribution's old one on PATH does not hide the user's own."""
    programs.add("pulumi", "echo v3.100.0")
    path = programs.add("pulumi", f"echo {PULUMI}", home(programs) / ".pulumi/bin")
    assert chosen()["pulumi"].path == path


def test_behind_the_labs_pulumi_the_users_is_found(
    programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell that has sourced `.lab/env` of any checkout chooses as any other."""
    own = tmp_path / "checkout/.lab/bin"
    programs.add("pulumi", f"echo {PULUMI}", own)
    monkeypatch.setenv("PATH", f"{own}:{programs.folder}")
    assert chosen()["pulumi"].path is None
    path = programs.add("pulumi", f"echo {PULUMI}")
    assert chosen()["pulumi"].path == path


def test_what_is_not_executable_is_no_program(programs: Programs) -> None:
    """Nor is a folder of that name."""
    programs.add("pulumi", f"echo {PULUMI}").chmod(0o644)
    (home(programs) / ".pulumi/bin/pulumi").mkdir(parents=True)
    assert chosen()["pulumi"].reason.endswith("none on PATH or in ~/.pulumi/bin")


def test_a_pulumi_that_hangs_is_not_waited_for(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any file of that name on PATH is no error."""
    monkeypatch.setattr(tools, "ANSWER_SECONDS", 0.1)
    programs.add("pulumi", "exec sleep 60")
    programs.add(PROVIDER_NAME, "exec sleep 60")
    found = chosen()
    assert "is of no version" in found["pulumi"].reason
    assert "is of no version" in found[PROVIDER_NAME].reason


@pytest.mark.parametrize("version", [PROVIDER_VERSION, f"v{PROVIDER_VERSION}"])
def test_the_users_provider_is_used_where_it_is_the_sdks(programs: Programs, version: str) -> None:
    """It is queried as the engine does, because it has no option for its version."""
    folder = home(programs) / f".pulumi/plugins/resource-kubernetes-v{PROVIDER_VERSION}"
    path = programs.add(PROVIDER_NAME, provider(version), folder)
    assert chosen()[PROVIDER_NAME] == Tool(
        name=PROVIDER_NAME, path=path, reason=f"yours at {path}, {version}"
    )


@pytest.mark.parametrize(
    ("script", "printed"),
    [(provider("4.24.1"), "4.24.1"), ("echo usage", "of no version"), ("echo 1", "of no version")],
)
def test_another_provider_is_named_with_its_version(programs: Programs, script: str, printed: str) -> None:
    """The SDK takes its own release only; one that does not answer as a provider is none."""
    path = programs.add(PROVIDER_NAME, script)
    tool = chosen()[PROVIDER_NAME]
    assert tool.path is None
    assert tool.reason == (
        f"{PROVIDER_VERSION}, built: yours at {path} is {printed}, the SDK needs {PROVIDER_VERSION}"
    )


def test_the_language_host_is_the_one_beside_the_cli(programs: Programs, tmp_path: Path) -> None:
    """Also behind a link; one beside a CLI that is not used would be of another release."""
    installed = tmp_path / "opt/pulumi"
    programs.add("pulumi", f"echo {PULUMI}", installed)
    host = programs.add(LANGUAGE_HOST, "exit 0", installed)
    (programs.folder / "pulumi").symlink_to(installed / "pulumi")
    assert chosen()[LANGUAGE_HOST].path == host
    programs.add("pulumi", "echo v3.1.0", installed)
    assert chosen()[LANGUAGE_HOST].path is None


def test_what_is_built_is_linked_where_pulumi_finds_it_first(
    programs: Programs, places: Places, builder: GoBuilder
) -> None:
    """The CLI with its language host beside it, the provider among the plugins of the lab."""
    assert programs.calls == []
    install(choose(), places, builder)
    plugin = places.pulumi / f"home/plugins/resource-kubernetes-v{PROVIDER_VERSION}" / PROVIDER_NAME
    assert (places.binaries / "pulumi").read_text() == "built pulumi"
    assert not (places.binaries / "pulumi").is_symlink(), "the engine follows links to find its hosts"
    assert plugin.read_text() == f"built {PROVIDER_NAME}"
    host = (places.binaries / LANGUAGE_HOST).read_text()
    assert (
        f"{places.checkout / '.venv/bin/python'} -P {places.checkout / 'lab/stacks/language_host.py'}" in host
    )
    subprocess.run(["/bin/sh", "-n", places.binaries / LANGUAGE_HOST], check=True)
    assert (places.binaries / LANGUAGE_HOST).stat().st_mode & 0o777 == 0o700


def test_the_users_own_are_linked(programs: Programs, places: Places, builder: GoBuilder) -> None:
    """Nothing of the user's is copied or changed: an update of theirs is one of the lab's too."""
    cli = programs.add("pulumi", f"echo {PULUMI}")
    host = programs.add(LANGUAGE_HOST, "exit 0")
    install(choose(), places, builder)
    assert (places.binaries / "pulumi").readlink() == cli
    assert (places.binaries / LANGUAGE_HOST).readlink() == host


def test_installing_again_changes_with_the_choice(
    programs: Programs, places: Places, builder: GoBuilder
) -> None:
    """From the built one to the user's and back; the same one is not copied a second time."""
    install(choose(), places, builder)
    copied = (places.binaries / "pulumi").stat().st_ino
    install(choose(), places, builder)
    assert (places.binaries / "pulumi").stat().st_ino == copied
    cli = programs.add("pulumi", f"echo {PULUMI}")
    install(choose(), places, builder)
    assert (places.binaries / "pulumi").readlink() == cli
    cli.unlink()
    install(choose(), places, builder)
    assert (places.binaries / "pulumi").read_text() == "built pulumi"
    assert not cli.exists()

import os
from pathlib import Path

import pytest

from lab.build import debian
from lab.build.debian import Packages, environment
from lab.errors import LabError
from lab.progress import Progress
from tests.unit.lab.conftest import Programs

TWO = ("iptables", "runc")

DOWNLOAD = 'shift 2; for name; do echo > "${name}_1_amd64.deb"; done'
"""What `apt-get --quiet download NAMES` does: a file for each, in the current folder."""

EXTRACT = 'mkdir -p "$3/usr/sbin"; touch "$3/usr/sbin/of-$(basename "$2" _1_amd64.deb)"'
"""What `dpkg-deb --extract ARCHIVE FOLDER` does."""


@pytest.fixture
def packages(tmp_path: Path, progress: Progress) -> Packages:
    """An empty cache."""
    return Packages(cache=tmp_path / "cache", progress=progress)


def test_packages_are_unpacked_once_and_not_installed(packages: Packages, programs: Programs) -> None:
    """They are downloaded and extracted into the cache, and the downloads go; there is no second time."""
    programs.add_recorder("apt-get", DOWNLOAD)
    programs.add_recorder("dpkg-deb", EXTRACT)
    root = packages.unpack("node", TWO)
    assert root == packages.directory("node", TWO)
    assert {"of-iptables", "of-runc"} <= {path.name for path in (root / "usr/sbin").iterdir()}
    assert [path.name for path in root.iterdir()] == ["usr"]
    assert [call.split()[:3] for call in programs.calls] == [
        ["apt-get", "--quiet", "download"],
        ["dpkg-deb", "--extract", f"{root}.part/downloads/iptables_1_amd64.deb"],
        ["dpkg-deb", "--extract", f"{root}.part/downloads/runc_1_amd64.deb"],
    ]
    before = programs.calls
    assert packages.unpack("node", TWO) == root
    assert programs.calls == before


def test_iptables_has_the_names_it_is_called_by(packages: Packages, programs: Programs) -> None:
    """Debian makes these links at installation, which never happens here."""
    programs.add("apt-get", DOWNLOAD)
    programs.add("dpkg-deb", EXTRACT)
    root = packages.unpack("node", TWO)
    for name in ("iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore"):
        assert (root / "usr/sbin" / name).readlink() == Path("xtables-nft-multi")


def test_names_of_iptables_come_with_it_alone(packages: Packages, programs: Programs) -> None:
    """Packages that are unpacked for another purpose get no links that lead nowhere."""
    programs.add("apt-get", DOWNLOAD)
    programs.add("dpkg-deb", EXTRACT)
    root = packages.unpack("browser", ("chromium-headless-shell",))
    assert [path.name for path in (root / "usr/sbin").iterdir()] == ["of-chromium-headless-shell"]


def test_another_list_of_packages_takes_the_place_of_the_old(packages: Packages, programs: Programs) -> None:
    """Each set has a folder named by its list; a set under another name stays."""
    programs.add("apt-get", DOWNLOAD)
    programs.add("dpkg-deb", EXTRACT)
    old, proxy = packages.unpack("node", ("runc",)), packages.unpack("proxy", ("runc",))
    new = packages.unpack("node", ("runc", "conntrack"))
    assert old.name.split("-")[0] == new.name.split("-")[0]
    assert sorted(path.name for path in new.parent.iterdir()) == sorted([new.name, proxy.name])


def test_a_new_machine_without_package_lists(packages: Packages, programs: Programs) -> None:
    """When apt finds no package, its lists are fetched, and it is asked again."""
    lists = programs.folder / "lists"
    programs.add_recorder(
        "apt-get",
        f'case "$2" in\nupdate) touch {lists};;\n'
        f'*) [ -e {lists} ] || {{ echo "E: Unable to locate package" >&2; exit 100; }}\n{DOWNLOAD};;\nesac',
    )
    programs.add("dpkg-deb", EXTRACT)
    packages.unpack("node", TWO)
    assert [call.split()[2] for call in programs.calls] == ["download", "update", "download"]


@pytest.mark.parametrize("missing", ["apt-get", "dpkg-deb"])
def test_a_machine_without_debians_tools(packages: Packages, programs: Programs, missing: str) -> None:
    """On another distribution the message names what the lab needs."""
    if missing == "dpkg-deb":
        programs.add("apt-get", DOWNLOAD)
    with pytest.raises(LabError) as issue:
        packages.unpack("node", TWO)
    assert issue.value.what.startswith(f"{missing} cannot be run")
    assert "Debian 12" in issue.value.fix
    assert list((packages.cache / "debian").iterdir()) == []


def test_a_download_refused(packages: Packages, programs: Programs) -> None:
    """The output of apt is shown, and no half unpacked folder is left."""
    programs.add("apt-get", 'echo "Err:1 403 Forbidden"; echo "E: Failed to fetch" >&2; exit 100')
    with pytest.raises(LabError) as issue:
        packages.unpack("node", TWO)
    assert issue.value.what == "`apt-get --quiet update …` failed; nothing was unpacked"
    assert issue.value.evidence == "Err:1 403 Forbidden\nE: Failed to fetch"
    assert "apt-get update" in issue.value.fix
    assert list((packages.cache / "debian").iterdir()) == []


def test_a_full_disk(packages: Packages, programs: Programs) -> None:
    """The set that was there before is not lost by it."""
    programs.add("apt-get", DOWNLOAD)
    programs.add("dpkg-deb", EXTRACT)
    before = packages.unpack("node", ("runc",))
    programs.add("dpkg-deb", 'echo "tar: No space left on device" >&2; exit 2')
    with pytest.raises(LabError, match=r"dpkg-deb --extract .* failed; nothing was unpacked"):
        packages.unpack("node", TWO)
    assert list(before.parent.iterdir()) == [before]


def test_programs_find_what_was_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands, libraries and iptables' plugins under the root come before the machine's own."""
    (tmp_path / "usr/lib/x86_64-linux-gnu/xtables").mkdir(parents=True)
    (tmp_path / "lib/x86_64-linux-gnu").mkdir(parents=True)
    variables = environment(tmp_path)
    path = variables["PATH"].split(os.pathsep)
    assert path[:2] == [str(tmp_path / "usr/sbin"), str(tmp_path / "usr/bin")]
    assert {"/usr/sbin", "/sbin", "/bin"} <= set(path)
    assert variables["LD_LIBRARY_PATH"].split(os.pathsep) == [
        str(tmp_path / "lib/x86_64-linux-gnu"),
        str(tmp_path / "usr/lib/x86_64-linux-gnu"),
    ]
    assert variables["XTABLES_LIBDIR"] == str(tmp_path / "usr/lib/x86_64-linux-gnu/xtables")
    monkeypatch.setenv("PATH", "/another/shell")
    assert environment(tmp_path) == variables


def test_where_nothing_is_unpacked_the_machines_own_are_found(tmp_path: Path) -> None:
    """`make down` has a PATH also when the cache is gone."""
    assert "/usr/sbin" in environment(tmp_path / "gone")["PATH"].split(os.pathsep)


def test_every_package_is_named_once() -> None:
    """A sorted list makes short diffs."""
    for names in (debian.NODE, debian.PROXY):
        assert list(names) == sorted(set(names))

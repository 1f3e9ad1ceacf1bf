import re
from pathlib import Path

import pytest

from lab.build import parts
from lab.build.parts import MODULES, Part

ROOT = Path(__file__).parents[3]
ALL = (
    parts.KUBE,
    parts.COREDNS,
    parts.ISTIO,
    parts.PROVIDER,
    parts.CLI,
    parts.APPS,
    parts.LOAD,
    parts.PROMETHEUS,
)


@pytest.fixture
def part(tmp_path: Path) -> Part:
    """A part of a small module."""
    (tmp_path / "main.go").write_text("package main")
    (tmp_path / "go.mod").write_text("module demo\n")
    (tmp_path / "go.sum").write_text("example.com/a v1.0.0 h1:AAAA=\n")
    return Part(name="demo", directory=tmp_path, packages=("./demo",))


def pinned(package: str) -> str:
    """The version that requirements.txt pins."""
    found = re.search(rf"^{package}==(\S+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert found is not None, f"requirements.txt does not pin {package}"
    return found[1]


def requirement(part: Part, module: str) -> str:
    """The version at which a part's go.mod requires a module."""
    found = re.search(
        rf"^(?:require |\t){module} (v\S+)", (part.directory / "go.mod").read_text(), re.MULTILINE
    )
    assert found is not None, f"go.mod requires no {module}"
    return found[1]


def test_the_same_is_not_built_again(part: Part) -> None:
    """The key depends on the content, not on times or on the checkout's folder."""
    before = part.key
    (part.directory / "main.go").touch()
    (part.directory / "README.md").write_text("not built")
    assert part.key == before


@pytest.mark.parametrize("name", ["go.sum", "go.mod", "main.go", "deeper/other.go"])
def test_a_change_of_what_is_built_changes_the_key(part: Part, name: str) -> None:
    """Another checksum, requirement or source is another binary."""
    before = part.key
    path = part.directory / name
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        file.write("\n// changed\n")
    assert part.key != before


def test_a_source_under_another_name_changes_the_key(part: Part) -> None:
    """Go decides by the name what is built for which system."""
    before = part.key
    (part.directory / "main.go").rename(part.directory / "main_windows.go")
    assert part.key != before


@pytest.mark.parametrize(
    "change", [{"stamp": "-X main.version=2"}, {"packages": ("./demo", "./more")}, {"tags": ("small",)}]
)
def test_a_change_of_how_it_is_built_changes_the_key(part: Part, change: dict[str, str]) -> None:
    """Another version stamp or another list of commands is another build."""
    other = Part(**{"name": "demo", "directory": part.directory, "packages": part.packages, **change})  # type: ignore[arg-type]  # fields as given
    assert other.key != part.key


def test_a_changed_compiler_flag_changes_the_key(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    """Binaries with other flags are not taken for these."""
    before = part.key
    monkeypatch.setattr(parts, "COMPILER_FLAGS", "")
    assert part.key != before


def test_pulumi_is_the_sdks_release() -> None:
    """The CLI that is built, its go.mod and the SDK in requirements.txt are of one release."""
    assert f"v{pinned('pulumi')}" == parts.PULUMI
    assert requirement(parts.CLI, "github.com/pulumi/pulumi/pkg/v3") == parts.PULUMI
    assert parts.PULUMI in " ".join(parts.CLI.flags)


def test_the_provider_is_the_sdks_release() -> None:
    """The provider reports the version of pulumi-kubernetes, or the engine would not accept it."""
    told = re.search(r'const version = "(.*)"', (MODULES / "cluster/provider/main.go").read_text())
    assert told is not None
    assert told[1] == pinned("pulumi-kubernetes") == parts.PROVIDER_VERSION


def test_kubernetes_is_the_modules_release() -> None:
    """What the binaries say of themselves is what they are."""
    assert requirement(parts.KUBE, "k8s.io/kubernetes") == parts.KUBERNETES
    assert f"gitVersion={parts.KUBERNETES}" in " ".join(parts.KUBE.flags)
    assert f"gitMinor={parts.KUBERNETES.split('.')[1]}" in " ".join(parts.KUBE.flags)


def test_prometheus_is_the_modules_release() -> None:
    """3.13.5 is the module's v0.313.5, and the version that the binary reports."""
    major, minor, patch = parts.PROMETHEUS_VERSION.split(".")
    version = f"v0.{major}{minor}.{patch}"
    assert requirement(parts.PROMETHEUS, "github.com/prometheus/prometheus") == version
    assert f"Version={parts.PROMETHEUS_VERSION}" in " ".join(parts.PROMETHEUS.flags)


def test_kubernetes_has_all_its_names() -> None:
    """Each name that the one binary answers to is a link of the part, and no other."""
    source = (MODULES / "cluster/kube/main.go").read_text()
    assert sorted(parts.KUBE.links) == sorted({*re.findall(r'"(kube-[a-z-]+|kubelet|kubectl)"', source)})


@pytest.mark.parametrize("part", ALL, ids=lambda part: part.binaries[0])
def test_every_part_has_pinned_sources(part: Part) -> None:
    """Main packages of this repository are there; for those of others go.sum holds the checksums."""
    assert (part.directory / "go.mod").is_file()
    for package in part.packages:
        if package.startswith("./"):
            assert list((part.directory / package).glob("*.go")), package
        else:
            module = "/".join(package.split("/")[: 4 if "pulumi" in package else 3])
            assert (
                f"{module.removesuffix('/pilot').removesuffix('/istioctl')}"
                in (part.directory / "go.sum").read_text()
            )


def test_no_two_parts_share_a_name() -> None:
    """The first binary names the folder in the cache, and all of them what is called."""
    assert len({part.binaries[0] for part in ALL}) == len(ALL)
    names = [name for part in ALL for name in (*part.binaries, *part.links)]
    assert len(set(names)) == len(names)

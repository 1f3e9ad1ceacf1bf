import shutil
from pathlib import Path

import pytest

from lab.build import kiali_web
from lab.build.go import GoBuilder
from lab.errors import LabError
from lab.progress import Progress
from tests.unit.lab.conftest import Programs

NODE = "echo v20.20.2"
BUILD = 'case "$*" in --version) echo v20.20.2;; *build) mkdir build; echo page > build/index.html;; esac'
"""What `node` does when it is asked for its version, runs yarn, or runs the build."""


@pytest.fixture
def builder(tmp_path: Path, progress: Progress, monkeypatch: pytest.MonkeyPatch) -> GoBuilder:
    """A builder with an empty cache, and Kiali's module as Go unpacks it."""
    module = tmp_path / "module"
    (module / "frontend").mkdir(parents=True)
    (module / "frontend/yarn.lock").touch()
    monkeypatch.setattr(GoBuilder, "module", lambda *_: module)
    return GoBuilder(cache=tmp_path / "cache", progress=progress)


def test_it_is_built_once(builder: GoBuilder, programs: Programs) -> None:
    """From pinned packages, none of which runs a script; only the result stays."""
    programs.add_recorder("npm")
    programs.add_recorder("node", BUILD)
    folder = kiali_web.build(builder)
    assert folder == kiali_web.directory(builder.cache)
    assert [path.name for path in folder.iterdir()] == ["index.html"]
    assert "npm ci --ignore-scripts" in programs.calls
    (install,) = [call for call in programs.calls if "yarn.js" in call]
    assert install.endswith("install --frozen-lockfile --ignore-scripts")
    assert [path.name for path in builder.cache.iterdir()] == ["web"]
    before = programs.calls
    assert kiali_web.build(builder) == folder
    assert programs.calls == before


def test_an_older_one_goes(builder: GoBuilder, programs: Programs) -> None:
    """Another Kiali has another web interface."""
    old = builder.cache / "web/kiali-0123456789abcdef"
    old.mkdir(parents=True)
    programs.add("npm", "")
    programs.add("node", BUILD)
    kiali_web.build(builder)
    assert not old.exists()


@pytest.mark.parametrize(
    ("node", "npm", "printed"),
    [
        (None, "", "No such file or directory: 'node'"),
        (NODE, None, "No such file or directory: 'npm'"),
        ("echo v18.20.4", "", "prints 'v18.20.4'; Kiali's web interface needs Node.js 20 or newer"),
        ("echo strange", "", "prints 'strange'"),
        ("exit 1", "", "returned non-zero exit status 1"),
    ],
)
def test_a_missing_or_old_node_is_reported_first(
    builder: GoBuilder, programs: Programs, node: str | None, npm: str | None, printed: str
) -> None:
    """With the fix, before anything is downloaded."""
    for name, script in (("node", node), ("npm", npm)):
        if script is not None:
            programs.add(name, script)
    with pytest.raises(LabError) as told:
        kiali_web.build(builder)
    assert printed in told.value.what
    assert told.value.fix == "install Node.js 20 or newer with npm and put both on PATH, then: make observe"
    assert not builder.cache.exists()


def test_a_refused_package_leaves_nothing(builder: GoBuilder, programs: Programs) -> None:
    """The next build starts from the beginning; the message has the last lines."""
    programs.add("node", NODE)
    programs.add("npm", 'case "$*" in --version) ;; *) echo 403 Forbidden; exit 1;; esac')
    with pytest.raises(LabError) as told:
        kiali_web.build(builder)
    assert told.value.what == "`npm ci --ignore-scripts` failed; no web interface was built"
    assert told.value.evidence == "403 Forbidden"
    assert list((builder.cache / "web").iterdir()) == []
    shutil.rmtree(builder.cache / "web")
    assert list(builder.cache.iterdir()) == []

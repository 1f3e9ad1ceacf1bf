import io
import threading
import time
from pathlib import Path

import pytest

from lab.build import go
from lab.build.go import GoBuilder
from lab.build.parts import Part
from lab.errors import LOG_LINES, LabError
from lab.progress import Progress
from tests.unit.lab.conftest import Programs, python

GOOD = 'if [ "$1" = version ]; then echo "go version go1.26.8 linux/amd64"; exit; fi'

REFUSED = """\
go: downloading github.com/coredns/coredns v1.14.4
go: github.com/coredns/coredns@v1.14.4: reading https://proxy.example/coredns/@v/v1.14.4.zip: {answer}"""

MISMATCH = """\
verifying github.com/coredns/coredns@v1.14.4: checksum mismatch
\tdownloaded: h1:AAAA=
\tgo.sum:     h1:BBBB=

SECURITY ERROR
This download does NOT match an earlier download recorded in go.sum.
The bits may have been replaced on the origin server, or an attacker may
have intercepted the download attempt.

For more information, see 'go help module-auth'."""

MISSING = (
    "corefile.go:4:2: missing go.sum entry for module providing package github.com/coredns/coredns; to add:"
)
DISK_FULL = "write /cache/go-work/build/0a/0a12-d: no space left on device"
KILLED = "k8s.io/kubernetes/pkg/apis/core: /usr/local/go/pkg/tool/linux_amd64/compile: signal: killed"
BROKEN = "# github.com/coredns/coredns/core\ncore/coredns.go:7:2: undefined: missing"


@pytest.fixture
def part(tmp_path: Path) -> Part:
    """A part with two binaries and another name of the first."""
    (tmp_path / "module").mkdir()
    (tmp_path / "module" / "go.mod").write_text("module demo\n")
    (tmp_path / "module" / "go.sum").touch()
    return Part(
        name="CoreDNS", directory=tmp_path / "module", packages=("example.com/dns", "./tool"), links=("dig",)
    )


@pytest.fixture
def builder(tmp_path: Path, progress: Progress) -> GoBuilder:
    """A builder with an empty cache."""
    return GoBuilder(cache=tmp_path / "cache", progress=progress)


def add_go(programs: Programs, build: str) -> None:
    """Put a good Go on PATH, which builds like this: `$out` is the folder for the binaries."""
    programs.add_recorder("go", f'{GOOD}\nfor word; do case "$word" in */) out=$word;; esac; done\n{build}')


def add_failing_go(programs: Programs, output: str) -> None:
    """Put a Go on PATH that has built one of two binaries when it fails with this output."""
    printed = programs.folder / "printed"
    printed.write_text(output)
    add_go(programs, f'echo half > "$out/dns"\ncat {printed} >&2\nexit 1')


def error_of(builder: GoBuilder, part: Part) -> LabError:
    """The error of a failed build, which leaves nothing in the cache."""
    with pytest.raises(LabError) as issue:
        builder.build(part)
    assert not builder.has(part)
    folder = builder.directory(part).parent
    assert not folder.exists() or list(folder.iterdir()) == []
    return issue.value


def test_a_part_is_built_once(builder: GoBuilder, part: Part, programs: Programs) -> None:
    """The binaries are in the cache under the part's key, with their further names; no second build."""
    add_go(programs, 'touch "$out/dns" "$out/tool"')
    folder = builder.build(part)
    assert folder == builder.directory(part) == builder.cache / "go" / f"dns-{part.key}"
    assert sorted(path.name for path in folder.iterdir()) == ["dig", "dns", "tool"]
    assert (folder / "dig").readlink() == Path("dns")
    before = programs.calls
    assert builder.build(part) == folder
    assert programs.calls == before


def test_it_is_built_with_the_parts_own_flags_alone(
    builder: GoBuilder, part: Part, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the user has set for Go decides neither what is built nor where its caches go."""
    for name in ("GOFLAGS", "GOTOOLCHAIN", "CGO_ENABLED", "GOCACHE", "GOMODCACHE", "GOWORK"):
        monkeypatch.setenv(name, "theirs")
    names = "$CGO_ENABLED $GOTOOLCHAIN $GOWORK $GOCACHE $GOMODCACHE $PWD"
    add_go(programs, f'touch "$out/dns"; echo "{names}" > {programs.folder}/seen')
    builder.build(part)
    work = builder.cache / "go-work"
    seen = (programs.folder / "seen").read_text().split()
    assert seen == ["0", "local", "off", str(work / "build"), str(work / "modules"), str(part.directory)]
    flags = " ".join(part.flags)
    assert f"go build -v {flags} -o {builder.directory(part)}.part/ example.com/dns ./tool" in programs.calls


def test_earlier_builds_of_a_part_go(builder: GoBuilder, part: Part, programs: Programs) -> None:
    """The cache holds one build of a part; those of others stay."""
    old, other = builder.cache / "go" / "dns-0123456789abcdef", builder.cache / "go" / "kube-0123456789abcdef"
    for folder in (old, other):
        folder.mkdir(parents=True)
    add_go(programs, 'touch "$out/dns"')
    builder.build(part)
    assert not old.exists()
    assert other.exists()


def test_tidy_gives_back_the_disk_and_keeps_the_binaries(
    builder: GoBuilder, part: Part, programs: Programs
) -> None:
    """After a build the module and build caches go: 11 GB of what took 12."""
    add_go(programs, 'touch "$out/dns"; mkdir -p "$GOCACHE" "$GOMODCACHE"')
    builder.build(part)
    builder.tidy()
    builder.tidy()
    assert [path.name for path in builder.cache.iterdir()] == ["go"]


def test_no_go(builder: GoBuilder, part: Part, programs: Programs) -> None:
    """Without Go one learns which to install, before anything is made."""
    assert programs.calls == []
    issue = error_of(builder, part)
    assert issue.what.startswith("no `go` on PATH")
    assert issue.fix == "install Go 1.26 or newer and put its bin folder on PATH, then: make up"


@pytest.mark.parametrize(
    "printed", ["go version go1.25.4 linux/amd64", "go version go0.99 linux/arm64", "gibberish"]
)
def test_go_too_old(builder: GoBuilder, part: Part, programs: Programs, printed: str) -> None:
    """The message has its version and the one that is needed; nothing is built with it."""
    programs.add_recorder("go", f'echo "{printed}"')
    issue = error_of(builder, part)
    assert repr(printed) in issue.what
    assert "Go 1.26 or newer" in issue.what
    assert programs.calls == ["go version"]


@pytest.mark.parametrize(
    "printed", ["go version go1.26 linux/amd64", "go version go1.26.8 X:x", "go version go2.0"]
)
def test_go_new_enough(programs: Programs, printed: str) -> None:
    """The oldest that does, and all after it."""
    programs.add("go", f'echo "{printed}"')
    GoBuilder.require_go()


def test_the_local_go_is_asked(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's GOTOOLCHAIN does not let an old Go pass for the new one it would download."""
    monkeypatch.setenv("GOTOOLCHAIN", "go1.26.8")
    programs.add("go", '[ "$GOTOOLCHAIN" = local ] && echo go version go1.21.0 || echo go version go1.26.8')
    with pytest.raises(LabError, match=r"go1\.21\.0"):
        GoBuilder.require_go()


@pytest.mark.parametrize(
    "answer",
    [
        "403 Forbidden",
        "404 Not Found",
        "407 Proxy Authentication Required",
        "502 Bad Gateway",
        'Get "https://proxy.example/v1.zip": dial tcp 192.0.2.1:443: connect: connection refused',
        'Get "https://proxy.example/v1.zip": dial tcp: lookup proxy.example: no such host',
        'Get "https://proxy.example/v1.zip": net/http: TLS handshake timeout',
        "read tcp 192.0.2.2:40404->192.0.2.1:443: read: connection reset by peer",
        "tls: failed to verify certificate: x509: certificate signed by unknown authority",
        "unexpected EOF",
        "module lookup disabled by GOPROXY=off",
    ],
)
def test_a_download_refused(builder: GoBuilder, part: Part, programs: Programs, answer: str) -> None:
    """The proxy is named as the cause, with go's output and what to check."""
    add_failing_go(programs, REFUSED.format(answer=answer))
    issue = error_of(builder, part)
    assert issue.what.startswith("CoreDNS: the Go module proxy refused or did not answer a download")
    assert answer in issue.evidence
    assert "go env GOPROXY" in issue.fix


def test_a_checksum_that_differs(builder: GoBuilder, part: Part, programs: Programs) -> None:
    """It is reported as a possible attack, not as a network error to retry."""
    add_failing_go(programs, f"{REFUSED.format(answer='ok')}\n{MISMATCH}")
    issue = error_of(builder, part)
    assert issue.what.startswith(
        f"CoreDNS: a module differs from its checksum in {part.directory / 'go.sum'}"
    )
    assert "before you trust it" in issue.fix
    assert "SECURITY ERROR" in issue.evidence


def test_a_checksum_that_is_missing(builder: GoBuilder, part: Part, programs: Programs) -> None:
    """An edited go.sum is named."""
    add_failing_go(programs, MISSING)
    issue = error_of(builder, part)
    assert f"{part.directory / 'go.sum'} lacks a checksum" in issue.what
    assert issue.fix == "git checkout lab/build/modules"


def test_a_full_disk(builder: GoBuilder, part: Part, programs: Programs) -> None:
    """How to make room, or where else to build."""
    add_failing_go(programs, DISK_FULL)
    issue = error_of(builder, part)
    assert "the disk is full" in issue.what
    assert "XDG_CACHE_HOME" in issue.fix


def test_too_little_memory(builder: GoBuilder, part: Part, programs: Programs) -> None:
    """A killed compiler is not reported as an error in the sources."""
    add_failing_go(programs, KILLED)
    assert "memory" in error_of(builder, part).fix


def test_what_does_not_compile(builder: GoBuilder, part: Part, programs: Programs) -> None:
    """Anything else is shown by its last lines."""
    add_failing_go(programs, "\n".join([*(f"package{number}" for number in range(100)), BROKEN]))
    issue = error_of(builder, part)
    assert issue.what.startswith("CoreDNS does not compile")
    assert issue.evidence.endswith(BROKEN)
    assert len(issue.evidence.splitlines()) == LOG_LINES


def test_what_go_does_is_shown(
    builder: GoBuilder, part: Part, programs: Programs, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build of minutes shows its progress."""
    monkeypatch.setattr("lab.progress.HEARTBEAT_SECONDS", 0.02)
    add_go(programs, 'echo k8s.io/api; echo k8s.io/client-go; sleep 0.2; touch "$out/dns"')
    with builder.progress.shown():
        builder.build(part)
    assert "… build CoreDNS: 2 packages, now k8s.io/client-go (" in output.getvalue()
    assert "✓ build CoreDNS (" in output.getvalue()


def test_the_folder_of_a_module(builder: GoBuilder, part: Part, programs: Programs) -> None:
    """Istio's charts are taken from the module that was downloaded and verified."""
    add_go(programs, """echo '{\n\t"Path": "istio.io/istio",\n\t"Dir": "/modules/istio"\n}'""")
    assert builder.module(part, "istio.io/istio") == Path("/modules/istio")
    assert "go mod download -json istio.io/istio" in programs.calls


@pytest.mark.parametrize("without_go", [True, False])
def test_a_module_that_is_not_had(
    builder: GoBuilder, part: Part, programs: Programs, without_go: bool
) -> None:
    """A missing Go, or an answer without a folder, is reported like other errors."""
    if not without_go:
        add_go(programs, "echo '{}'")
    with pytest.raises(LabError, match="no `go` on PATH" if without_go else "printed no folder"):
        builder.module(part, "istio.io/istio")


def test_an_abandoned_build_ends_at_once(builder: GoBuilder, part: Part, programs: Programs) -> None:
    """If something else fails or the user interrupts, the compilers end at once."""
    armed = programs.folder / "armed"
    ready = f"import signal, time; signal.signal(signal.SIGINT, signal.SIG_DFL); open({str(armed)!r}, 'w')"
    add_go(programs, python(f"{ready}; time.sleep(60)"))
    issues: list[LabError] = []

    def build() -> None:
        try:
            builder.build(part)
        except LabError as issue:
            issues.append(issue)

    thread = threading.Thread(target=build, daemon=True)
    thread.start()
    while not armed.exists():
        time.sleep(0.01)
    builder.abandon()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert len(issues) == 1
    build()
    assert len(issues) == 2, "nothing is built after that"
    assert not builder.has(part)


def test_the_oldest_go_is_what_the_modules_ask_for() -> None:
    """The version in the message is that of go.mod."""
    modules = Path(go.__file__).parent
    asked = [
        tuple(map(int, line.split()[1].split(".")[:2]))
        for path in modules.rglob("go.mod")
        for line in path.read_text().splitlines()
        if line.startswith("go ")
    ]
    assert max(asked) == go.GO

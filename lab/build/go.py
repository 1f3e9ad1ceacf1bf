"""Builds a part once, into the cache, from pinned modules with committed checksums."""

import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lab.build.parts import Part
from lab.errors import LOG_LINES, LabError
from lab.places import filled
from lab.progress import Progress, Step

GO = (1, 26)
"""The oldest Go that builds the pinned modules, by their go.mod files."""

ENVIRONMENT = {
    "CGO_ENABLED": "0",  # static binaries, for images that contain nothing else
    "GOFLAGS": "-buildvcs=false -modcacherw",
    "GOTOOLCHAIN": "local",  # downloads no other toolchain
    "GOWORK": "off",
}

REFUSED = re.compile(
    r"dial tcp|read tcp|i/o timeout|no such host|unexpected EOF|GOPROXY=off"
    r"|TLS handshake|tls: |x509: |\b(4\d\d|5\d\d) [A-Z][a-z]"
)
"""Errors of go for a proxy that cannot be reached, is not trusted, or answers with an error."""


@dataclass(frozen=True, kw_only=True)
class GoBuilder:
    """Builds with Go into a cache; Go's own caches of modules and builds are deleted afterwards."""

    cache: Path
    progress: Progress
    _running: set[subprocess.Popen[str]] = field(default_factory=set, init=False, repr=False)
    _abandoned: threading.Event = field(default_factory=threading.Event, init=False, repr=False)

    def directory(self, part: Part) -> Path:
        """Return the folder for the binaries of exactly this part, which may not exist."""
        return self.cache / "go" / f"{part.binaries[0]}-{part.key}"

    def has(self, part: Part) -> bool:
        """Return whether the part has been built."""
        return self.directory(part).is_dir()

    def build(self, part: Part) -> Path:
        """Return the folder of the part's binaries, which are built if they do not exist.

        Raises:
            LabError: Go is missing or too old, a download was refused, a checksum differs,
                or it does not compile.
        """
        target = self.directory(part)
        if target.is_dir():
            return target
        self.require_go()
        with self.progress.step(f"build {part.name}") as step, filled(target) as folder:
            self._go(part, step, "build", "-v", *part.flags, "-o", f"{folder}/", *part.packages)
            for link in part.links:
                (folder / link).symlink_to(part.binaries[0])
            self._prune(part)
            step.describe("")
        return target

    def module(self, part: Part, module: str) -> Path:
        """Return the folder with the sources of a module that a part is built from."""
        self.require_go()
        output = self._go(part, Step(""), "mod", "download", "-json", module)
        found = re.search(r'"Dir": "([^"]+)"', output)
        if not found:
            raise LabError(f"go mod download {module} printed no folder", fix="make up", evidence=output)
        return Path(found[1])

    def run(
        self,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        note: Callable[[list[str]], None],
    ) -> tuple[int, str]:
        """Run a program, which is ended if the builds are abandoned; return exit code and output.

        Args:
            command: the program and its arguments.
            folder: where it runs.
            environment: all of its variables.
            note: is called with all lines so far, after each new one.
        """
        lines: list[str] = []
        with subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            self._running.add(process)
            if self._abandoned.is_set():
                process.kill()
            for line in process.stdout or ():
                lines.append(line)
                note(lines)
            self._running.discard(process)
        return process.returncode, "".join(lines)

    def abandon(self) -> None:
        """End the builds that run in other threads, and start no more."""
        self._abandoned.set()
        for process in tuple(self._running):
            process.send_signal(signal.SIGINT)  # go ends its compilers itself

    def tidy(self) -> None:
        """Delete the files of builds; the binaries stay."""
        shutil.rmtree(self.cache / "go-work", ignore_errors=True)

    @staticmethod
    def require_go() -> None:
        """Check that a Go that can build the parts is on PATH.

        Raises:
            LabError: there is none, or it is too old.
        """
        wanted = ".".join(map(str, GO))
        try:
            version = subprocess.run(
                ["go", "version"],
                env={**os.environ, **ENVIRONMENT},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        except (OSError, subprocess.CalledProcessError) as error:
            raise LabError(
                f"no `go` on PATH, and something must be built from Go modules ({error})",
                fix=f"install Go {wanted} or newer and put its bin folder on PATH, then: make up",
            ) from error
        found = re.search(r"go(\d+)\.(\d+)", version)
        if not found or (int(found[1]), int(found[2])) < GO:
            raise LabError(
                f"`go version` prints {version.strip()!r}; the pinned modules need Go {wanted} or newer",
                fix=f"put the bin folder of Go {wanted} or newer before the old one on PATH, then: make up",
            )

    def _prune(self, part: Part) -> None:
        """Delete earlier builds of the part."""
        for old in (self.cache / "go").glob(f"{part.binaries[0]}-*[0-9a-f]"):
            shutil.rmtree(old, ignore_errors=True)

    def _go(self, part: Part, step: Step, *arguments: str) -> str:
        work = self.cache / "go-work"
        environment = {
            **os.environ,
            **ENVIRONMENT,
            "GOCACHE": str(work / "build"),
            "GOMODCACHE": str(work / "modules"),
        }

        def note(lines: list[str]) -> None:
            step.describe(f"{len(lines)} packages, now {lines[-1].strip()}"[:70])

        code, output = self.run(["go", *arguments], part.directory, environment, note)
        if code:
            raise _failure(part, output)
        return output


def _failure(part: Part, output: str) -> LabError:
    evidence = "\n".join(output.splitlines()[-LOG_LINES:])
    checksums = part.directory / "go.sum"
    if "checksum mismatch" in output or "SECURITY ERROR" in output:
        return LabError(
            f"{part.name}: a module differs from its checksum in {checksums}; nothing was built",
            fix="git checkout lab/build/modules; check who changed the module or go.sum before you trust it",
            evidence=evidence,
        )
    if "missing go.sum entry" in output:
        return LabError(
            f"{part.name}: {checksums} lacks a checksum; nothing was built",
            fix="git checkout lab/build/modules",
            evidence=evidence,
        )
    if "no space left on device" in output:
        return LabError(
            f"{part.name}: the disk is full; nothing was built",
            fix="free some space, or point XDG_CACHE_HOME at a larger disk, then: make up",
            evidence=evidence,
        )
    if REFUSED.search(output):
        return LabError(
            f"{part.name}: the Go module proxy refused or did not answer a download; nothing was built",
            fix="check the network and `go env GOPROXY`, then: make up (it resumes where it stopped)",
            evidence=evidence,
        )
    if "signal: killed" in output:
        return LabError(
            f"{part.name}: the compiler was killed, as the kernel does if memory runs out",
            fix="end programs that need much memory, then: make up (it resumes where it stopped)",
            evidence=evidence,
        )
    return LabError(
        f"{part.name} does not compile; nothing was built",
        fix="git status lab: the sources must be those of the commit; then: make up",
        evidence=evidence,
    )

"""Keeps a language host ready for the next update of a project."""

import json
import select
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

from operations.pulumi_stack.project import Project

HELPER: Final = Path(__file__).with_name("helper.py")
READY_SECONDS: Final = 5
"""How long an update waits for a host that was started just before it."""
END_SECONDS: Final = 10


class Host:
    """A process that has imported what the program imports.

    Whoever can reach loopback reaches it, as any language host of Pulumi's; it holds nothing but the program.
    """

    def __init__(self, python: str, program: Path) -> None:
        self._process = subprocess.Popen(
            [python, "-P", str(HELPER), str(program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            # Ctrl-C is for who asked for the update.
            start_new_session=True,
        )
        self._up: dict[str, Any] | None = None

    def address(self) -> str | None:
        """Tell where it is reached; None where it is not up, or a file that it imported changed since."""
        said = self._process.stdout
        try:
            if self._up is None and said and select.select([said], [], [], READY_SECONDS)[0]:
                self._up = json.loads(said.readline())
            if self._up is None or self._process.poll() is not None:
                return None
            # A file that is put in another's place gets a new ctime, whatever its mtime says.
            if any(Path(file).stat().st_ctime_ns > self._up["began"] for file in self._up["files"]):
                return None
        except (ValueError, OSError):
            return None
        return f"127.0.0.1:{self._up['port']}"

    def end(self) -> None:
        """Close its input, at which it ends."""
        try:
            self._process.communicate(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Hosts:
    """The hosts of a project's updates, one after the other."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._next: Host | None = None

    def prepare(self) -> None:
        """Start the next one, if it is not started; it is ready some seconds later."""
        python = interpreter(self._project)
        if self._next is None and python is not None:
            self._next = Host(python, self._project.program)

    def take(self) -> tuple[Host, str] | None:
        """Hand over the next one with its address; whoever takes it ends it."""
        host, self._next = self._next, None
        if host is None:
            return None
        if address := host.address():
            return host, address
        host.end()
        return None


def interpreter(project: Project) -> str | None:
    """Find the Python that Pulumi runs the program in; None where only Pulumi knows."""
    runtime = project.settings.get("runtime")
    name, options = (
        (runtime.get("name"), runtime.get("options")) if isinstance(runtime, dict) else (runtime, None)
    )
    if name != "python" or set(options or {}) - {"virtualenv"}:
        return None
    if options:
        return str(project.folder / str(options["virtualenv"]) / "bin/python")
    return shutil.which("python3")

"""Run a project's program in this process, with its own folder, modules and environment variables."""

import importlib
import os
import runpy
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from contextvars import ContextVar
from pathlib import Path
from threading import RLock
from types import MappingProxyType, ModuleType
from typing import Any, ClassVar, Final, TextIO, cast

from operations.pulumi_stack.project import Project

FILE: Final = "__main__.py"
NO_VARIABLES: Final[Mapping[str, str]] = MappingProxyType({})

_ONE_AT_A_TIME: Final = RLock()
"""The folder, the variables and the modules belong to the whole process."""

_is_program: ContextVar[bool] = ContextVar("is_program", default=False)


def runs_in_process(project: Project) -> bool:
    """Return whether this interpreter can run a project's program as Pulumi would.

    It cannot run a program in another language or virtual environment, or without a `__main__.py`: the
    `pulumi` command starts those itself.
    """
    runtime = project.settings.get("runtime")
    name, options = (
        (runtime.get("name"), runtime.get("options") or {}) if isinstance(runtime, dict) else (runtime, {})
    )
    if name != "python" or set(options) - {"virtualenv"} or not (project.program / FILE).is_file():
        return False
    if "virtualenv" in options:
        environment = project.folder / str(options["virtualenv"])
    else:
        environment = Path(shutil.which("python3") or "/").parent.parent
    return environment.resolve() == Path(sys.prefix).resolve()


@contextmanager
def program_environment(program: Path, variables: Mapping[str, str] = NO_VARIABLES) -> Iterator[None]:
    """Set up this process for a run of the program in a folder, and restore it afterwards.

    The program gets its own copy of its modules, also of those that operations imported from another
    folder under the same names, and no later run finds them. Libraries stay loaded.
    """
    with _ONE_AT_A_TIME, chdir(program), _variables(variables), _modules(program), _output():
        yield


def execute(program: Path) -> None:
    """Run the program in a folder; call it within `program_environment` and a context of its own.

    Raises:
        RuntimeError: the program calls `sys.exit`, which would end this process.
    """
    _is_program.set(True)
    try:
        runpy.run_path(str(program / FILE), run_name="__main__")
    except SystemExit as error:
        message = f"the program ends with sys.exit({error.code!r})"
        raise RuntimeError(message) from error


class InlineProgram:
    """The program in a folder, for the Automation API to call.

    After a run that failed or was cancelled, no other can follow in this process. At the end of each run the
    SDK stops the callback servers of all runs; one that it left open with its event loop makes that fail.
    """

    is_unfinished: ClassVar[bool] = False
    """Whether a run of this process failed, was cancelled, or is not over yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self) -> None:
        """Run the program, in a thread of the SDK."""
        InlineProgram.is_unfinished = True
        execute(self.folder)

    @staticmethod
    def finish() -> None:
        """Note that the command that ran the program has succeeded."""
        InlineProgram.is_unfinished = False


@contextmanager
def _variables(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _modules(program: Path) -> Iterator[None]:
    # A file that was written just now is otherwise not found in a folder that was read before.
    importlib.invalidate_caches()
    names = {each.stem for each in program.glob("*.py")}
    names |= {each.parent.name for each in program.glob("*/__init__.py")}
    replaced = {
        name: sys.modules.pop(name)
        for name in tuple(sys.modules)
        if name.partition(".")[0] in names and not _is_ours(name)
    }
    known = frozenset(sys.modules)
    sys.path.insert(0, str(program))
    try:
        yield
    finally:
        sys.path.remove(str(program))
        for name, module in tuple(sys.modules.items()):
            if name not in known and not _is_ours(name) and _is_below(program, module):
                del sys.modules[name]
        sys.modules.update(replaced)


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] in {__name__.partition(".")[0], "__main__"}


def _is_below(folder: Path, module: ModuleType) -> bool:
    file = Path(getattr(module, "__file__", None) or "/")
    return file.is_relative_to(folder) and "site-packages" not in file.parts


class _Output:
    """Standard output, from which what the program prints is diverted to standard error."""

    def __init__(self, stdout: TextIO) -> None:
        self._stdout = stdout

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (whatever a stream has)
        return getattr(sys.stderr if _is_program.get() else self._stdout, name)


@contextmanager
def _output() -> Iterator[None]:
    """Keep standard output for manifests and reports: other tools read it."""
    before = sys.stdout
    diverted = cast("TextIO", _Output(before))
    sys.stdout = diverted
    try:
        yield
    finally:
        if sys.stdout is diverted:  # a live display may have replaced it meanwhile
            sys.stdout = before

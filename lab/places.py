"""Where the lab keeps things: what can be made again, what cannot, and what belongs to a checkout."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

NAME = "mesh-lab"


def _base(variable: str, default: str) -> Path:
    """A base folder of the XDG specification; a relative path there counts as unset."""
    given = Path(os.environ.get(variable, ""))
    return given if given.is_absolute() else Path.home() / default


@dataclass(frozen=True, kw_only=True)
class Places:
    """The three folders of a lab."""

    checkout: Path
    """The project's folder: holds `.lab`, the links and settings of this checkout."""
    cache: Path
    """Binaries and packages, shared by every checkout; deleting it costs only time."""
    state: Path
    """The one lab of this machine: cluster data, certificates, Pulumi's state."""

    @classmethod
    def of_this_machine(cls) -> "Places":
        """The folders that the environment and this file's position name."""
        return cls(
            checkout=Path(__file__).resolve().parent.parent,
            cache=_base("XDG_CACHE_HOME", ".cache") / NAME,
            state=_base("XDG_STATE_HOME", ".local/state") / NAME,
        )

    @property
    def binaries(self) -> Path:
        """Names to call: links of this checkout to whichever program was chosen for each."""
        return self.checkout / ".lab" / "bin"

    @property
    def environment(self) -> Path:
        """The file that a shell sources to work as any user of Pulumi and kubectl does."""
        return self.checkout / ".lab" / "env"

    @property
    def stack_files(self) -> Path:
        """Copies of the stack files: Pulumi writes into these, not into the tracked ones."""
        return self.checkout / ".lab" / "stacks"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's way in; readable by the owner only."""
        return self.state / "kubeconfig"

    @property
    def logs(self) -> Path:
        """One log a process."""
        return self.state / "logs"

    @property
    def pulumi(self) -> Path:
        """Backend, plugins and passphrase of the lab's own stacks."""
        return self.state / "pulumi"

    @property
    def passphrase(self) -> Path:
        """Opens what Pulumi encrypts in the lab's stacks, and fits the salt in a checkout's stack files."""
        return self.pulumi / "passphrase"

    def make(self) -> None:
        """Make the folders, readable by their owner only."""
        for folder in (self.cache, self.state, self.logs, self.pulumi, self.binaries):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)

    def erase(self) -> None:
        """Delete all state but the passphrase: no other fits the salt that Pulumi left in stack files."""
        for folder, kept in ((self.pulumi, self.passphrase), (self.state, self.pulumi)):
            for path in folder.iterdir():
                if path.is_dir() and path != kept:
                    shutil.rmtree(path)
                elif path != kept:
                    path.unlink()


@contextmanager
def filled(target: Path) -> Iterator[Path]:
    """A new folder to fill, which becomes `target` when the block ends well, and else is gone again."""
    scratch = target.with_name(target.name + ".part")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        yield scratch
        scratch.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)

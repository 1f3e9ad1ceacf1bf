"""The lab's folders: cache, state, and `.lab` in the checkout."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

NAME = "mesh-lab"


def _base(variable: str, default: str) -> Path:
    """Return a base folder of the XDG specification; a relative path counts as unset."""
    given = Path(os.environ.get(variable, ""))
    return given if given.is_absolute() else Path.home() / default


@dataclass(frozen=True, kw_only=True)
class Places:
    """The three folders of a lab."""

    checkout: Path
    """The project's folder, with `.lab`: the links and settings of this checkout."""
    cache: Path
    """Binaries and packages, shared by all checkouts; they can be built again."""
    state: Path
    """The data of this machine's lab: cluster, certificates, Pulumi's state."""

    @classmethod
    def of_this_machine(cls) -> "Places":
        """Take the folders from the environment and from the path of this file."""
        return cls(
            checkout=Path(__file__).resolve().parent.parent,
            cache=_base("XDG_CACHE_HOME", ".cache") / NAME,
            state=_base("XDG_STATE_HOME", ".local/state") / NAME,
        )

    @property
    def binaries(self) -> Path:
        """Links to the programs that were chosen."""
        return self.checkout / ".lab" / "bin"

    @property
    def environment(self) -> Path:
        """The settings of Pulumi and kubectl, for a shell to source."""
        return self.checkout / ".lab" / "env"

    @property
    def stack_files(self) -> Path:
        """Copies of the stack files: Pulumi writes into these, not into the tracked ones."""
        return self.checkout / ".lab" / "stacks"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig; only its owner can read it."""
        return self.state / "kubeconfig"

    @property
    def logs(self) -> Path:
        """One log for each process."""
        return self.state / "logs"

    @property
    def pulumi(self) -> Path:
        """Backend, plugins and passphrase of the lab's own stacks."""
        return self.state / "pulumi"

    @property
    def passphrase(self) -> Path:
        """What Pulumi encrypts the lab's stacks with."""
        return self.pulumi / "passphrase"

    def make(self) -> None:
        """Create the folders, readable only by their owner."""
        for folder in (self.cache, self.state, self.logs, self.pulumi, self.binaries):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)

    def erase(self) -> None:
        """Delete all state but the passphrase: the salt that Pulumi adds to stack files fits no other."""
        for folder, retained in ((self.pulumi, self.passphrase), (self.state, self.pulumi)):
            for path in folder.iterdir():
                if path.is_dir() and path != retained:
                    shutil.rmtree(path)
                elif path != retained:
                    path.unlink()


@contextmanager
def filled(target: Path) -> Iterator[Path]:
    """Yield a new folder, which becomes `target` if the block succeeds, and is deleted if it fails."""
    scratch = target.with_name(target.name + ".part")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        yield scratch
        scratch.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)

"""Unpacks programs from Debian's packages into the cache, without installing them.

Installing containerd or etcd-server could start services on the ports that the lab needs.
"""

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LOG_LINES, LabError
from lab.places import filled
from lab.progress import Progress

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Debian's own folders, for mount, modprobe and nsenter."""

NODE = (
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "etcd-server",
    "iproute2",
    "iptables",
    "libbpf1",
    "libbsd0",
    "libcap2",
    "libedit2",
    "libelf1",
    "libgmp10",
    "libip4tc2",
    "libip6tc2",
    "libjansson4",
    "libmd0",
    "libmnl0",
    "libnetfilter-conntrack3",
    "libnfnetlink0",
    "libnftables1",
    "libnftnl11",
    "libseccomp2",
    "libtinfo6",
    "libxtables12",
    "nftables",
    "runc",
)
"""The node's programs, with the libraries that a minimal Debian lacks."""

PROXY = (
    "iptables",
    "libc6",
    "libip4tc2",
    "libip6tc2",
    "libmnl0",
    "libnetfilter-conntrack3",
    "libnfnetlink0",
    "libnftnl11",
    "libxtables12",
)
"""What Envoy and the sidecar's traffic redirection need in their image; there is no shell."""

COMMANDS = tuple(
    f"{family}{suffix}" for family in ("iptables", "ip6tables") for suffix in ("", "-save", "-restore")
)
"""Names of the one iptables binary; Debian creates these links at installation."""


@dataclass(frozen=True, kw_only=True)
class Packages:
    """Unpacks sets of packages into the cache."""

    cache: Path
    progress: Progress

    def directory(self, name: str, packages: tuple[str, ...]) -> Path:
        """Return the folder for a set of packages, which may not exist."""
        key = hashlib.sha256(" ".join(packages).encode()).hexdigest()[:16]
        return self.cache / "debian" / f"{name}-{key}"

    def unpack(self, name: str, packages: tuple[str, ...]) -> Path:
        """Return the root folder of a set of packages; download and unpack them if it does not exist.

        Raises:
            LabError: apt is missing, or a download failed.
        """
        target = self.directory(name, packages)
        if target.is_dir():
            return target
        title = f"fetch {len(packages)} Debian packages for the {name}"
        with self.progress.step(title), filled(target) as root:
            downloads = root / "downloads"
            downloads.mkdir()
            self._download(downloads, packages)
            for archive in sorted(downloads.glob("*.deb")):
                self._run(["dpkg-deb", "--extract", str(archive), str(root)], cwd=root)
            shutil.rmtree(downloads)
            if "iptables" in packages:
                for command in COMMANDS:
                    (root / "usr/sbin" / command).symlink_to("xtables-nft-multi")
            for old in target.parent.glob(f"{name}-*[0-9a-f]"):
                shutil.rmtree(old)
        return target

    def _download(self, folder: Path, packages: tuple[str, ...]) -> None:
        download = ["apt-get", "--quiet", "download", *packages]
        try:
            self._run(download, cwd=folder)
        except LabError:
            # The machine's package lists may be missing, or name versions that no longer exist.
            self._run(["apt-get", "--quiet", "update"], cwd=folder)
            self._run(download, cwd=folder)

    def _run(self, command: list[str], cwd: Path) -> None:
        try:
            done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
        except OSError as error:
            raise LabError(
                f"{command[0]} cannot be run ({error}); the lab needs it to unpack Debian's packages",
                fix="use Debian 12, or another system with apt and dpkg",
            ) from error
        if done.returncode:
            raise LabError(
                f"`{' '.join(command[:3])} …` failed; nothing was unpacked",
                fix="check the network and the apt sources with `apt-get update`, then try again",
                evidence="\n".join((done.stdout + done.stderr).splitlines()[-LOG_LINES:]),
            )


def environment(root: Path) -> dict[str, str]:
    """Return all variables of a program that uses what is unpacked under a root."""
    libraries = [
        str(folder) for parent in ("lib", "usr/lib") for folder in (root / parent).glob("*-linux-gnu")
    ]
    plugins = next((root / "usr/lib").glob("*-linux-gnu/xtables"), root)
    return {
        "PATH": os.pathsep.join([str(root / "usr/sbin"), str(root / "usr/bin"), SYSTEM_PATH]),
        "LD_LIBRARY_PATH": os.pathsep.join(libraries),
        "XTABLES_LIBDIR": str(plugins),
    }

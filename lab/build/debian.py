"""Programs from Debian's packages, unpacked beside the machine's own and never installed.

Installing containerd or etcd-server would start services on the very ports the lab wants.
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
"""Where Debian keeps commands: what mounts, loads kernel modules and enters namespaces."""

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
"""What the node runs, with the libraries that a minimal Debian lacks."""

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
"""What Envoy and the sidecar's traffic redirection need in their image, and no shell."""

COMMANDS = tuple(
    f"{family}{suffix}" for family in ("iptables", "ip6tables") for suffix in ("", "-save", "-restore")
)
"""Names by which the one iptables binary is called; Debian makes these links at installation."""


@dataclass(frozen=True, kw_only=True)
class Packages:
    """Unpacks sets of packages into the cache."""

    cache: Path
    progress: Progress

    def directory(self, name: str, packages: tuple[str, ...]) -> Path:
        """Where a set of packages is unpacked, or will be."""
        key = hashlib.sha256(" ".join(packages).encode()).hexdigest()[:16]
        return self.cache / "debian" / f"{name}-{key}"

    def unpack(self, name: str, packages: tuple[str, ...]) -> Path:
        """The root folder of a set of packages, downloaded and unpacked if it is not there.

        Raises:
            LabError: apt is missing or refuses a download.
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
            # A new machine has no package lists yet, an old one has lists of versions that are gone.
            self._run(["apt-get", "--quiet", "update"], cwd=folder)
            self._run(download, cwd=folder)

    def _run(self, command: list[str], cwd: Path) -> None:
        try:
            done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
        except OSError as error:
            raise LabError(
                f"{command[0]} cannot be run ({error}); the lab unpacks Debian's packages",
                fix="run it on Debian 12, or a system that has apt and dpkg too",
            ) from error
        if done.returncode:
            raise LabError(
                f"`{' '.join(command[:3])} …` failed; nothing was unpacked",
                fix="check the network and the apt sources with `apt-get update`, then try again",
                evidence="\n".join((done.stdout + done.stderr).splitlines()[-LOG_LINES:]),
            )


def environment(root: Path) -> dict[str, str]:
    """All variables of a program that uses the commands, libraries and plugins unpacked under a root."""
    libraries = [
        str(folder) for parent in ("lib", "usr/lib") for folder in (root / parent).glob("*-linux-gnu")
    ]
    plugins = next((root / "usr/lib").glob("*-linux-gnu/xtables"), root)
    return {
        "PATH": os.pathsep.join([str(root / "usr/sbin"), str(root / "usr/bin"), SYSTEM_PATH]),
        "LD_LIBRARY_PATH": os.pathsep.join(libraries),
        "XTABLES_LIBDIR": str(plugins),
    }

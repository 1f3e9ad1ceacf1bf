"""Writes container images as archives for `ctr images import`, without a container engine.

The format is the one of `docker save`: layers as tar files, a config, a manifest.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One path in an image: a file with a source, a link, or a folder with neither."""

    path: str
    source: Path | None = None
    link: str = ""
    mode: int = 0o755

    def header(self) -> tarfile.TarInfo:
        """Return the tar header, with owner root and time 1970, so that equal content is an equal layer."""
        header = tarfile.TarInfo(self.path)
        header.mode = self.mode
        if self.source is not None:
            header.size = self.source.stat().st_size
        elif self.link:
            header.type, header.linkname = tarfile.SYMTYPE, self.link
        else:
            header.type = tarfile.DIRTYPE
        return header


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image of a few layers."""

    name: str
    """The reference with a tag, as in a pod."""
    layers: Sequence[Sequence[Entry]]
    entrypoint: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    """`uid:gid`; empty is root."""
    architecture: str = "amd64"
    """In Go's notation."""

    def config(self, layers: Sequence[str]) -> bytes:
        """Return the image's config, given the sha256 of each layer."""
        return json.dumps(
            {
                "architecture": self.architecture,
                "os": "linux",
                "config": {
                    "Entrypoint": list(self.entrypoint),
                    "Env": [f"{name}={value}" for name, value in self.environment.items()],
                    "User": self.user,
                },
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in layers]},
            },
            sort_keys=True,
        ).encode()

    def write(self, archive: Path) -> None:
        """Write the image to a file."""
        with tarfile.open(archive, "w") as tar:
            digests = []
            for number, entries in enumerate(self.layers):
                layer = archive.with_suffix(f".layer{number}")
                try:
                    _write_layer(layer, entries)
                    digests.append(_sha256(layer))
                    _add(tar, Entry(path=f"{digests[-1]}/layer.tar", source=layer, mode=0o644))
                finally:
                    layer.unlink(missing_ok=True)
            config = self.config(digests)
            config_name = f"{hashlib.sha256(config).hexdigest()}.json"
            manifest = [
                {
                    "Config": config_name,
                    "RepoTags": [self.name],
                    "Layers": [f"{digest}/layer.tar" for digest in digests],
                }
            ]
            for name, content in ((config_name, config), ("manifest.json", json.dumps(manifest).encode())):
                header = tarfile.TarInfo(name)
                header.size = len(content)
                tar.addfile(header, io.BytesIO(content))


def tree(root: Path) -> list[Entry]:
    """Return everything below a folder, as entries with the same paths."""
    entries = []
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            entries.append(Entry(path=name, link=str(path.readlink())))
        else:
            source = path if path.is_file() else None
            entries.append(Entry(path=name, source=source, mode=path.stat().st_mode & 0o7777))
    return entries


def _write_layer(path: Path, entries: Sequence[Entry]) -> None:
    with tarfile.open(path, "w") as tar:
        for entry in entries:
            _add(tar, entry)


def _add(tar: tarfile.TarFile, entry: Entry) -> None:
    if entry.source is None:
        tar.addfile(entry.header())
    else:
        with entry.source.open("rb") as content:
            tar.addfile(entry.header(), content)


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()

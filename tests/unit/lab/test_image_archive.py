import hashlib
import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from lab.build.image_archive import Entry, Image, tree

NAME = "docker.io/lab/demo:1"


class Archive:
    """An image archive as a runtime reads it."""

    def __init__(self, path: Path) -> None:
        with tarfile.open(path) as tar:
            self.files = {member.name: self._read(tar, member) for member in tar}
        (self.manifest,) = json.loads(self.files["manifest.json"])
        self.config: dict[str, Any] = json.loads(self.files[self.manifest["Config"]])

    @staticmethod
    def _read(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
        content = tar.extractfile(member)
        assert content is not None, f"{member.name} is no file"
        return content.read()

    def layer(self, number: int) -> tarfile.TarFile:
        """One of the layers, opened."""
        return tarfile.open(fileobj=io.BytesIO(self.files[self.manifest["Layers"][number]]))


@pytest.fixture
def image(tmp_path: Path) -> Image:
    """Two layers with everything that an image can hold."""
    binary = tmp_path / "app"
    binary.write_text("#!/app\n")
    return Image(
        name=NAME,
        layers=[
            [Entry(path="tmp", mode=0o1777), Entry(path="bin/sh", link="/usr/bin/app")],
            [Entry(path="usr/bin/app", source=binary), Entry(path="etc/app", source=binary, mode=0o644)],
        ],
        entrypoint=["/usr/bin/app", "serve"],
        environment={"APP": "demo", "PORT": "9090"},
        user="65532:65532",
        architecture="arm64",
    )


def written(image: Image, path: Path) -> Archive:
    """The archive of an image."""
    image.write(path)
    return Archive(path)


def test_manifest_names_the_image_its_config_and_its_layers(image: Image, tmp_path: Path) -> None:
    """What `docker save` writes and containerd imports: the parts are in the archive under these names."""
    archive = written(image, tmp_path / "image.tar")
    assert archive.manifest["RepoTags"] == [NAME]
    assert set(archive.files) == {"manifest.json", archive.manifest["Config"], *archive.manifest["Layers"]}
    assert len(archive.manifest["Layers"]) == 2


def test_digests_are_those_of_the_content(image: Image, tmp_path: Path) -> None:
    """A runtime checks each digest, and refuses an image in which one differs."""
    archive = written(image, tmp_path / "image.tar")
    config = archive.manifest["Config"]
    assert config == f"{hashlib.sha256(archive.files[config]).hexdigest()}.json"
    digests = [hashlib.sha256(archive.files[layer]).hexdigest() for layer in archive.manifest["Layers"]]
    assert archive.manifest["Layers"] == [f"{digest}/layer.tar" for digest in digests]
    assert archive.config["rootfs"] == {
        "type": "layers",
        "diff_ids": [f"sha256:{digest}" for digest in digests],
    }


def test_config_describes_how_the_image_runs(image: Image, tmp_path: Path) -> None:
    """Command, variables, user and architecture arrive as given."""
    config = written(image, tmp_path / "image.tar").config
    assert (config["os"], config["architecture"]) == ("linux", "arm64")
    assert config["config"] == {
        "Entrypoint": ["/usr/bin/app", "serve"],
        "Env": ["APP=demo", "PORT=9090"],
        "User": "65532:65532",
    }


def test_entries_are_files_links_and_folders_of_root(image: Image, tmp_path: Path) -> None:
    """Each entry has its kind, mode and content, and belongs to root, whichever user built the image."""
    archive = written(image, tmp_path / "image.tar")
    with archive.layer(0) as folders:
        temporary, link = folders.getmember("tmp"), folders.getmember("bin/sh")
        assert (temporary.isdir(), temporary.mode) == (True, 0o1777)
        assert (link.issym(), link.linkname) == (True, "/usr/bin/app")
    with archive.layer(1) as files:
        app, settings = files.getmember("usr/bin/app"), files.getmember("etc/app")
        assert (app.isreg(), app.mode, settings.mode) == (True, 0o755, 0o644)
        content = files.extractfile("usr/bin/app")
        assert content is not None
        assert content.read() == b"#!/app\n"
        for member in files:
            assert (member.uid, member.gid, member.mtime) == (0, 0, 0)


def test_equal_inputs_are_equal_bytes(image: Image, tmp_path: Path) -> None:
    """Made again at another time, from sources with other dates, the archive is the same."""
    first, second = tmp_path / "first.tar", tmp_path / "second.tar"
    image.write(first)
    os.utime(tmp_path / "app", (1, 1))
    image.write(second)
    assert first.read_bytes() == second.read_bytes()


def test_only_the_archive_is_left(image: Image, tmp_path: Path) -> None:
    """The layers written on the way are gone, also when a source is missing."""
    (tmp_path / "out").mkdir()
    image.write(tmp_path / "out" / "image.tar")
    (tmp_path / "app").unlink()
    with pytest.raises(FileNotFoundError):
        image.write(tmp_path / "out" / "image.tar")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["image.tar"]


def test_tree_is_everything_under_a_folder(tmp_path: Path) -> None:
    """Folders come before their content, links stay links, modes stay."""
    root = tmp_path / "root"
    (root / "usr/lib").mkdir(parents=True)
    (root / "usr/lib/tool").touch()
    (root / "usr/lib/tool").chmod(0o4755)
    (root / "lib").symlink_to("usr/lib")
    (root / "usr/lib/gone").symlink_to("/nowhere")
    (root / "usr/lib").chmod(0o750)
    (root / "usr").chmod(0o755)
    assert tree(root) == [
        Entry(path="lib", link="usr/lib"),
        Entry(path="usr", mode=0o755),
        Entry(path="usr/lib", mode=0o750),
        Entry(path="usr/lib/gone", link="/nowhere"),
        Entry(path="usr/lib/tool", source=root / "usr/lib/tool", mode=0o4755),
    ]

from pathlib import Path

import pytest

from lab.places import NAME, Places, filled


def test_without_xdg_variables_the_defaults_of_the_specification_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cache and state are under the home folder, and outside the checkout."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    places = Places.of_this_machine()
    assert places.cache == tmp_path / ".cache" / NAME
    assert places.state == tmp_path / ".local/state" / NAME
    assert (places.checkout / "lab" / "places.py").is_file()


def test_xdg_variables_are_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of the XDG specification choose another disk."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "large"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "fast"))
    places = Places.of_this_machine()
    assert (places.cache, places.state) == (tmp_path / "large" / NAME, tmp_path / "fast" / NAME)


@pytest.mark.parametrize("relative", ["", "cache", "./cache"])
def test_a_relative_xdg_variable_counts_as_unset(
    relative: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the specification; otherwise the lab's data would depend on the current folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", relative)
    assert Places.of_this_machine().cache == tmp_path / ".cache" / NAME


def test_folders_are_their_owners_only(places: Places) -> None:
    """Also a folder that was there before with wider rights is closed."""
    places.state.mkdir(parents=True)
    places.state.chmod(0o755)
    places.make()
    places.make()
    for folder in (places.cache, places.state, places.logs, places.pulumi, places.binaries):
        assert folder.stat().st_mode & 0o777 == 0o700, folder


def test_what_goes_into_the_state_folder_goes_with_it(places: Places) -> None:
    """Kubeconfig, logs and Pulumi's state are deleted by deleting one folder."""
    for path in (places.kubeconfig, places.logs, places.pulumi):
        assert path.parent == places.state


def test_erased_is_all_but_the_passphrase(places: Places) -> None:
    """A checkout's stack file holds a salt that only this passphrase fits: the next `make up` needs it."""
    places.make()
    (places.state / "etcd" / "member").mkdir(parents=True)
    (places.pulumi / "backend").mkdir()
    for path in (places.kubeconfig, places.passphrase, places.pulumi / "backend" / "stack.json"):
        path.write_text("there?")
    places.erase()
    assert [path for path in places.state.rglob("*") if not path.is_dir()] == [places.passphrase]
    assert not (places.state / "etcd").exists()


def test_a_filled_folder_is_whole(tmp_path: Path) -> None:
    """The name appears when the block has ended well; what a killed run left is not in it."""
    target = tmp_path / "go" / "kube-1"
    (tmp_path / "go" / "kube-1.part" / "rubbish").mkdir(parents=True)
    with filled(target) as folder:
        (folder / "kube").touch()
        assert not target.exists()
    assert [path.name for path in target.iterdir()] == ["kube"]
    assert list(target.parent.iterdir()) == [target]


def test_a_folder_half_filled_is_gone(tmp_path: Path) -> None:
    """A failure leaves neither the folder nor its scratch, and raises the original error."""

    def fill_half() -> None:
        with filled(tmp_path / "go" / "kube-1") as folder:
            (folder / "kube").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill_half()
    assert list((tmp_path / "go").iterdir()) == []

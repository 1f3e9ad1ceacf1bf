from pathlib import Path

from lab.errors import LOG_LINES, LabError, tail


def test_every_part_is_shown() -> None:
    """The message has what failed, the end of the log, and the fix."""
    error = LabError("etcd ended", fix="make down, then: make up", evidence="bind: in use\nexiting")
    assert str(error) == "etcd ended\n  | bind: in use\n  | exiting\n  → make down, then: make up"


def test_without_evidence_there_is_no_empty_line() -> None:
    """Without a log the message has two lines."""
    assert str(LabError("not root", fix="sudo make up")) == "not root\n  → sudo make up"


def test_tail_is_the_end_of_a_log(tmp_path: Path) -> None:
    """Of a long log the last lines are shown, whatever bytes are in it."""
    log = tmp_path / "etcd.log"
    log.write_bytes(b"".join(b"line %d \xff\n" % number for number in range(100)))
    shown = tail(log).splitlines()
    assert len(shown) == LOG_LINES
    assert shown[-1].startswith("line 99 ")


def test_tail_of_no_log_is_empty(tmp_path: Path) -> None:
    """A process that never wrote a log causes no second error."""
    assert tail(tmp_path / "none.log") == ""

"""The lab's exception, and the end of a log that it shows."""

from pathlib import Path

LOG_LINES = 15
"""Lines of a log in an error message: the end has the cause, and fits a screen."""


class LabError(Exception):
    """An error that the user can fix.

    Args:
        what: what failed: the object and the value.
        fix: what to do, with the command if there is one.
        evidence: the last lines of the relevant log.
    """

    def __init__(self, what: str, *, fix: str, evidence: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix
        self.evidence = evidence

    def __str__(self) -> str:
        """Format all three parts."""
        lines = [self.what]
        lines += [f"  | {line}" for line in self.evidence.splitlines()]
        return "\n".join([*lines, f"  → {self.fix}"])


def tail(log: Path, lines: int = LOG_LINES) -> str:
    """Return the last lines of a log file; empty if it does not exist."""
    try:
        text = log.read_text(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])

"""What goes wrong around a lab and can be mended by the person in front of it."""

from pathlib import Path

LOG_LINES = 15
"""Lines of a log that an error shows: what matters is at the end, and fits a screen."""


class LabError(Exception):
    """A fault with its next step.

    Args:
        what: the thing that is wrong, with its name and value.
        mend: what to do about it, a command where there is one.
        evidence: the last lines of the log that matters, if any.
    """

    def __init__(self, what: str, *, fix: str, evidence: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix
        self.evidence = evidence

    def __str__(self) -> str:
        """All three parts, as a person reads them."""
        lines = [self.what]
        lines += [f"  | {line}" for line in self.evidence.splitlines()]
        return "\n".join([*lines, f"  → {self.fix}"])


def tail(log: Path, lines: int = LOG_LINES) -> str:
    """The last lines of a log file; empty if there is none."""
    try:
        text = log.read_text(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])

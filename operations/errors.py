"""What keeps an operation from being done, told to the person who asked for it."""


class OperationError(Exception):
    """A fault with its next step.

    Args:
        what: the key or object that is wrong, its value, and the rule that it breaks.
        mend: the next command, or what to change.
        evidence: what somebody else said of it, Pulumi or the API server, if anything.
    """

    def __init__(self, what: str, *, fix: str, evidence: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix
        self.evidence = evidence

    def __str__(self) -> str:
        """All three parts, as a person reads them."""
        lines = [self.what, *(f"  | {line}" for line in self.evidence.splitlines())]
        return "\n".join([*lines, f"  → {self.fix}"])

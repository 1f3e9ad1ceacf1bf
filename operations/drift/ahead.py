"""A check of which all but the look at the cluster was done before: for who has time now, and none later."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from operations.drift.check import Declared, Observed, check, compare
from operations.drift.findings import Report
from operations.drift.snapshot import Snapshot
from operations.drift.state import State
from operations.errors import OperationError
from operations.pulumi_stack.project import Project


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What only the stack's own updates change."""

    text: str
    """The stack file's, of which all this is true."""
    wanted: Declared
    state: State


class Ahead:
    """Checks of one stack. Only `check` looks at what is live, so nothing it tells is old.

    Where somebody else updated the stack since `prepare`, objects of that update count as drift.
    """

    def __init__(self, project: Project, stack: str) -> None:
        self._project, self._stack = project, stack
        self._threads = ThreadPoolExecutor(1)
        self._known: Future[_Known] | None = None

    def prepare(self) -> None:
        """Read, beside whatever else goes on, what the stack declares and what Pulumi keeps of it."""
        self._known = self._threads.submit(self._read)

    def check(self) -> Report:
        """Compare every object of the stack, whole, with what its stack file declares now.

        Raises:
            OperationError: something could not be read: the stack file, the state, or the cluster.
        """
        known = self._taken()
        if known is None:
            return check(self._project, self._stack)
        live = Snapshot.take(known.wanted.cluster, known.wanted.manifests)
        return compare(Observed(wanted=known.wanted, state=known.state, live=live))

    def _read(self) -> _Known:
        text = self._text()
        state = State.of(self._project, self._stack)
        wanted = Declared.by(self._project, self._stack).applied(state)
        # The first look takes longer: it learns which kinds the cluster has.
        Snapshot.take(wanted.cluster, wanted.manifests)
        return _Known(text=text, wanted=wanted, state=state)

    def _taken(self) -> _Known | None:
        """Take what was prepared, if it is still of the same stack file."""
        if self._known is None:
            return None
        try:
            known = self._known.result()
        except OperationError:
            return None
        return known if known.text == self._text() else None

    def _text(self) -> str:
        return self._project.stack_file(self._stack).read_text(encoding="utf-8")

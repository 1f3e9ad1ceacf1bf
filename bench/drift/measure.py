"""Makes each edit alone, and sees who finds it and whether it is put back."""

import io
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any, Final

from rich.console import Console

from bench.drift.catalogue import Mutation
from bench.drift.site import Site
from operations.drift.check import compare, sample
from operations.drift.command import CLEAN, DRIFT, Confirm, Request, drift
from operations.errors import OperationError
from operations.kube.manifests import as_yaml

REFRESH_DRIFT: Final = 7
DIFF_DRIFT: Final = 1
BUSY_SECONDS: Final = 8
"""Between two restarts while clean checks are made: about what a rollout takes."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """What became of one edit."""

    name: str
    does: str
    found: bool
    seconds: float
    """How long the check took, without learning what is declared."""
    mended: bool
    mend_seconds: float
    """The whole command, with check, refresh of the state and check, less what it waited for an answer."""
    refresh: int | None
    """The exit code of `pulumi refresh --preview-only`; None where it was not asked."""
    diff: int | None
    """The same of `kubectl diff --server-side`."""
    note: str
    """What was found, or why something failed."""


def measure(mutation: Mutation, site: Site, before: dict[str, Any]) -> Row:
    """Make the edit, look at it through every way, put it back, and see that it is."""
    site.hands.do(mutation)
    try:
        began = time.monotonic()
        report = compare(sample(site.project, site.name, site.wanted))
        seconds = time.monotonic() - began
        touched = site.hands.touches(mutation)
        found = [each for each in report.findings if _is_of(each.ref.kind, each.ref.name, mutation, touched)]
        note = f"{found[0].problem} {found[0].path}".strip() if found else "not found"
        with _Peers(site) as peers:
            began = time.monotonic()
            fault = fix(site, peers.have_looked)
            mend_seconds = time.monotonic() - began - peers.waited
        fault = fault or _fault(site, before)
    finally:
        site.hands.undo(mutation)
    return Row(
        name=mutation.name,
        does=mutation.does,
        found=bool(found),
        seconds=seconds,
        mended=not fault,
        mend_seconds=mend_seconds,
        refresh=peers.refresh.result(),
        diff=peers.diff.result(),
        note=fault or note,
    )


class _Peers(ThreadPoolExecutor):
    """Pulumi and kubectl look while `--fix` looks, which changes nothing before they have."""

    waited: float = 0
    """Seconds for which `--fix` had its question open for them."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self.refresh = self.submit(site.refresh_code)
        self.diff = self.submit(site.kubectl_code)

    def have_looked(self, _: str) -> bool:
        """Answer yes to the question whether to put it back, when they have looked."""
        began = time.monotonic()
        wait((self.refresh, self.diff))
        self.waited = time.monotonic() - began
        return True


def _is_of(kind: str, name: str, mutation: Mutation, touched: tuple[str, str]) -> bool:
    """A pod that somebody labels is found by its name, and so is everything else."""
    return (kind, name) == touched or (mutation.object.startswith("pod/") and kind == "Pod")


def fix(site: Site, confirm: Confirm) -> str:
    """Put everything back; returns what went wrong, or nothing."""
    output = io.StringIO()
    request = Request(stack=site.name, json=False, fix=True, yes=False)
    try:
        status = drift(site.project, request, Console(file=output, width=200), confirm)
    except OperationError as error:
        return str(error)
    # What others made is left as it is: then drift stays, and all of the stack's own is as declared.
    return "" if status in (CLEAN, DRIFT) else output.getvalue()


def _fault(site: Site, before: dict[str, Any]) -> str:
    """Hold the objects themselves against what they were, and ask Pulumi whether its state is true."""
    with ThreadPoolExecutor() as beside:
        refresh = beside.submit(site.refresh_code)
        after = site.hands.objects()
    wrong = [f"{key}: {_lines(value, after[key])}" for key, value in before.items() if after[key] != value]
    if wrong:
        return f"not as before: {'; '.join(wrong)}"
    code = refresh.result()
    return f"pulumi refresh --preview-only ended with {code} afterwards" if code else ""


def _lines(*objects: Any) -> str:  # noqa: ANN401 (live objects)
    before, after = (as_yaml([each or {}]).splitlines() for each in objects)
    changed = (each for each in unified_diff(before, after, lineterm="", n=0) if each[3:4].strip())
    return " ".join(each for each in changed if not each.startswith(("---", "+++", "@@")))


def false_alarms(site: Site, checks: int) -> list[str]:
    """Check so often while an autoscaler scales and people restart; lists what was told as drift."""
    alarms = []
    with _busy(site):
        for _ in range(checks):
            report = compare(sample(site.project, site.name, site.wanted))
            alarms += [f"{each.ref} {each.problem} {each.path}" for each in report.findings]
    return alarms


@contextmanager
def _busy(site: Site) -> Iterator[None]:
    """Scale the autoscaled version through the scale subresource, as an autoscaler does, and restart both."""
    stop = threading.Event()

    def work() -> None:
        count = 1
        while not stop.is_set():
            count = count % 3 + 1
            site.hands.kubectl(f"scale deployment shop-v1 --replicas={count}")
            site.hands.kubectl("rollout restart deployment shop-v2")
            stop.wait(BUSY_SECONDS)
            site.hands.kubectl("rollout restart deployment shop-v1")
            stop.wait(BUSY_SECONDS)
        site.hands.kubectl("scale deployment shop-v1 --replicas=1")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()

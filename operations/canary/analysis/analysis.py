"""Watches one step: first whether the split is what was wanted, then whether the new version is good."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from operations.canary.analysis import split
from operations.canary.analysis.checks import Finding, Measured, Query, Verdict, overall
from operations.canary.environment import Environment
from operations.canary.journal.inbox import Command
from operations.canary.outcome import HaltRequested, Outcome, PromotionRequested, RollbackRequested
from operations.canary.plan import Plan
from operations.canary.terminal.state import CanaryState
from operations.canary.traffic import Traffic
from operations.metrics.errors import MetricsError

TICK_SECONDS = 0.5
"""Between two looks at pods and people."""
SPLIT_SECONDS = 2.0
"""Between two looks at the split."""
SPLIT_TRIES = 10
"""So many windows that do not agree: by chance alone, 1e-20 at 99 %."""
MEASURING, WAITING = "measuring the split", "too few requests, waiting for more"
WARMING = "warm-up of new pods"
PODS_SECONDS = 60.0
"""How long a version may have no ready pods before its step begins: as after somebody's restart."""


@dataclass(kw_only=True)
class Window:
    """The requests that a look judges: those since a moment. No request of a warm-up counts."""

    since: float
    """The last look that told anything, or the end of a warm-up."""
    step: float
    """The beginning of the step, or the last look that was bad by what came since the one before.

    What is too little to be told in one interval is told by all of them: 2 % errors, for instance. A look
    that was bad, and allowed, is over with the look after it.
    """


@dataclass(kw_only=True)
class Analysis:
    """Looks at figures, pods and people while a step lasts."""

    environment: Environment
    plan: Plan
    to: str
    old: str
    """The version that the new one is compared with."""
    divided: bool
    """Whether the weights alone divide the traffic, so that the split can be held against them."""
    before: int
    """The new version's weight at the beginning, in percent."""
    warm_up: float
    """Seconds of the warm-up of its pods that are left when the first step begins."""
    paused: bool = False
    """Whether it waits for a person; from the beginning where it had been paused before it was killed."""
    promoted: bool = field(default=False, init=False)
    state: CanaryState | None = field(default=None, init=False)
    _failures: int = field(default=0, init=False)
    """Bad looks of the step."""
    _window: Window = field(default_factory=lambda: Window(since=0, step=0), init=False)
    _next: float = field(default=0, init=False)
    """When the next look is due."""
    _pods: int = field(default=0, init=False)
    """The most ready pods that the new version had."""
    _served: bool = field(default=False, init=False)
    """Whether the new version has had requests."""

    _judging_since: float | None = field(default=None, init=False)
    """When the analysis of the step began."""

    def step(self, nth: int, traffic: Traffic) -> None:
        """Watch a step to its end.

        Raises:
            RollbackRequested: it is bad.
            HaltRequested: it cannot be judged, or somebody wants it to stay as it is.
            PromotionRequested: somebody wants all of it now.
        """
        self._set(nth, traffic, self.plan.steps[nth].hold)
        if not self._served:
            self._served = True
            self._warm(self.warm_up)
        if self._is_divided(nth):
            self._await_split(traffic, self.plan.steps[nth].hold)
        self._judge(self.plan.steps[nth].hold)

    def afterwards(self, traffic: Traffic) -> None:
        """Watch the time in which everything can still go back."""
        self._set(len(self.plan.steps) - 1, traffic, self.plan.rollback_window)
        self._show(phase="rollback window")
        self._judge(self.plan.rollback_window, phase="rollback window")

    def pause(self, nth: int, traffic: Traffic) -> None:
        """Wait until somebody says `--resume`, and go on watching."""
        self.paused = True
        self.environment.note("paused", by="plan", step=nth)
        self.environment.report_line("paused by the plan: --resume goes on")
        self._set(nth, traffic, 0)
        self._judge(0)

    def await_pods(self, nth: int, traffic: Traffic, *, again: bool) -> None:
        """Wait until the new version has a ready pod, and hear whoever spoke during the update before.

        A pause holds the step back, unless it is made again and was paused in the middle.

        Raises:
            RollbackRequested: it gets none, or somebody wants everybody back.
            HaltRequested: somebody wants the weights to stay as they are.
            PromotionRequested: somebody wants all of it now.
        """
        self._set(nth, traffic, None)
        deadline = self.environment.now() + PODS_SECONDS
        self.listen()
        while not (count := self.environment.ready(self.to)) or (
            self.paused and not again and not self.promoted
        ):
            if count == 0 and self.environment.now() > deadline:
                raise RollbackRequested(
                    Outcome.rolled_back, f"{self.to} has no ready pods, and gets no weight"
                )
            self._show(phase="before the step" if count else "waiting for ready pods")
            self._tick(pods=False)

    def _await_split(self, traffic: Traffic, patience: float) -> None:
        """Wait until the measured split agrees with the wanted one, by requests that tell them apart."""
        began = start = self.environment.now()
        needed = self._needed(traffic)
        shares: list[split.Share] = []
        tries, phase = 0, MEASURING
        while True:
            self._rest(SPLIT_SECONDS, phase)
            over = self.environment.now() - began >= patience
            try:
                measured = self.environment.measure(self.environment.now() - start)
                if self.environment.now() >= self._next:
                    # Whatever the split: bad is bad.
                    self._sample()
            except MetricsError as error:
                phase = self._outage(error, began, patience)
                continue
            phase = WAITING if over else MEASURING
            counts = {version: each.requests for version, each in measured.items()}
            shares = split.compare(counts, traffic.weights, self.plan.confidence)
            self._show(shares=shares, measured=measured, window=self.environment.now() - start)
            total = shares[0].total
            if total < needed and not (over and total >= self.plan.min_requests):
                if over and self._continues_without(f"{total} requests are too few to measure the split"):
                    return
                continue
            if all(each.agrees for each in shares):
                self._confirmed(shares)
                return
            tries += 1
            if tries >= SPLIT_TRIES:
                said = "; ".join(map(str, shares))
                raise RollbackRequested(
                    Outcome.rolled_back, f"the measured split is not the wanted one: {said}"
                )
            start = self.environment.now()

    def _confirmed(self, shares: list[split.Share]) -> None:
        said = ", ".join(str(each) for each in shares if each.version == self.to)
        self.environment.report_line(f"split measured: {said}, with {self.plan.confidence:g} % confidence")
        self.environment.note("split", shares={each.version: [each.count, each.total] for each in shares})

    def _needed(self, traffic: Traffic) -> int:
        """Count the requests that tell the step's split from that of the step before."""
        nth = (self.state or _NOWHERE).step - 1
        weight = traffic.weights[self.to]
        # No step gives less than the one before, and steps below what it had already are left out.
        before = max(self.before, self.plan.steps[nth - 1].weight if nth else 0)
        return split.telling(before / 100, weight / 100, self.plan.confidence)

    def _is_divided(self, nth: int) -> bool:
        step = self.plan.steps[nth]
        return self.divided and not step.match and not step.mirror

    def measured(self) -> tuple[Mapping[str, Measured], float]:
        """Measure every version since the analysis of the step began, within so many seconds.

        Returns nothing where the step was not analysed, or Prometheus does not answer.
        """
        if self._judging_since is None:
            return {}, 0
        window = self.environment.now() - self._judging_since
        try:
            return self.environment.measure(window), window
        except MetricsError:
            return {}, window

    def _judge(self, hold: float, phase: str = "analysis") -> None:
        """Look every interval; the step ends with a good look, when its time is over."""
        self._judging_since = self.environment.now()
        began = max(self.environment.now(), self._window.since)
        last, doing = Verdict.unknown, phase
        told: list[Finding] = []
        while True:
            left = min(hold, max(0.0, began + hold - self.environment.now()))
            self._show(left=left, failures=self._failures)
            self._rest(self._until_look(left), WARMING if self._warms else doing)
            if self._warms:
                continue
            since = self._window.since
            try:
                verdict, findings = self._sample()
            except MetricsError as error:
                doing = self._outage(error, began, hold)
                continue
            doing = phase
            if verdict is Verdict.good and since < began:
                # Some of its figures are of before the split was known. Of the hold, the next look is.
                self._window.since = began
            elif verdict is not Verdict.unknown:
                last, told = verdict, findings
            if self.environment.now() < began + hold or self.paused:
                continue
            if last is Verdict.good:
                return
            if verdict in {Verdict.unknown, Verdict.unsure}:
                lacks = told if last is Verdict.unsure else findings
                if self._continues_without("; ".join(f"{each.check}: {each.description}" for each in lacks)):
                    return
                doing = WAITING

    def _until_look(self, left: float) -> float:
        """Count the seconds until the next look: an interval, or less where the step is over before."""
        rest = self._next - self.environment.now()
        # A window without a length has no figures.
        return max(TICK_SECONDS, rest if self._warms or not left else min(rest, left))

    @property
    def _warms(self) -> bool:
        """Whether new pods are in their first seconds."""
        return self.environment.now() < self._window.since

    def _warm(self, seconds: float) -> None:
        """Judge nothing of the next seconds, and nothing of before together with what comes then."""
        self._restart(self.environment.now() + seconds)

    def _restart(self, since: float) -> None:
        self._window = Window(since=since, step=since)
        self._next = since + self.plan.interval

    def _sample(self) -> tuple[Verdict, list[Finding]]:
        """Judge the figures since the last look that told anything, and those of the step.

        Raises:
            RollbackRequested: it is one bad look too many.
        """
        now = self.environment.now()
        self._next = now + self.plan.interval
        window = now - self._window.since
        measured = self.environment.measure(window)
        judged, sudden = self._judged(measured, window), False
        if judged is None:
            requests = measured[self.to].requests if self.to in measured else 0
            description = (
                f"{requests:.0f} requests in {window:.0f} s, and {self.plan.min_requests} are needed"
            )
            findings = [Finding(check=self.to, verdict=Verdict.unknown, description=description)]
        else:
            asked = self._asked(window)
            sudden = overall([*judged, *asked]) is Verdict.bad
            if not sudden and self._window.step < self._window.since:
                step = now - self._window.step
                judged = self._judged(self.environment.measure(step), step) or judged
            findings = [*judged, *asked]
        verdict = overall(findings)
        self._show(measured=measured, window=window, findings=findings)
        self.environment.note(
            "look",
            verdict=verdict,
            window=window,
            weights=dict((self.state or _NOWHERE).weights),
            findings=[[each.check, each.verdict, each.description] for each in findings],
            versions={version: _figures(each) for version, each in measured.items()},
        )
        if verdict is not Verdict.unknown:
            self._window = Window(since=now, step=now if sudden else self._window.step)
        if verdict is Verdict.bad:
            self._failed(
                "; ".join(f"{each.check} {each.description}" for each in findings if each.verdict is verdict)
            )
        return verdict, findings

    def _failed(self, why: str) -> None:
        self._failures += 1
        self.environment.report_line(
            f"bad look {self._failures}, {self.plan.allowed_failures} allowed: {why}"
        )
        if self._failures > self.plan.allowed_failures:
            raise RollbackRequested(Outcome.rolled_back, why)

    def _judged(self, measured: Mapping[str, Measured], window: float) -> list[Finding] | None:
        """Hold the figures of a window against the checks; None where the requests are too few."""
        new, old = measured.get(self.to), measured.get(self.old)
        if new is None or new.requests < self.plan.min_requests:
            return None
        old = old if old and old.requests >= self.plan.min_requests else None
        error = 1 - self.plan.confidence / 100
        return [
            check.judge(new, old, error=error, window=window)
            for check in self.plan.checks
            if not isinstance(check, Query)
        ]

    def _asked(self, window: float) -> list[Finding]:
        """Ask the team's own queries."""
        return [
            check.judge(
                self.environment.value(check, self.to, window),
                self.environment.value(check, self.old, window) if check.compares else None,
            )
            for check in self.plan.checks
            if isinstance(check, Query)
        ]

    def _continues_without(self, why: str) -> bool:
        """Decide by the plan when there is nothing to judge by."""
        if self.plan.no_data == "stop":
            raise HaltRequested(Outcome.no_data, why)
        if self.plan.no_data == "continue":
            self.environment.report_line(f"going on without data: {why}")
        return self.plan.no_data == "continue"

    def _outage(self, error: MetricsError, began: float, patience: float) -> str:
        """Hold while there are no figures: they are neither good nor bad, and nothing is promoted by them.

        Returns what is waited for.
        """
        self.environment.note("outage", why=error.what)
        if self.environment.now() - began > max(patience, PODS_SECONDS) and self.plan.no_data != "wait":
            raise HaltRequested(Outcome.no_data, f"{error.what}; the weights stay")
        return f"no figures: {error.what}"

    def _rest(self, seconds: float, phase: str) -> None:
        deadline = self.environment.now() + seconds
        while (left := deadline - self.environment.now()) > 0:
            self._tick(pods=True, at_most=left)
            self._show(phase=phase)

    def _tick(self, *, pods: bool, at_most: float = TICK_SECONDS) -> None:
        self.listen()
        if pods:
            self._count_pods()
        self.environment.sleep(min(TICK_SECONDS, at_most))

    def _count_pods(self) -> None:
        count = self.environment.ready(self.to)
        if count == 0:
            raise RollbackRequested(Outcome.rolled_back, f"{self.to} has no ready pods any more")
        if count is None or count <= self._pods:
            return
        # Beyond the most it ever had: pods that come and go are no reason to stop judging.
        if self._pods and self.plan.warm_up:
            self.environment.report_line(
                f"{self.to} has {count} ready pods, {self._pods} before: they warm up"
            )
            self._warm(self.plan.warm_up)
        self._pods = count

    def listen(self) -> None:
        """Do what people ask for.

        Raises:
            RollbackRequested: somebody wants everybody back.
            HaltRequested: somebody wants the weights to stay as they are.
            PromotionRequested: somebody wants all of it now.
        """
        match self.environment.command():
            case Command.pause:
                self.paused = True
                self.environment.note("paused", by="hand")
                self.environment.reply("the canary stays at its step, watched; --resume goes on")
                self.environment.report_line("paused: --resume goes on")
            case Command.resume if self.paused:
                self.paused = False
                self.environment.note("resumed")
                self.environment.reply("the canary goes on")
                self.environment.report_line("goes on")
            case Command.resume:
                self.environment.reply("the canary is not paused", accepted=False)
            case Command.promote:
                self.environment.reply(f"{self.to} gets all the traffic")
                if not self.promoted:
                    self.promoted = True
                    raise PromotionRequested
            case Command.abort:
                self.environment.reply(f"{self.to} loses its traffic")
                raise RollbackRequested(Outcome.aborted, "aborted by hand")
        match self.environment.interrupted():
            case "hold":
                raise HaltRequested(Outcome.held, "interrupted; the weights stay")
            case "back":
                raise RollbackRequested(Outcome.aborted, "interrupted, to go back")

    def _set(self, nth: int, traffic: Traffic, left: float | None) -> None:
        self._failures, self._judging_since = 0, None
        # A warm-up goes on into the next step.
        self._restart(max(self.environment.now(), self._window.since))
        self.state = CanaryState(
            to=self.to,
            step=nth + 1,
            steps=len(self.plan.steps),
            phase="",
            left=left,
            weights=traffic.weights,
            allowed=self.plan.allowed_failures,
        )

    def _show(self, **changes: object) -> None:
        self.state = replace(self.state or _NOWHERE, paused=self.paused, **changes)  # type: ignore[arg-type]
        self.environment.show(self.state)


_NOWHERE = CanaryState(to="", step=1, steps=1, phase="", weights={})


def _figures(measured: Measured) -> Mapping[str, float | None]:
    return {
        "requests": measured.requests,
        "failures": measured.failures,
        "p50": measured.percentile(0.5),
        "p99": measured.percentile(0.99),
    }

"""Watches one step: first whether the split is what was wanted, then whether the new version is good."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from operations.canary import split
from operations.canary.checks import Check, Finding, Measured, Verdict, overall
from operations.canary.inbox import Wish
from operations.canary.outcome import BackError, Outcome, PromoteError, StopError
from operations.canary.plan import Plan
from operations.canary.scene import Scene
from operations.canary.traffic import Traffic
from operations.canary.world import World
from operations.figures.errors import FiguresError

TICK_SECONDS = 0.5
"""Between two looks at pods and people."""
SPLIT_SECONDS = 2.0
"""Between two looks at the split."""
SPLIT_TRIES = 10
"""So many windows that do not agree: by chance alone, 1e-20 at 99 %."""
MEASURING, WAITING = "measuring the split", "too few requests, waiting for more"
PODS_SECONDS = 60.0
"""How long a version may have no ready pods before its step begins: as after somebody's restart."""


@dataclass(kw_only=True)
class Watch:
    """Looks at figures, pods and people while a step lasts."""

    world: World
    plan: Plan
    to: str
    old: str
    """The version that the new one is compared with."""
    divided: bool
    """Whether the weights alone divide the traffic, so that the split can be held against them."""
    paused: bool = False
    """Whether it waits for a person; from the beginning where it had been paused before it was killed."""
    promoted: bool = field(default=False, init=False)
    scene: Scene | None = field(default=None, init=False)
    _failures: int = field(default=0, init=False)
    """Bad looks of the step."""
    _looked: float = field(default=0, init=False)
    """When the last look of the step was that told anything, or when its time began."""

    _judging_since: float | None = field(default=None, init=False)
    """When the analysis of the step began."""

    def step(self, nth: int, traffic: Traffic) -> None:
        """Watch a step to its end.

        Raises:
            BackError: it is bad.
            StopError: it cannot be judged, or somebody wants it to stay as it is.
            PromoteError: somebody wants all of it now.
        """
        self.world.prepare()
        self._set(nth, traffic, self.plan.steps[nth].hold)
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
        self.world.note("paused", by="plan", step=nth)
        self.world.tell("paused by the plan: --resume goes on")
        self._set(nth, traffic, 0)
        self._judge(0)

    def await_pods(self, nth: int, traffic: Traffic, *, again: bool) -> None:
        """Wait until the new version has a ready pod, and hear whoever spoke during the update before.

        A pause holds the step back, unless it is made again and was paused in the middle.

        Raises:
            BackError: it gets none, or somebody wants everybody back.
            StopError: somebody wants the weights to stay as they are.
            PromoteError: somebody wants all of it now.
        """
        self._set(nth, traffic, None)
        deadline = self.world.now() + PODS_SECONDS
        self.listen()
        while not (count := self.world.ready(self.to)) or (self.paused and not again and not self.promoted):
            if count == 0 and self.world.now() > deadline:
                raise BackError(Outcome.rolled_back, f"{self.to} has no ready pods, and gets no weight")
            self._show(phase="before the step" if count else "waiting for ready pods")
            self._tick(pods=False)

    def _await_split(self, traffic: Traffic, patience: float) -> None:
        """Wait until the measured split agrees with the wanted one, by requests that tell them apart."""
        began = start = self.world.now()
        needed = self._needed(traffic)
        shares: list[split.Share] = []
        tries, phase = 0, MEASURING
        while True:
            self._rest(SPLIT_SECONDS, phase)
            over = self.world.now() - began >= patience
            try:
                measured = self.world.measure(self.world.now() - start)
                if self.world.now() - self._looked >= self.plan.interval:
                    # Whatever the split: bad is bad.
                    self._look(self._looked)
            except FiguresError as error:
                phase = self._outage(error, began, patience)
                continue
            phase = WAITING if over else MEASURING
            counts = {version: each.requests for version, each in measured.items()}
            shares = split.compare(counts, traffic.weights, self.plan.confidence)
            self._show(shares=shares, measured=measured, window=self.world.now() - start)
            total = shares[0].total
            if total < needed and not (over and total >= self.plan.min_requests):
                if over and self._goes_on_without(f"{total} requests are too few to measure the split"):
                    return
                continue
            if all(each.agrees for each in shares):
                self._confirmed(shares)
                return
            tries += 1
            if tries >= SPLIT_TRIES:
                said = "; ".join(map(str, shares))
                raise BackError(Outcome.rolled_back, f"the measured split is not the wanted one: {said}")
            start = self.world.now()

    def _confirmed(self, shares: list[split.Share]) -> None:
        said = ", ".join(str(each) for each in shares if each.version == self.to)
        self.world.tell(f"split measured: {said}, with {self.plan.confidence:g} % confidence")
        self.world.note("split", shares={each.version: [each.count, each.total] for each in shares})

    def _needed(self, traffic: Traffic) -> int:
        """Count the requests that tell the step's split from that of the step before."""
        nth = (self.scene or _NOWHERE).step - 1
        weight = traffic.weights[self.to]
        before = self.plan.steps[nth - 1].weight if nth else 0
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
        window = self.world.now() - self._judging_since
        try:
            return self.world.measure(window), window
        except FiguresError:
            return {}, window

    def _judge(self, hold: float, phase: str = "analysis") -> None:
        """Look every interval; the step ends with a good look, when its time is over."""
        began = start = self._judging_since = self.world.now()
        said, now = Verdict.unknown, phase
        # A look that is due since before the split was known says whether the version is bad. That it is
        # good, the figures of the hold alone say.
        early = self._looked + self.plan.interval < began + hold and self._looked < began
        while True:
            left = max(0.0, hold - (self.world.now() - began))
            self._show(left=left, phase=now, failures=self._failures)
            due = max(0.0, self._looked + self.plan.interval - self.world.now())
            self._rest(due if early else min(self.plan.interval, left) or self.plan.interval, now)
            try:
                verdict, findings = self._look(self._looked if early else start)
            except FiguresError as error:
                # The next look is an interval away: without a rest nobody would be heard meanwhile.
                now, early = self._outage(error, began, hold), False
                continue
            now = phase
            if verdict is Verdict.bad or (verdict is Verdict.good and not early):
                start, said = self.world.now(), verdict
            early = False
            if self.world.now() - began < hold or self.paused:
                continue
            if said is Verdict.good:
                return
            if said is Verdict.unknown and verdict is Verdict.unknown:
                why = "; ".join(f"{each.check}: {each.says}" for each in findings)
                if self._goes_on_without(why):
                    return
                now = WAITING

    def _look(self, since: float) -> tuple[Verdict, list[Finding]]:
        """Judge the figures since a moment.

        Raises:
            BackError: it is one bad look too many.
        """
        window = self.world.now() - since
        measured = self.world.measure(window)
        mine, old = measured.get(self.to), measured.get(self.old)
        requests = mine.requests if mine else 0
        if mine is None or requests < self.plan.min_requests:
            says = f"{requests:.0f} requests in {window:.0f} s, and {self.plan.min_requests} are needed"
            findings = [Finding(check=self.to, verdict=Verdict.unknown, says=says)]
        else:
            old = old if old and old.requests >= self.plan.min_requests else None
            findings = [self._checked(check, mine, old, window) for check in self.plan.checks]
        verdict = overall(findings)
        self._show(measured=measured, window=window, findings=findings)
        self.world.note(
            "look",
            verdict=verdict,
            window=window,
            weights=dict((self.scene or _NOWHERE).weights),
            findings=[[each.check, each.verdict, each.says] for each in findings],
            versions={version: _figures(each) for version, each in measured.items()},
        )
        if verdict is not Verdict.unknown:
            self._looked = self.world.now()
        if verdict is Verdict.bad:
            self._failures += 1
            why = "; ".join(f"{each.check} {each.says}" for each in findings if each.verdict is verdict)
            self.world.tell(f"bad look {self._failures}, {self.plan.allowed_failures} allowed: {why}")
            if self._failures > self.plan.allowed_failures:
                raise BackError(Outcome.rolled_back, why)
        return verdict, findings

    def _checked(self, check: Check, mine: Measured, old: Measured | None, window: float) -> Finding:
        if check.promql is None:
            return check.judge(check.value(mine), check.value(old) if old else None)
        value = self.world.value(check, self.to, window)
        return check.judge(value, self.world.value(check, self.old, window) if check.compares else None)

    def _goes_on_without(self, why: str) -> bool:
        """Decide by the plan when there is nothing to judge by."""
        if self.plan.no_data == "stop":
            raise StopError(Outcome.no_data, why)
        if self.plan.no_data == "continue":
            self.world.tell(f"going on without data: {why}")
        return self.plan.no_data == "continue"

    def _outage(self, error: FiguresError, began: float, patience: float) -> str:
        """Hold while there are no figures: they are neither good nor bad, and nothing is promoted by them.

        Returns what is waited for.
        """
        self.world.note("outage", why=error.what)
        if self.world.now() - began > max(patience, PODS_SECONDS) and self.plan.no_data != "wait":
            raise StopError(Outcome.no_data, f"{error.what}; the weights stay")
        return f"no figures: {error.what}"

    def _rest(self, seconds: float, phase: str) -> None:
        deadline = self.world.now() + seconds
        while (left := deadline - self.world.now()) > 0:
            self._tick(pods=True, at_most=left)
            self._show(phase=phase)

    def _tick(self, *, pods: bool, at_most: float = TICK_SECONDS) -> None:
        self.listen()
        if pods and self.world.ready(self.to) == 0:
            raise BackError(Outcome.rolled_back, f"{self.to} has no ready pods any more")
        self.world.sleep(min(TICK_SECONDS, at_most))

    def listen(self) -> None:
        """Do what people ask for.

        Raises:
            BackError: somebody wants everybody back.
            StopError: somebody wants the weights to stay as they are.
            PromoteError: somebody wants all of it now.
        """
        match self.world.wish():
            case Wish.pause:
                self.paused = True
                self.world.note("paused", by="hand")
                self.world.reply("the canary stays at its step, watched; --resume goes on")
                self.world.tell("paused: --resume goes on")
            case Wish.resume if self.paused:
                self.paused = False
                self.world.note("resumed")
                self.world.reply("the canary goes on")
                self.world.tell("goes on")
            case Wish.resume:
                self.world.reply("the canary is not paused", accepted=False)
            case Wish.promote:
                self.world.reply(f"{self.to} gets all the traffic")
                if not self.promoted:
                    self.promoted = True
                    raise PromoteError
            case Wish.abort:
                self.world.reply(f"{self.to} loses its traffic")
                raise BackError(Outcome.aborted, "aborted by hand")
        match self.world.interrupted():
            case "hold":
                raise StopError(Outcome.held, "interrupted; the weights stay")
            case "back":
                raise BackError(Outcome.aborted, "interrupted, to go back")

    def _set(self, nth: int, traffic: Traffic, left: float | None) -> None:
        self._failures, self._looked, self._judging_since = 0, self.world.now(), None
        self.scene = Scene(
            to=self.to,
            step=nth + 1,
            steps=len(self.plan.steps),
            phase="",
            left=left,
            weights=traffic.weights,
            allowed=self.plan.allowed_failures,
        )

    def _show(self, **changes: object) -> None:
        self.scene = replace(self.scene or _NOWHERE, paused=self.paused, **changes)  # type: ignore[arg-type]
        self.world.show(self.scene)


_NOWHERE = Scene(to="", step=1, steps=1, phase="", weights={})


def _figures(measured: Measured) -> Mapping[str, float | None]:
    return {
        "requests": measured.requests,
        "failures": measured.failures,
        "p50": measured.percentile(0.5),
        "p99": measured.percentile(0.99),
    }

"""Applies the commands of other terminals, and signals, to the running canary."""

from dataclasses import dataclass, field

from operations.canary.environment import Environment
from operations.canary.journal.inbox import Command
from operations.canary.outcome import HaltRequested, Outcome, PromotionRequested, RollbackRequested


@dataclass(kw_only=True)
class Commands:
    """What the user has requested so far."""

    environment: Environment
    to: str
    paused: bool = False
    """Waits for `--resume`. Initially true if the canary was paused when its process ended."""
    promoted: bool = field(default=False, init=False)
    """`--promote` was requested."""

    def poll(self) -> None:
        """Apply the next command or signal, if there is one.

        Raises:
            RollbackRequested: `--abort`, or a signal that ends the process.
            HaltRequested: Ctrl-C, answered with hold.
            PromotionRequested: `--promote`.
        """
        match self.environment.command():
            case Command.pause:
                self.paused = True
                self.environment.note("paused", by="hand")
                self._accept("pause requested: the step stays and is still analysed; --resume continues")
            case Command.resume if self.paused:
                self.paused = False
                self.environment.note("resumed")
                self._accept("resumed")
            case Command.resume:
                self.environment.reply("the canary is not paused", accepted=False)
            case Command.promote:
                self.environment.reply(f"{self.to} gets all the traffic")
                if not self.promoted:
                    self.promoted = True
                    raise PromotionRequested
            case Command.abort:
                self.environment.reply(f"{self.to} loses its traffic")
                raise RollbackRequested(Outcome.aborted, "aborted manually")
        match self.environment.interrupted():
            case "hold":
                raise HaltRequested(Outcome.held, "interrupted; the weights stay as they are")
            case "back":
                raise RollbackRequested(Outcome.aborted, "interrupted; rollback requested")

    def pause_by_plan(self, nth: int) -> None:
        """Pause after a step by `pause` of the plan."""
        self.paused = True
        self.environment.note("paused", by="plan", step=nth)
        self.environment.report_line("paused by the plan; --resume continues")

    def _accept(self, text: str) -> None:
        self.environment.reply(text)
        self.environment.report_line(text)

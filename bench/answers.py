"""What the answers at the ingress show. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True)
class Answer:
    """One request."""

    at: float
    """The moment of the request, in Unix seconds."""
    version: str
    """Which version answered, well or badly; empty where none did."""
    status: int
    """0 where there was no answer."""

    @property
    def good(self) -> bool:
        """Whether the caller got what was asked for."""
        return self.status == HTTPStatus.OK


def change_of_share(answers: Sequence[Answer], version: str, before: float, after: float) -> float:
    """Return the likeliest moment from which a version has the share `after`, 0 to 1, and no longer `before`.

    Raises:
        ValueError: the answers show no change.
    """
    won, lost = math.log(after / before), math.log((1 - after) / (1 - before))
    best, total, moment = 0.0, 0.0, None
    for answer in reversed(answers):
        total += won if answer.version == version else lost
        if total > best:
            best, moment = total, answer.at
    if moment is None:
        message = f"{len(answers)} answers, and the share of {version} stayed {before:.0%}"
        raise ValueError(message)
    return moment


def moments(answers: Sequence[Answer], version: str, *, bad: bool = False) -> list[float]:
    """Return the moments of a version's answers, or of its bad ones.

    Raises:
        ValueError: there is none.
    """
    found = [each.at for each in answers if each.version == version and not (bad and each.good)]
    if not found:
        message = f"none of {len(answers)} answers is {'a bad one ' if bad else ''}of {version}"
        raise ValueError(message)
    return found

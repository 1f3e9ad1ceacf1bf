"""Who answers at the ingress, asked many times a second, and since when the split is another one."""

import http.client
import math
import time
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

PAUSE_SECONDS: Final = 0.004
"""Between two requests: about 200 a second, which takes a fifth of a core."""
LONGEST_SECONDS: Final = 120
ANSWER_SECONDS: Final = 10


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One request."""

    asked: float
    """When, by the clock that all processes of the machine share (`time.monotonic`)."""
    version: str
    """Who answered; the status, where that is no success."""


class Answers:
    """Asks from enter to exit, in a process of its own: the measured one keeps its processor."""

    def __init__(self, url: str, host: str) -> None:
        self._url, self._host = url, host
        self.all: list[Answer] = []

    def __enter__(self) -> Self:
        """Start asking; returns when the first answer is there."""
        context = get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=_ask, args=(self._url, self._host, there), daemon=True)
        self._process.start()
        self._here.recv()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and take what came."""
        self._here.send(None)
        self.all = self._here.recv()
        self._process.join()


def changed(answers: list[Answer], version: str, before: float, after: float) -> float:
    """Tell since when a version has the share `after` (0 to 1) and no longer `before`: the likeliest moment.

    Raises:
        ValueError: the answers say that it never changed.
    """
    won, lost = math.log(after / before), math.log((1 - after) / (1 - before))
    best, total, moment = 0.0, 0.0, None
    for answer in reversed(answers):
        total += won if answer.version == version else lost
        if total > best:
            best, moment = total, answer.asked
    if moment is None:
        message = f"{len(answers)} answers, and the share of {version} stayed {before:.0%}"
        raise ValueError(message)
    return moment


def _ask(url: str, host: str, pipe: Connection) -> None:
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=ANSWER_SECONDS)
    found: list[Answer] = []
    ends = time.monotonic() + LONGEST_SECONDS
    while not pipe.poll(PAUSE_SECONDS) and time.monotonic() < ends:
        asked = time.monotonic()
        connection.request("GET", where.path, headers={"Host": host})
        response = connection.getresponse()
        response.read()
        version = response.headers.get("x-version", "") if response.status == http.HTTPStatus.OK else ""
        found.append(Answer(asked=asked, version=version or str(response.status)))
        if len(found) == 1:
            pipe.send(None)
    pipe.send(found)

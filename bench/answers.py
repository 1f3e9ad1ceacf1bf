"""Who answers at the ingress, asked at a constant rate, and since when the split is another one."""

import http.client
import math
import threading
import time
from dataclasses import dataclass
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

RATE: Final = 200
"""Requests a second, which take a fifth of a core."""
CALLERS: Final = 8
"""Connections: whichever is free asks next, so that an answer that is late keeps no other waiting."""
LONGEST_SECONDS: Final = 400
"""It stops asking after so long, whatever becomes of who began it."""
ANSWER_SECONDS: Final = 10


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One request."""

    asked: float
    """When, by the clock that all processes of the machine share (`time.monotonic`)."""
    version: str
    """Who answered, well or badly; empty where no version did."""
    status: int
    """0 where there was no answer."""

    @property
    def good(self) -> bool:
        """Whether the caller got what was asked for."""
        return self.status == http.HTTPStatus.OK


class Answers:
    """Asks from enter to exit, in a process of its own: what is measured keeps its processor.

    Args:
        url: what is asked.
        host: the name that it is asked by.
    """

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
        """Stop, and take what came, in the order in which it was asked."""
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
    """Ask until something comes through the pipe; send None after the first answer, and all at the end."""
    found: list[Answer] = []
    first, over = threading.Event(), threading.Event()

    def call() -> None:
        where = urlsplit(url)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=ANSWER_SECONDS)
        for nth in turns:
            if over.wait(max(0.0, began + nth / RATE - time.monotonic())):
                return
            found.append(_answer(connection, where.path, host))
            first.set()

    began, turns = time.monotonic(), count()
    callers = [threading.Thread(target=call) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    first.wait()
    pipe.send(None)
    pipe.poll(LONGEST_SECONDS)
    over.set()
    for caller in callers:
        caller.join()
    pipe.send(sorted(found, key=lambda answer: answer.asked))


def _answer(connection: http.client.HTTPConnection, path: str, host: str) -> Answer:
    asked = time.monotonic()
    try:
        connection.request("GET", path, headers={"Host": host})
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException):
        connection.close()  # the next request opens it anew
        return Answer(asked=asked, version="", status=0)
    return Answer(asked=asked, version=response.headers.get("x-version", ""), status=response.status)

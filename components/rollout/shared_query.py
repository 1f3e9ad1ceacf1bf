"""One question for all that wait for its answer, and only so many of them a second. No Pulumi, no cluster."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

Answer = TypeVar("Answer")


class QueryRate:
    """One question at a time, and so many seconds from the beginning of one to that of the next."""

    def __init__(self, interval: float) -> None:
        self._interval: Final = interval
        self._begun = float("-inf")
        self.turn = asyncio.Lock()
        """Held by the question that is being asked; others get it in the order of their calls."""

    async def begin(self) -> None:
        """Wait until a question may begin."""
        await asyncio.sleep(max(0.0, self._begun + self._interval - time.monotonic()))
        self._begun = time.monotonic()


async def _nothing() -> None:
    """Prepare a question that needs nothing."""


class SharedQuery(Generic[Answer]):
    """A question whose answer several may wait for: each gets one that was asked for after its call."""

    def __init__(
        self,
        ask: Callable[[], Awaitable[Answer]],
        pace: QueryRate,
        prepare: Callable[[], Awaitable[None]] = _nothing,
    ) -> None:
        self._ask, self._pace, self._prepare = ask, pace, prepare
        self._next: asyncio.Future[Answer] | None = None

    async def __call__(self) -> Answer:
        """Ask, together with all that wait for the same turn.

        Raises:
            Exception: what the question raises, for all of them.
        """
        if self._next is None:
            self._next = asyncio.ensure_future(self._in_turn())
        # Who stops waiting takes the answer from nobody else.
        return await asyncio.shield(self._next)

    async def _in_turn(self) -> Answer:
        async with self._pace.turn:
            try:
                await self._prepare()
                await self._pace.begin()
            finally:
                # Who calls from now on needs a later answer.
                self._next = None
            return await self._ask()

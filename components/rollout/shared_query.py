"""A query whose response is shared by concurrent callers, with a rate limit. No Pulumi, no cluster."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

Response = TypeVar("Response")


class QueryRate:
    """Allows one query at a time, with an interval between their starts."""

    def __init__(self, interval: float) -> None:
        self._interval: Final = interval
        self._begun = float("-inf")
        self.turn = asyncio.Lock()
        """Held by the running query; others acquire it in the order of their calls."""

    async def begin(self) -> None:
        """Wait until the next query may start."""
        await asyncio.sleep(max(0.0, self._begun + self._interval - time.monotonic()))
        self._begun = time.monotonic()


async def _nothing() -> None:
    """Do nothing before a query."""


class SharedQuery(Generic[Response]):
    """A query with a shared response: each caller gets one that was requested after its call."""

    def __init__(
        self,
        query: Callable[[], Awaitable[Response]],
        rate: QueryRate,
        prepare: Callable[[], Awaitable[None]] = _nothing,
    ) -> None:
        self._query, self._rate, self._prepare = query, rate, prepare
        self._next: asyncio.Future[Response] | None = None

    async def __call__(self) -> Response:
        """Run the query, together with all callers that wait for the same turn.

        Raises:
            Exception: the error of the query, for all callers.
        """
        if self._next is None:
            self._next = asyncio.ensure_future(self._in_turn())
        # A cancelled caller must not cancel the query of the others.
        return await asyncio.shield(self._next)

    async def _in_turn(self) -> Response:
        async with self._rate.turn:
            try:
                await self._prepare()
                await self._rate.begin()
            finally:
                # Later callers need a later response.
                self._next = None
            return await self._query()

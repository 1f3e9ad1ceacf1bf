"""Forwards a port of a pod with a kubectl that ends with the update, even if that is killed. No Pulumi."""

import asyncio
import re
import sys
from typing import Final

from components.rollout.kubectl import Kubectl, KubectlError, unstarted

SUPERVISOR: Final = """
import os, subprocess, sys, threading
kubectl = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
def end():
    os.read(0, 1)
    kubectl.kill()
threading.Thread(target=end, daemon=True).start()
os._exit(kubectl.wait())
"""
"""Runs kubectl while its own standard input is open.

The system closes the input when the program is killed. kubectl itself reads no input, and PDEATHSIG exists
only on Linux.
"""

READY: Final = re.compile(rb"Forwarding from 127\.0\.0\.1:(\d+) ")

LENGTH: Final = re.compile(rb"^content-length:\s*(\d+)", re.IGNORECASE | re.MULTILINE)
CHUNKED: Final = re.compile(rb"^transfer-encoding:\s*chunked", re.IGNORECASE | re.MULTILINE)

SOME_LINES: Final = 3

END_SECONDS: Final = 5.0
"""The limit for the end of kubectl, which takes milliseconds after it is killed."""


class PortForwardFailed(Exception):
    """A forwarded port no longer answers: the pod or the API server is gone."""


class PortForward:
    """One kubectl port-forward for any number of requests, each with a connection of its own."""

    def __init__(self, kubectl: Kubectl, pod: str, port: int) -> None:
        self._command = kubectl.command(
            "port-forward", f"pod/{pod}", f":{port}", "--address=127.0.0.1", "--pod-running-timeout=5s"
        )
        self._output: list[bytes] = []
        self._closed = False
        self._local: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._process = asyncio.ensure_future(self._run())

    @property
    def is_over(self) -> bool:
        """Whether kubectl has ended, as it does with the pod, or is about to end."""
        return self._closed or self._process.done()

    def close(self) -> None:
        """End it."""
        self._closed = True
        self._process.cancel()

    async def opened(self) -> int:
        """Wait for the port; returns its local number.

        Raises:
            KubectlError: kubectl cannot forward it.
        """
        return await asyncio.shield(self._local)

    async def get(self, path: str) -> tuple[int, bytes]:
        """Send a GET request through the port; returns status and body.

        Raises:
            PortForwardFailed: the pod does not answer.
        """
        local = await self.opened()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", local)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
                return await _answer(reader)
            finally:
                writer.close()
        except (OSError, EOFError, ValueError) as error:
            raise PortForwardFailed(
                self._text() or f"the connection ended within a response: {error}"
            ) from error

    async def _run(self) -> None:
        """Run kubectl until it ends or this is cancelled, at the latest at the end of the program."""
        try:
            # A session of its own: on an interrupt from the terminal, Pulumi still finishes its steps.
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-ISc", SUPERVISOR, *self._command),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            self._fail(unstarted(error))
            return
        try:
            await self._listen(process)
        finally:
            await _end(process)
            self._fail(KubectlError(self._text() or f"{' '.join(self._command)} ended"))

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        """Read what kubectl prints: the port, a line for each request, and why it ends."""
        while process.stdout and (line := await process.stdout.readline()):
            if (ready := READY.match(line)) and not self._local.done():
                self._local.set_result(int(ready[1]))
            elif not line.startswith((b"Forwarding from", b"Handling connection")):
                self._output = [*self._output, line][-SOME_LINES:]

    def _fail(self, why: KubectlError) -> None:
        if not self._local.done():
            self._local.set_exception(why)
            # Without a waiter asyncio would log the exception as never retrieved.
            self._local.exception()

    def _text(self) -> str:
        return b" ".join(map(bytes.strip, self._output)).decode(errors="replace")


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read status and body, without waiting for the end of the connection, which containerd delays by 1 s.

    Raises:
        EOFError: the connection ended early.
        ValueError: the response is not HTTP.
    """
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head.split(maxsplit=2)[1])
    if length := LENGTH.search(head):
        return status, await reader.readexactly(int(length[1]))
    if not CHUNKED.search(head):
        return status, await reader.read()
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
    return status, body


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.stdin:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), END_SECONDS)
    except TimeoutError:
        process.kill()

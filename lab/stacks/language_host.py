"""A Python language host for Pulumi, as far as this project's programs and policy packs need it.

Pulumi's own is part of its installer, and on no package registry. This one serves the same protocol with the
SDK's server; the engine starts it as `pulumi-language-python`.
"""

import os
import queue
import runpy
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent import futures
from importlib import metadata
from pathlib import Path
from typing import IO

import grpc
import pulumi
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

LARGEST_MESSAGE = 400 << 20
"""Bytes; as in Pulumi's own hosts."""


class Host(LanguageServer):
    """Runs a project's program in this process, and plugins as processes of their own."""

    def __init__(self, engine: str) -> None:
        super().__init__(self._program)
        self._engine = engine

    def Handshake(self, _request: object, _context: object) -> object:  # noqa: N802 (protocol's name)
        """Accept every engine."""
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, _request: object, _context: object) -> object:  # noqa: N802
        """Return the version of the SDK."""
        return plugin_pb2.PluginInfo(version=metadata.version("pulumi"))

    def Run(self, request: language_pb2.RunRequest, context: grpc.ServicerContext) -> object:  # noqa: N802
        """Run the program of `request`, in its folder, as Pulumi documents."""
        os.chdir(request.info.program_directory or ".")
        del request.args[:]
        request.args.append(self._engine)
        try:
            response = super().Run(request, context)  # type: ignore[no-untyped-call]  # the SDK's own, untyped
        except pulumi.RunError as error:
            # The SDK raises the program's error a second time while it waits for the outputs.
            response = language_pb2.RunResponse(error=str(error))
        # The SDK has logged the error; without this the engine would log it again, as an unhandled one.
        response.bail = bool(response.error)
        return response

    def RunPlugin(  # noqa: N802
        self, request: language_pb2.RunPluginRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.RunPluginResponse]:
        """Run a policy pack or another plugin, and yield its output, then its exit code."""
        folder = request.info.program_directory
        command = (
            ["-m", "pulumi.policy", *request.args, folder]
            if request.kind == "analyzer"
            else [folder, *request.args]
        )
        process = subprocess.Popen(
            [sys.executable, "-u", *command],
            cwd=request.pwd,
            env=dict(item.split("=", 1) for item in request.env) or None,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        context.add_callback(process.kill)
        chunks: queue.Queue[dict[str, bytes] | None] = queue.Queue()

        def pump(name: str, pipe: IO[bytes]) -> None:
            while chunk := os.read(pipe.fileno(), 1 << 16):
                chunks.put({name: chunk})
            chunks.put(None)

        pipes = {"stdout": process.stdout, "stderr": process.stderr}
        for name, pipe in pipes.items():
            threading.Thread(target=pump, args=(name, pipe), daemon=True).start()
        for _ in pipes:
            while (chunk := chunks.get()) is not None:
                yield language_pb2.RunPluginResponse(**chunk)  # type: ignore[arg-type]  # one of two fields of bytes
        yield language_pb2.RunPluginResponse(exitcode=process.wait())

    @staticmethod
    def _program() -> None:
        folder = str(Path.cwd())
        if folder not in sys.path:
            sys.path.insert(0, folder)
        runpy.run_path("__main__.py", run_name="__main__")


def main() -> None:
    """Serve on a free port of loopback, print the port, and end without output on INT and TERM."""
    options = [("grpc.max_receive_message_length", LARGEST_MESSAGE)]
    server = grpc.server(futures.ThreadPoolExecutor(), options=options)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Host(sys.argv[-1]), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)  # noqa: T201 (the protocol: the engine reads it)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
    # A killed engine sends no signal.
    engine = os.getppid()
    while server.wait_for_termination(timeout=1) and os.getppid() == engine:
        pass
    os._exit(0)


if __name__ == "__main__":
    main()

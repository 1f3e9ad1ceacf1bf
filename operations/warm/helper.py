"""The process that stands ready: Pulumi's language host of one program, with all that it imports imported.

It is run by its path in the program's own Python, with the program's folder. It says in JSON where it is
reached and what it imported, serves one update, and ends when its input does.
"""

import ast
import importlib
import json
import os
import runpy
import sys
import time
from concurrent import futures
from importlib import metadata
from pathlib import Path

import grpc
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

LARGEST_MESSAGE = 400 << 20
"""Bytes; what Pulumi's own hosts allow."""
PROGRAM = "__main__.py"


class Program(LanguageServer):
    """Runs the program once, as Pulumi's own host does."""

    def Handshake(self, _request: object, _context: object) -> object:  # noqa: N802 (protocol's name)
        """Nothing to agree on."""
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, _request: object, _context: object) -> object:  # noqa: N802
        """The version of the SDK in use."""
        return plugin_pb2.PluginInfo(version=metadata.version("pulumi"))

    def Run(self, request: language_pb2.RunRequest, context: grpc.ServicerContext) -> object:  # noqa: N802
        """Run it; the SDK has told its error, which the engine would tell again."""
        response = super().Run(request, context)  # type: ignore[no-untyped-call]  # the SDK's own, untyped
        response.bail = bool(response.error)
        return response


def main() -> None:
    """Stand ready."""
    began, folder = time.time_ns(), Path(sys.argv[1])
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    for name in imported(Path(PROGRAM).read_text(encoding="utf-8")):
        importlib.import_module(name)
    options = [("grpc.max_receive_message_length", LARGEST_MESSAGE)]
    server = grpc.server(futures.ThreadPoolExecutor(), options=options)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Program(_run), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    files = [module.__file__ for module in tuple(sys.modules.values()) if getattr(module, "__file__", None)]
    print(json.dumps({"began": began, "port": port, "files": files}), flush=True)  # noqa: T201 (the protocol)
    sys.stdin.read()
    os._exit(0)


def imported(program: str) -> list[str]:
    """Name the modules that a program imports at its top."""
    names: list[str] = []
    for each in ast.parse(program).body:
        if isinstance(each, ast.Import):
            names += [alias.name for alias in each.names]
        elif isinstance(each, ast.ImportFrom) and each.module:
            names += [each.module]
    return names


def _run() -> None:
    runpy.run_path(PROGRAM, run_name="__main__")


if __name__ == "__main__":
    main()

import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import grpc
import pulumi
import pytest
from google.protobuf import empty_pb2
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from lab.stacks import language_host
from lab.stacks.language_host import Host

HOST = Path(language_host.__file__)


@pytest.fixture
def host() -> Iterator[subprocess.Popen[str]]:
    """The host as the engine starts it."""
    process = subprocess.Popen(
        [sys.executable, "-P", str(HOST), "127.0.0.1:1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


def stub(host: subprocess.Popen[str]) -> language_pb2_grpc.LanguageRuntimeStub:
    """A client of the host, by the port that it printed."""
    assert host.stdout is not None
    channel = grpc.insecure_channel(f"127.0.0.1:{int(host.stdout.readline())}")
    return language_pb2_grpc.LanguageRuntimeStub(channel)


def test_it_tells_its_port_and_its_version_and_ends_quietly(host: subprocess.Popen[str]) -> None:
    """The engine reads the port, asks, and interrupts it at the end: no traceback, exit code 0."""
    about = stub(host).GetPluginInfo(empty_pb2.Empty(), timeout=20)
    assert about.version == metadata.version("pulumi")
    host.send_signal(signal.SIGINT)
    assert host.wait(timeout=20) == 0
    assert host.stderr is not None
    assert host.stderr.read() == ""


@pytest.mark.parametrize(("error", "bail"), [("", False), ("bad config", True)])
def test_an_error_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: str, bail: bool
) -> None:
    """The SDK logs the program's message, and `bail` keeps the engine from logging it again."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(LanguageServer, "Run", lambda *_: language_pb2.RunResponse(error=error))
    request = language_pb2.RunRequest(info=language_pb2.ProgramInfo(program_directory=str(tmp_path)))
    response = Host("127.0.0.1:1").Run(request, None)
    assert isinstance(response, language_pb2.RunResponse)
    assert response.bail is bail


def test_an_error_in_an_output_is_logged_once_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The SDK raises it again while it ends what still waits, as all resources do for the pin."""
    monkeypatch.chdir(tmp_path)

    def told(*_: object) -> None:
        raise pulumi.RunError("the context leads to another cluster")

    monkeypatch.setattr(LanguageServer, "Run", told)
    request = language_pb2.RunRequest(info=language_pb2.ProgramInfo(program_directory=str(tmp_path)))
    response = Host("127.0.0.1:1").Run(request, None)
    assert isinstance(response, language_pb2.RunResponse)
    assert response.bail


def test_a_plugins_output_and_exit_code_come_back(host: subprocess.Popen[str], tmp_path: Path) -> None:
    """A plugin runs in its folder, with the environment given, and what it prints is streamed."""
    (tmp_path / "__main__.py").write_text(
        "import os, pathlib, sys\n"
        "print(os.environ['WHO'], sys.argv[1], pathlib.Path.cwd())\n"
        "print('no', file=sys.stderr)\n"
        "sys.exit(3)\n"
    )
    request = language_pb2.RunPluginRequest(
        pwd=str(tmp_path),
        args=["word"],
        env=["WHO=a=b"],
        kind="resource",
        info=language_pb2.ProgramInfo(program_directory=str(tmp_path)),
    )
    answers = list(stub(host).RunPlugin(request, timeout=20))
    assert b"".join(answer.stdout for answer in answers) == f"a=b word {tmp_path}\n".encode()
    assert b"".join(answer.stderr for answer in answers) == b"no\n"
    assert answers[-1].exitcode == 3

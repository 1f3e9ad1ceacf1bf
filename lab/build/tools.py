"""Chooses Pulumi's programs: the user's own if their versions fit, else built ones.

Pulumi's CLI, its Kubernetes provider and its Python language host are on no package registry.
"""

import os
import re
import shlex
import shutil
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2_grpc

from lab.build.go import GoBuilder
from lab.build.parts import CLI, PROVIDER, PROVIDER_VERSION, PULUMI
from lab.places import Places

PROVIDER_NAME = "pulumi-resource-kubernetes"
LANGUAGE_HOST = "pulumi-language-python"
ANSWER_SECONDS = 20
"""How long a program may take to report its version; it takes under 2 s on two busy cores."""


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A program that was chosen, and the reason."""

    name: str
    path: Path | None
    """None if it must be built."""
    reason: str


def choose() -> list[Tool]:
    """Find the user's own programs; a program that is missing or has another version must be built."""
    cli = _choose_cli()
    return [cli, _choose_provider(), _choose_language_host(cli)]


def install(tools: list[Tool], places: Places, builder: GoBuilder) -> None:
    """Link every program to the path where Pulumi searches for it first, and build the missing ones.

    The language host is beside the CLI and the provider among the plugins, as after Pulumi's own
    installation. From another folder of PATH, Pulumi would use it with a warning.
    """
    for tool in tools:
        path = tool.path
        if tool.name == LANGUAGE_HOST:
            target = places.binaries / LANGUAGE_HOST
            if path is None:
                target.unlink(missing_ok=True)
                python, host = (
                    places.checkout / ".venv/bin/python",
                    places.checkout / "lab/stacks/language_host.py",
                )
                # -P: the modules beside language_host.py must not shadow those of the program.
                target.write_text(f'#!/bin/sh\nexec {shlex.join([str(python), "-P", str(host)])} "$@"\n')
                target.chmod(0o700)
            else:
                link(path, target)
        elif tool.name == PROVIDER_NAME:
            plugin = places.pulumi / "home/plugins" / f"resource-kubernetes-v{PROVIDER_VERSION}"
            plugin.mkdir(parents=True, exist_ok=True)
            link(path or builder.build(PROVIDER) / PROVIDER_NAME, plugin / PROVIDER_NAME)
        elif path is None:
            # A copy, because the engine follows links and searches beside its own binary.
            built = builder.build(CLI) / "pulumi"
            if not (places.binaries / "pulumi").is_file() or not _same(built, places.binaries / "pulumi"):
                (places.binaries / "pulumi").unlink(missing_ok=True)
                shutil.copy2(built, places.binaries / "pulumi")
        else:
            link(path, places.binaries / "pulumi")


def link(source: Path, target: Path) -> None:
    """Replace `target` by a symbolic link to `source`."""
    target.unlink(missing_ok=True)
    target.symlink_to(source)


def _same(one: Path, other: Path) -> bool:
    about_one, about_other = one.stat(), other.stat()
    return (about_one.st_size, about_one.st_mtime_ns) == (about_other.st_size, about_other.st_mtime_ns)


def _choose_cli() -> Tool:
    wanted = _numbers(PULUMI)
    reason = "none on PATH or in ~/.pulumi/bin"
    for found in _candidates("pulumi", Path.home() / ".pulumi/bin"):
        version = _reported_version([str(found), "version"])
        numbers = _numbers(version)
        if numbers >= wanted and numbers[0] == wanted[0]:
            return Tool(name="pulumi", path=found, reason=f"yours at {found}, {version}")
        reason = f"yours at {found} is {version or 'of no version'}, not {PULUMI} or a later v{wanted[0]}"
    return Tool(name="pulumi", path=None, reason=f"{PULUMI}, built: {reason}")


def _choose_provider() -> Tool:
    plugins = Path.home() / f".pulumi/plugins/resource-kubernetes-v{PROVIDER_VERSION}"
    reason = "none on PATH or in ~/.pulumi"
    for found in _candidates(PROVIDER_NAME, plugins, Path.home() / ".pulumi/bin"):
        version = _provider_version(found)
        if version.removeprefix("v") == PROVIDER_VERSION:
            return Tool(name=PROVIDER_NAME, path=found, reason=f"yours at {found}, {version}")
        reason = f"yours at {found} is {version or 'of no version'}, the SDK needs {PROVIDER_VERSION}"
    return Tool(name=PROVIDER_NAME, path=None, reason=f"{PROVIDER_VERSION}, built: {reason}")


def _choose_language_host(cli: Tool) -> Tool:
    """Choose the one beside the CLI, as in Pulumi's own installation; another release may not fit."""
    if cli.path is not None and (found := cli.path.resolve().with_name(LANGUAGE_HOST)).exists():
        return Tool(name=LANGUAGE_HOST, path=found, reason="yours, beside pulumi")
    return Tool(name=LANGUAGE_HOST, path=None, reason="the lab's own (lab/stacks/language_host.py)")


def _candidates(name: str, *folders: Path) -> list[Path]:
    """List the user's own programs of a name, in the order of PATH, without `.lab/bin` of any checkout."""
    searched = dict.fromkeys([*map(Path, os.get_exec_path()), *folders])
    paths = [folder / name for folder in searched if folder.parts[-2:] != (".lab", "bin")]
    return [path for path in paths if path.is_file() and os.access(path, os.X_OK)]


def _reported_version(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"v?\d+\.\d+\.\d+\S*", done.stdout)
    return found[0] if found else ""


def _provider_version(path: Path) -> str:
    """Query a provider as the engine does: it prints its port, and answers there."""
    try:
        process = subprocess.Popen(
            [str(path), "127.0.0.1:1"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
    except OSError:
        return ""
    timeout = threading.Timer(ANSWER_SECONDS, process.kill)
    timeout.start()
    with process:
        try:
            port = process.stdout.readline().strip() if process.stdout else ""
            if not port.isdecimal():
                return ""
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                stub = provider_pb2_grpc.ResourceProviderStub(channel)
                return str(stub.GetPluginInfo(empty_pb2.Empty(), timeout=ANSWER_SECONDS).version)
        except grpc.RpcError:
            return ""
        finally:
            timeout.cancel()
            process.kill()


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version)
    return tuple(map(int, found.groups())) if found else ()

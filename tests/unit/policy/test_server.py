"""The pack as a process, started as by the language hosts, and queried with Pulumi's protocol."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from mesh_rules.catalogue import RULES

PACK = Path(__file__).resolve().parents[3] / "policy"


@pytest.fixture(params=["from elsewhere, by its path", "from its folder"])
def analyzer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[analyzer_pb2_grpc.AnalyzerStub]:
    """The running pack. Newer engines pass its folder, older ones change into it."""
    folder, name = (PACK, ".") if request.param == "from its folder" else (tmp_path, str(PACK))
    command = [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", name]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            port = int(process.stdout.readline())
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                yield analyzer_pb2_grpc.AnalyzerStub(channel)
        finally:
            process.kill()


def test_the_pack_serves_every_rule(analyzer: analyzer_pb2_grpc.AnalyzerStub) -> None:
    """With its level, wherever it is started."""
    info = analyzer.GetAnalyzerInfo(empty_pb2.Empty())
    levels = {"mandatory": analyzer_pb2.MANDATORY, "advisory": analyzer_pb2.ADVISORY}
    assert info.name == "mesh-rules"
    assert {(each.name, each.enforcementLevel) for each in info.policies} == {
        (rule.name, levels[rule.level]) for rule in RULES
    }

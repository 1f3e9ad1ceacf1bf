"""The mock of the engine leaves no event loop."""

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor

from pulumi.runtime.proto import resource_pb2

from operations.pulumi_stack.recorder import Recorder


def loops() -> set[int]:
    """Event loops that are not closed."""
    found = (each for each in gc.get_objects() if isinstance(each, asyncio.AbstractEventLoop))
    return {id(each) for each in found if not each.is_closed()}


def test_no_event_loop_is_left_to_the_garbage_collector() -> None:
    """It closes some of them with a stack trace, in the middle of a command's output."""
    recorder, before = Recorder("mesh-app", "dev"), loops()
    request = resource_pb2.RegisterResourceRequest(type="mesh:index:VersionedApp", name="shop")
    with ThreadPoolExecutor(1) as thread:
        thread.submit(recorder.RegisterResource, request).result()
        assert loops() <= before
    assert [each.name for each in recorder.declared] == ["shop"]

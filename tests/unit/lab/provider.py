"""Imitates Pulumi's Kubernetes provider of a version: prints its port, and answers there."""

import sys
from concurrent import futures

import grpc
from pulumi.runtime.proto import plugin_pb2, provider_pb2_grpc


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """Answers the one question."""

    def GetPluginInfo(self, _request: object, _context: object) -> object:  # noqa: N802 (protocol's name)
        """The version that the command line gave."""
        return plugin_pb2.PluginInfo(version=sys.argv[1])


if __name__ == "__main__":
    server = grpc.server(futures.ThreadPoolExecutor())
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)  # noqa: T201 (the protocol)
    server.wait_for_termination()

"""What a mesh needs of its cluster: the parts that the stack file names, and no others."""

import pulumi
import pulumi_kubernetes as kubernetes

from mesh_platform import istio, prometheus
from mesh_platform.istio import Istio
from mesh_platform.mesh import Mesh
from mesh_platform.prometheus import Prometheus
from mesh_platform.stack_file import StackFile

stack_file = StackFile()
wanted_istio = stack_file.part("istio", Istio)
wanted_prometheus = stack_file.part("prometheus", Prometheus)
stack_file.check()

mesh = Mesh(cluster=kubernetes.Provider("cluster", context=pulumi.Config("kubernetes").get("context")))
if wanted_istio:
    mesh = istio.install(wanted_istio, mesh)
if wanted_prometheus:
    prometheus.install(wanted_prometheus, mesh)

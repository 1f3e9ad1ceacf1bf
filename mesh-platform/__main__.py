"""Installs what a mesh needs in its cluster: the parts that the stack file names."""

import pulumi
import pulumi_kubernetes as kubernetes

from mesh_platform import grafana, istio, jaeger, kiali, prometheus, tracing
from mesh_platform.grafana import Grafana
from mesh_platform.istio import Istio
from mesh_platform.jaeger import Jaeger
from mesh_platform.kiali import Kiali, Sources
from mesh_platform.mesh import Mesh
from mesh_platform.prometheus import Prometheus
from mesh_platform.stack_file import StackFile
from mesh_platform.tracing import Tracing

stack_file = StackFile()
wanted_istio = stack_file.part("istio", Istio)
wanted_prometheus = stack_file.part("prometheus", Prometheus)
wanted_grafana = stack_file.part("grafana", Grafana)
wanted_jaeger = stack_file.part("jaeger", Jaeger)
wanted_kiali = stack_file.part("kiali", Kiali)
wanted_tracing = stack_file.part("tracing", Tracing)
stack_file.check()

mesh = Mesh(cluster=kubernetes.Provider("cluster", context=pulumi.Config("kubernetes").get("context")))
if wanted_istio:
    mesh = istio.install(wanted_istio, mesh)
if wanted_prometheus:
    prometheus.install(wanted_prometheus, mesh)
if wanted_grafana:
    grafana.install(wanted_grafana, mesh, prometheus.query(wanted_prometheus))
if wanted_jaeger:
    jaeger.install(wanted_jaeger, mesh)
if wanted_kiali:
    shown = Sources(
        prometheus=prometheus.query(wanted_prometheus), jaeger=wanted_jaeger, grafana=wanted_grafana
    )
    kiali.install(wanted_kiali, mesh, shown)
if wanted_tracing:
    tracing.install(wanted_tracing, mesh)

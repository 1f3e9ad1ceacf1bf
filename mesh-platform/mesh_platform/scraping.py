"""What Prometheus collects from the mesh's proxies, and how stock Envoy's figures become Istio's metrics.

Pure: settings in, Prometheus' configuration out.
"""

from typing import Any, Final

Rule = dict[str, Any]
"""One step of Prometheus' relabelling."""

SUBSETS: Final = r"outbound\|\d+\|([^|]*)\|([^;]+);?"
"""Envoy's name of a cluster that Istio made of a Service: port, subset (empty for all pods) and host."""
IN_CLUSTER: Final = r"outbound\|\d+\|([^|]*)\|([^.]+)\.([^.]+)\.svc\.[^;]+;?"
"""The same of a Service in Kubernetes: subset, name, namespace."""

SPANS: Final = r"outbound\|4317\|\|jaeger-collector\..*"
"""Where proxies send their traces: no request of the mesh, and Istio's own filters do not count it either."""

UNKNOWN: Final = "unknown"
"""Istio's word for what a proxy cannot tell."""

STOCK_FIGURES: Final = r"cluster\.outbound.*\.upstream_rq_(\d+|time)$"
"""The statistics of stock Envoy that the metrics are made of; it sends no others."""

RENAMED: Final = {
    "envoy_cluster_upstream_rq": "istio_requests_total",
    **{
        f"envoy_cluster_upstream_rq_time_{part}": f"istio_request_duration_milliseconds_{part}"
        for part in ("bucket", "sum", "count")
    },
}


def configuration(*, interval: str, stock_envoy: bool) -> dict[str, Any]:
    """Prometheus' configuration: one job, every proxy of the mesh.

    Args:
        interval: between two scrapes, in Prometheus' form: 15s.
        stock_envoy: the proxies lack Istio's own filters: their figures of each subset are turned into
            Istio's standard metrics. Else they tell those themselves, and nothing is turned.
    """
    job: dict[str, Any] = {
        "job_name": "envoy-stats",
        "metrics_path": "/stats/prometheus",
        # What was never counted is not sent: most of the pairs of a mesh never speak.
        "params": {"usedonly": [""]},
        "kubernetes_sd_configs": [{"role": "pod"}],
        "relabel_configs": [*_proxies(), *(_source() if stock_envoy else [])],
    }
    if stock_envoy:
        job["params"]["filter"] = [STOCK_FIGURES]
        job["metric_relabel_configs"] = _standard_metrics()
    else:
        job["metric_relabel_configs"] = [_keep("__name__", "istio_.*")]
    every = dict.fromkeys(("scrape_interval", "scrape_timeout", "evaluation_interval"), interval)
    return {"global": every, "scrape_configs": [job]}


def _proxies() -> list[Rule]:
    """Of all ports of all pods those where a proxy tells its statistics."""
    return [
        _keep("__meta_kubernetes_pod_container_port_name", ".*-envoy-prom"),
        _keep("__meta_kubernetes_pod_phase", "Running"),
        _copied("__meta_kubernetes_namespace", "namespace"),
        _copied("__meta_kubernetes_pod_name", "pod"),
    ]


def _source() -> list[Rule]:
    """Name who asks: by the labels that injection gives a pod, each after the one that it overrides."""
    name = "__meta_kubernetes_pod_controller_name"
    label = "__meta_kubernetes_pod_label_"
    canonical_name = label + "service_istio_io_canonical_name"
    canonical_revision = label + "service_istio_io_canonical_revision"
    return [
        _copied("__meta_kubernetes_namespace", "source_workload_namespace"),
        _copied("__meta_kubernetes_pod_name", "source_workload"),
        _copied(name, "source_workload"),
        # A Deployment's pods belong to a ReplicaSet of its name and a hash.
        _copied(["__meta_kubernetes_pod_controller_kind", name], "source_workload", r"ReplicaSet;(.+)-[^-]+"),
        _copied("source_workload", "source_canonical_service"),
        _copied(label + "app", "source_canonical_service"),
        _copied(canonical_name, "source_canonical_service"),
        _copied("source_canonical_service", "source_app"),
        _set("source_canonical_revision", "latest"),
        _copied(label + "version", "source_canonical_revision"),
        _copied(canonical_revision, "source_canonical_revision"),
        _set("source_version", UNKNOWN),
        _copied(label + "version", "source_version"),
    ]


def _standard_metrics() -> list[Rule]:
    """Rename the metrics, and read from the cluster's name who answers."""
    cluster = "cluster_name"
    return [
        _keep(["__name__", cluster], f"({'|'.join(RENAMED)});outbound.*"),
        {"source_labels": [cluster], "regex": SPANS, "action": "drop"},
        *(
            _copied("__name__", "__name__", stock, replacement=standard)
            for stock, standard in RENAMED.items()
        ),
        _set("reporter", "source"),
        _copied(cluster, "destination_service", SUBSETS, replacement="$2"),
        _copied(cluster, "destination_service_name", SUBSETS, replacement="$2"),
        _set("destination_service_namespace", UNKNOWN),
        _copied(cluster, "destination_service_name", IN_CLUSTER, replacement="$2"),
        _copied(cluster, "destination_service_namespace", IN_CLUSTER, replacement="$3"),
        # The workload of a subset is named as this project names it; without one Envoy counts all pods alike.
        *(_set(f"destination_{part}", UNKNOWN) for part in ("workload", "version", "canonical_revision")),
        _copied(cluster, "destination_workload", r"outbound\|\d+\|([^|]+)\|([^.]+)\..+", replacement="$2-$1"),
        _copied(cluster, "destination_version", r"outbound\|\d+\|([^|]+)\|.+"),
        _copied("destination_version", "destination_canonical_revision"),
        _copied("destination_service_namespace", "destination_workload_namespace"),
        _copied("destination_service_name", "destination_canonical_service"),
        _copied("destination_service_name", "destination_app"),
        _set("request_protocol", "http"),
        # Stock Envoy counts by status alone: why a request failed it tells in its log.
        _set("response_flags", "-"),
        _set("connection_security_policy", UNKNOWN),
        _set("source_principal", UNKNOWN),
        _set("destination_principal", UNKNOWN),
        _set("source_cluster", "Kubernetes"),
        _set("destination_cluster", "Kubernetes"),
        {"action": "labeldrop", "regex": cluster},
    ]


def _keep(label: str | list[str], regex: str) -> Rule:
    return {"source_labels": _list(label), "regex": regex, "action": "keep"}


def _copied(source: str | list[str], target: str, regex: str = "(.+)", *, replacement: str = "$1") -> Rule:
    """Take over what a label says, where it says something that fits."""
    rule = {"source_labels": _list(source), "regex": regex, "target_label": target}
    return rule if replacement == "$1" else {**rule, "replacement": replacement}


def _set(target: str, value: str) -> Rule:
    return {"target_label": target, "replacement": value}


def _list(label: str | list[str]) -> list[str]:
    return [label] if isinstance(label, str) else label

"""Prometheus' jobs for the mesh's proxies, and the rules that turn stock Envoy's metrics into Istio's.

Pure: settings in, Prometheus' configuration out.
"""

from typing import Any, Final

Rule = dict[str, Any]
"""A rule of Prometheus' relabelling."""

SUBSETS: Final = r"outbound\|\d+\|([^|]*)\|([^;]+);?"
"""Envoy's name of the cluster of a Service: port, subset (empty for all pods) and host."""
IN_CLUSTER: Final = r"outbound\|\d+\|([^|]*)\|([^.]+)\.([^.]+)\.svc\.[^;]+;?"
"""The same of a Service in Kubernetes: subset, name, namespace."""

SPANS: Final = r"outbound\|4317\|\|jaeger-collector\..*"
"""The destination of traces: not a request of the mesh; Istio's own filters do not count it either."""

UNKNOWN: Final = "unknown"
"""Istio's value for what a proxy does not know."""

STOCK_FIGURES: Final = r"cluster\.outbound.*\.upstream_rq_(\d+|time)$"
"""The statistics of stock Envoy that become Istio's metrics."""

RENAMED: Final = {
    "envoy_cluster_upstream_rq": "istio_requests_total",
    **{
        f"envoy_cluster_upstream_rq_time_{part}": f"istio_request_duration_milliseconds_{part}"
        for part in ("bucket", "sum", "count")
    },
}


def configuration(*, interval: str, stock_envoy: bool) -> dict[str, Any]:
    """Return Prometheus' configuration: one job for every proxy of the mesh.

    Args:
        interval: between two scrapes, in Prometheus' format: 15s.
        stock_envoy: whether the proxies lack Istio's filters: then Envoy's metrics of subsets are converted
            to Istio's standard metrics.
    """
    job: dict[str, Any] = {
        "job_name": "envoy-stats",
        "metrics_path": "/stats/prometheus",
        # Counters of 0 are not sent: most pairs of workloads never send a request to each other.
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
    """Select the ports of pods where a proxy serves its statistics."""
    return [
        _keep("__meta_kubernetes_pod_container_port_name", ".*-envoy-prom"),
        _keep("__meta_kubernetes_pod_phase", "Running"),
        _copied("__meta_kubernetes_namespace", "namespace"),
        _copied("__meta_kubernetes_pod_name", "pod"),
    ]


def _source() -> list[Rule]:
    """Set the labels of the source from those that injection gives a pod; the later ones take precedence."""
    name = "__meta_kubernetes_pod_controller_name"
    label = "__meta_kubernetes_pod_label_"
    canonical_name = label + "service_istio_io_canonical_name"
    canonical_revision = label + "service_istio_io_canonical_revision"
    return [
        _copied("__meta_kubernetes_namespace", "source_workload_namespace"),
        _copied("__meta_kubernetes_pod_name", "source_workload"),
        _copied(name, "source_workload"),
        # A Deployment's pods belong to a ReplicaSet with its name and a hash.
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
    """Rename the metrics, and set the labels of the destination from the cluster's name."""
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
        # A subset's workload has this project's name; without a subset Envoy has one count for all pods.
        *(_set(f"destination_{part}", UNKNOWN) for part in ("workload", "version", "canonical_revision")),
        _copied(cluster, "destination_workload", r"outbound\|\d+\|([^|]+)\|([^.]+)\..+", replacement="$2-$1"),
        _copied(cluster, "destination_version", r"outbound\|\d+\|([^|]+)\|.+"),
        _copied("destination_version", "destination_canonical_revision"),
        _copied("destination_service_namespace", "destination_workload_namespace"),
        _copied("destination_service_name", "destination_canonical_service"),
        _copied("destination_service_name", "destination_app"),
        _set("request_protocol", "http"),
        # Stock Envoy counts by status alone; the response flag is in its log.
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
    """Copy a label if its value matches."""
    rule = {"source_labels": _list(source), "regex": regex, "target_label": target}
    return rule if replacement == "$1" else {**rule, "replacement": replacement}


def _set(target: str, value: str) -> Rule:
    return {"target_label": target, "replacement": value}


def _list(label: str | list[str]) -> list[str]:
    return [label] if isinstance(label, str) else label

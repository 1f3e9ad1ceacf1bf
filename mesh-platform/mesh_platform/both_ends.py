"""Prometheus' recording rules for metrics with `reporter="destination"`.

Istio's proxies report a request at both ends, with the same labels but `reporter`. Stock Envoy's counts of
inbound requests have no source. So the metrics of the source are recorded again, with the other reporter.
"""

from typing import Any, Final

from mesh_platform.scraping import RENAMED, UNKNOWN

IN_THE_CLUSTER: Final = f'{{reporter="source",destination_service_namespace!="{UNKNOWN}"}}'
"""A destination outside the mesh has no proxy that reports requests."""


def rules() -> dict[str, Any]:
    """Return Prometheus' rules, evaluated at the interval of its scrapes.

    A source of `unknown` would be a second edge in Kiali's graph, which merges the metrics of both ends only
    if all labels but the reporter are equal.
    """
    return {
        "groups": [
            {
                "name": "both-ends",
                "rules": [
                    {
                        "record": metric,
                        "expr": f"{metric}{IN_THE_CLUSTER}",
                        "labels": {"reporter": "destination"},
                    }
                    for metric in RENAMED.values()
                ],
            }
        ]
    }

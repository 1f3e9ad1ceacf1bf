"""The other end of a hop, for what reads Istio's metrics as its destination tells them.

Istio's proxies tell of a request at both ends, with the same labels but `reporter`. Stock Envoy knows who
answers, by the cluster's name, but not who asks: what a sidecar counts of its inbound requests has no source.
So what the asking end counted is told once more, under the other reporter.

Pure: Prometheus' recording rules out.
"""

from typing import Any, Final

from mesh_platform.scraping import RENAMED, UNKNOWN

IN_THE_CLUSTER: Final = f'{{reporter="source",destination_service_namespace!="{UNKNOWN}"}}'
"""What outside answers has no proxy that could tell of it."""


def rules() -> dict[str, Any]:
    """Prometheus' rules, evaluated as often as it scrapes.

    A source of `unknown` instead would be another edge in Kiali's graph, beside that of the asking end: it
    takes figures of both ends for one where all labels but the reporter are the same, and sums them else.
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

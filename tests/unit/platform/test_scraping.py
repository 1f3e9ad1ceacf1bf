from pathlib import Path

import yaml

from mesh_platform.both_ends import rules
from mesh_platform.scraping import RENAMED, configuration

EXPECTED = yaml.safe_load((Path(__file__).parent / "scraping.yaml").read_text())


def test_stock_envoys_figures_become_istios_metrics() -> None:
    """Found by discovery, named by the labels of pods, and no more collected than is turned."""
    assert configuration(interval="2s", stock_envoy=True) == EXPECTED["stockEnvoy"]


def test_istios_own_metrics_stay_as_they_are() -> None:
    """Where the proxies have Istio's filters nothing is turned, and no label is put over theirs."""
    assert configuration(interval="15s", stock_envoy=False) == EXPECTED["istio"]


def test_only_counters_and_the_histogram_are_renamed() -> None:
    """What queries of Istio's metrics ask for, by its very names."""
    assert set(RENAMED.values()) == {
        "istio_requests_total",
        "istio_request_duration_milliseconds_bucket",
        "istio_request_duration_milliseconds_sum",
        "istio_request_duration_milliseconds_count",
    }


def test_both_ends_of_a_hop_tell_of_it() -> None:
    """With one source: Kiali takes them for one request, and asks the answering end alone for a namespace."""
    expected = yaml.safe_load((Path(__file__).parent / "both_ends.yaml").read_text())
    assert rules() == expected

"""How the ingress is reached: the port, the address, the URL."""

import pytest

from components.manifests import ingress
from tests.unit.stacks import several, stack

PORTS = [
    {"name": "status-port", "port": 15021, "node_port": 31021},
    {"name": "http2", "port": 8000, "node_port": 31380},
    {"name": "tls", "port": 8443, "node_port": None},
    {"name": "https", "port": 9443, "node_port": 31390},
]


@pytest.mark.parametrize(
    ("gateway_port", "name"), [(80, "http2"), (443, "https"), (8443, "tls"), (8000, "http2"), (81, None)]
)
def test_the_port_is_found_by_name_and_then_by_number(gateway_port: int, name: str | None) -> None:
    """80 and 443 arrive at `http2` and `https` whatever their numbers; any other port goes by its number."""
    found = ingress.arrival(PORTS, gateway_port)
    assert (found and found["name"]) == name


def test_a_node_is_reached_from_outside_first() -> None:
    """ExternalIP, else InternalIP, else nothing."""
    inside = {"type": "InternalIP", "address": "10.0.0.1"}
    outside = {"type": "ExternalIP", "address": "1.2.3.4"}
    assert ingress.node_address([inside, outside]) == "1.2.3.4"
    assert ingress.node_address([inside]) == "10.0.0.1"
    assert ingress.node_address([{"type": "Hostname", "address": "a"}]) is None


def test_a_load_balancer_is_an_address_or_a_name() -> None:
    """Clouds give the one or the other."""
    assert ingress.balanced_address([{"hostname": "lb.example.com"}]) == "lb.example.com"
    assert ingress.balanced_address([{}, {"ip": "1.2.3.4"}]) == "1.2.3.4"
    assert ingress.balanced_address([]) is None


def test_urls_are_what_a_browser_takes() -> None:
    """Port 80 is not said, and an IPv6 address stands in brackets."""
    assert ingress.url("127.0.0.1", 31380, "/hello") == "http://127.0.0.1:31380/hello"
    assert ingress.url("lb.example.com", 80, "/") == "http://lb.example.com/"
    assert ingress.url("::1", 31380, "/") == "http://[::1]:31380/"
    assert ingress.url("lb.example.com", 443, "/", "https") == "https://lb.example.com/"
    assert ingress.url("127.0.0.1", 31390, "/", "https") == "https://127.0.0.1:31390/"


def test_objects_of_two_stacks_never_share_a_name() -> None:
    """Not even where the names run together, or are cut at Kubernetes' 63 characters."""
    names = [
        ingress.unique_name("c", "a-b"),
        ingress.unique_name("b-c", "a"),
        ingress.unique_name("n" * 63, "a" * 63),
        ingress.unique_name("n" * 62 + "m", "a" * 63),
    ]
    assert len(set(names)) == len(names)
    assert all(len(name) <= 63 for name in names)


def test_the_service_of_the_extra_ports_is_the_same_for_one_service_and_for_several() -> None:
    """Whatever they are called: its node port would be taken for another one."""
    names = [
        ingress.extra_ports_name(stack()),
        ingress.extra_ports_name(stack(app__name="other")),
        ingress.extra_ports_name(stack(**several())),
    ]
    assert set(names) == {"extra-31386-springistiodemo"}
    longest = ingress.extra_ports_name(stack(namespace__name=f"2{'n' * 61}d"))
    assert len(longest) <= 63
    assert longest[0].isalpha()


def test_one_of_an_older_version_is_known_by_its_name() -> None:
    """After the app of one service, or after the namespace of several; from one to several too."""
    assert "springbootapp-springistiodemo-790b86" in ingress.former_extra_ports_names(stack())
    both = ingress.former_extra_ports_names(stack(**several()))
    assert ingress.unique_name("springistiodemo", "springistiodemo") in both
    assert ingress.unique_name("springistiodemo", "shop") in both

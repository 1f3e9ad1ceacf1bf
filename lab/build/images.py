"""The images of the lab's pods, made of the binaries and packages in the cache."""

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from lab.build import parts
from lab.build.image_archive import Entry, Image, tree
from lab.build.parts import Part

TAG = "lab"
"""The tag of the lab's own images of Istio, CoreDNS and the observers."""

PAUSE = "docker.io/lab/pause:1"
LOAD = "docker.io/lab/load:1"
COREDNS = f"docker.io/coredns/coredns:{TAG}"
PILOT = f"docker.io/istio/pilot:{TAG}"
PROXY = f"docker.io/istio/proxyv2:{TAG}"
PROMETHEUS = f"docker.io/prom/prometheus:{TAG}"
KIALI = f"docker.io/kiali/kiali:{TAG}"
JAEGER = f"docker.io/jaegertracing/all-in-one:{TAG}"

ISTIO_USER = "1337:1337"
"""The user that Istio's own images and charts run as."""

DEMO_APPS = (
    # The walkthrough's tags: 42 is v1, 43 is v2.
    ("docker.io/xjk27400861/springbootapp:42", {"APP": "springbootapp", "VERSION": "v1"}),
    ("docker.io/xjk27400861/springbootapp:43", {"APP": "springbootapp", "VERSION": "v2"}),
    # A second app with another name and port.
    *(
        (f"docker.io/lab/orders:{tag}", {"APP": "orders", "VERSION": tag, "PORT": "9090"})
        for tag in ("1.0", "1.1", "2.0")
    ),
    # Istio's samples, with Istio's names and ports.
    *(
        (
            f"docker.io/istio/examples-{sample}{app}-{version}:{tag}",
            {"APP": app, "VERSION": version, "PORT": port},
        )
        for sample, app, versions, tag, port in (
            ("", "helloworld", ("v1", "v2"), "1.0", "5000"),
            ("bookinfo-", "reviews", ("v1", "v2", "v3"), "1.20.3", "9080"),
            ("bookinfo-", "ratings", ("v1",), "1.20.3", "9080"),
        )
        for version in versions
    ),
)


@dataclass(frozen=True, kw_only=True)
class Ingredients:
    """The folders with the content of the images."""

    coredns: Path
    istio: Path
    istio_sources: Path
    apps: Path
    load: Path
    proxy_root: Path
    observers: Mapping[Part, Path] = field(default_factory=dict)
    """Folders of Prometheus, Kiali and Jaeger, as far as they were built."""
    kiali_web: Path = Path()
    """Kiali's web interface, if Kiali is among the observers."""


def envoy() -> Path:
    """Return the Envoy binary of the wheel that requirements.lock pins."""
    return Path(str(resources.files("envoy") / "_bin" / "envoy"))


def catalogue(given: Ingredients, architecture: str) -> list[Image]:
    """Return all images of the lab."""

    def binary(path: str, source: Path) -> Entry:
        return Entry(path=path, source=source)

    images = [
        Image(
            name=PAUSE,
            layers=[[binary("pause", given.apps / "pause")]],
            entrypoint=["/pause"],
            user="65535:65535",
            architecture=architecture,
        ),
        Image(
            # A client in the mesh; to send requests: `kubectl exec -i POD -- /load URL`.
            name=LOAD,
            layers=[[binary("pause", given.apps / "pause"), binary("load", given.load / "load")]],
            entrypoint=["/pause"],
            user="65532:65532",
            architecture=architecture,
        ),
        Image(
            name=COREDNS,
            layers=[[binary("coredns", given.coredns / "coredns")]],
            entrypoint=["/coredns"],
            user="65532:65532",
            architecture=architecture,
        ),
        Image(
            name=PILOT,
            layers=[
                [
                    Entry(path="tmp", mode=0o1777),
                    binary("usr/local/bin/pilot-discovery", given.istio / "pilot-discovery"),
                ]
            ],
            entrypoint=["/usr/local/bin/pilot-discovery"],
            user=ISTIO_USER,
            architecture=architecture,
        ),
        Image(
            name=PROXY,
            layers=[
                tree(given.proxy_root),
                [
                    Entry(path="tmp", mode=0o1777),
                    Entry(path="etc/istio", mode=0o777),
                    Entry(path="etc/istio/proxy", mode=0o777),
                    Entry(path="var/lib/istio"),
                    Entry(path="var/lib/istio/data", mode=0o777),
                    Entry(path="var/lib/istio/envoy"),
                    Entry(
                        path="var/lib/istio/envoy/envoy_bootstrap_tmpl.json",
                        source=given.istio_sources / "envoy_bootstrap.json",
                        mode=0o644,
                    ),
                    binary("usr/local/bin/envoy", envoy()),
                    binary("usr/local/bin/pilot-agent", given.istio / "pilot-agent"),
                ],
            ],
            entrypoint=["/usr/local/bin/pilot-agent"],
            environment={"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
            architecture=architecture,
        ),
    ]
    images += [
        Image(
            name=name,
            layers=[[binary("app", given.apps / "springbootapp")]],
            entrypoint=["/app"],
            environment=environment,
            user="65532:65532",
            architecture=architecture,
        )
        for name, environment in DEMO_APPS
    ]
    return [*images, *_observers(given, architecture)]


def _observers(given: Ingredients, architecture: str) -> list[Image]:
    """Return the images of the observers, with the programs at the paths of the public images."""
    found = []
    for part, name, path, user in (
        (parts.PROMETHEUS, PROMETHEUS, "prometheus", "65534:65534"),
        (parts.KIALI, KIALI, "opt/kiali/kiali", "1000:1000"),
        (parts.JAEGER, JAEGER, "go/bin/all-in-one-linux", "10001:10001"),
    ):
        if part in given.observers:
            program = Entry(path=path, source=given.observers[part] / part.binaries[0])
            web = [_below("opt/kiali/console", given.kiali_web)] if part == parts.KIALI else []
            found.append(
                Image(
                    name=name,
                    layers=[[program], *web],
                    entrypoint=[f"/{path}"],
                    user=user,
                    architecture=architecture,
                )
            )
    return found


def _below(folder: str, root: Path) -> list[Entry]:
    """Return the tree of a folder as entries below another folder, readable by every user."""
    entries = [dataclasses.replace(entry, path=f"{folder}/{entry.path}") for entry in tree(root)]
    return [dataclasses.replace(entry, mode=0o644 if entry.source else 0o755) for entry in entries]


def key(image: Image) -> str:
    """Return a hash of an image's config and of the paths, sizes and times of its sources."""
    digest = hashlib.sha256(image.config([]))
    for entry in (entry for layer in image.layers for entry in layer):
        digest.update(repr((entry.path, entry.link, entry.mode)).encode())
        if entry.source is not None:
            about = entry.source.stat()
            digest.update(repr((about.st_size, about.st_mtime_ns)).encode())
    return digest.hexdigest()[:16]

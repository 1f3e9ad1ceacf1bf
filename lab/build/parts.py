"""The parts that are built from Go modules: commands, versions and flags.

The versions are those of `modules/*/go.mod`; go.sum holds the checksums.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).parent / "modules"
CONTAINERS = Path(__file__).parent / "containers"

PULUMI = "v3.246.0"
"""Of the CLI; requirements.txt pins the SDK of the same release."""

PROVIDER_VERSION = "4.25.0"
"""Matches pulumi-kubernetes of requirements.txt; modules/cluster/provider/main.go reports the same."""

PROMETHEUS_VERSION = "3.13.5"
"""The module calls this version v0.313.5."""

KUBERNETES = "v1.35.4"
"""The last minor whose kubelet runs with containerd 1.6 and cgroup v1, which Debian 12 may have."""

KIALI_VERSION = "v1.89.0"
JAEGER_VERSION = "v1.76.0"
"""The last minor with an all-in-one program that stores traces in memory."""

COMPILER_FLAGS = "-dwarf=false"
"""No debugging data: a tenth of the build time (measured on CoreDNS, facts of the lab)."""

LINKER_FLAGS = "-s -w"


def _stamp(**variables: str) -> str:
    """Return linker flags that set package variables: `package.Variable` to its value."""
    return " ".join(f"-X {name}={value}" for name, value in variables.items())


@dataclass(frozen=True, kw_only=True)
class Part:
    """One run of `go build`."""

    name: str
    """For people."""
    directory: Path
    """The Go module it is built from."""
    packages: tuple[str, ...]
    """Main packages; each becomes one binary, named after its last path element."""
    stamp: str = ""
    """Further linker flags: the version that the binary reports."""
    tags: tuple[str, ...] = ()
    """Build tags."""
    links: tuple[str, ...] = ()
    """Further names of the first binary, which behaves according to its name."""

    @property
    def binaries(self) -> tuple[str, ...]:
        """Names of the binaries."""
        return tuple(package.rsplit("/", 1)[-1] for package in self.packages)

    @property
    def flags(self) -> tuple[str, ...]:
        """All flags that change the result of `go build`."""
        return (
            "-trimpath",
            f"-gcflags=all={COMPILER_FLAGS}",
            f"-ldflags={LINKER_FLAGS} {self.stamp}".rstrip(),
            *([f"-tags={','.join(self.tags)}"] if self.tags else []),
        )

    @property
    def key(self) -> str:
        """A hash of the modules with their checksums, the sources and the flags."""
        digest = hashlib.sha256(repr((self.packages, self.flags)).encode())
        for source in sorted([*self.directory.glob("go.*"), *self.directory.rglob("*.go")]):
            digest.update(source.relative_to(self.directory).as_posix().encode())
            digest.update(source.read_bytes())
        return digest.hexdigest()[:16]


KUBE = Part(
    name=f"Kubernetes {KUBERNETES}",
    directory=MODULES / "cluster",
    packages=("./kube",),
    links=(
        "kube-apiserver",
        "kube-controller-manager",
        "kube-proxy",
        "kube-scheduler",
        "kubectl",
        "kubelet",
    ),
    stamp=_stamp(
        **{
            "k8s.io/component-base/version.gitVersion": KUBERNETES,
            "k8s.io/component-base/version.gitMajor": "1",
            "k8s.io/component-base/version.gitMinor": KUBERNETES.split(".")[1],
        }
    ),
)
COREDNS = Part(name="CoreDNS", directory=MODULES / "cluster", packages=("github.com/coredns/coredns",))
ISTIO = Part(
    name="Istio",
    directory=MODULES / "istio",
    packages=(
        "istio.io/istio/pilot/cmd/pilot-agent",
        "istio.io/istio/pilot/cmd/pilot-discovery",
        "istio.io/istio/istioctl/cmd/istioctl",
    ),
)
PROVIDER = Part(
    name=f"Pulumi's Kubernetes provider {PROVIDER_VERSION}",
    directory=MODULES / "cluster",
    packages=("./provider",),
    links=("pulumi-resource-kubernetes",),
)
CLI = Part(
    name=f"Pulumi {PULUMI}",
    directory=MODULES / "cluster",
    packages=("github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",),
    stamp=_stamp(**{"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": PULUMI}),
)
APPS = Part(name="springbootapp", directory=CONTAINERS, packages=("./springbootapp", "./pause"))
LOAD = Part(name="the load generator", directory=MODULES / "load", packages=("./load",))
"""Vegeta's attacker, which has a constant rate, whatever the answers are; for the tests and the bench."""

PROMETHEUS = Part(
    name=f"Prometheus {PROMETHEUS_VERSION}",
    directory=MODULES / "prometheus",
    packages=("github.com/prometheus/prometheus/cmd/prometheus",),
    # The lab needs one of its 25 kinds of service discovery; the others need the SDK of every cloud.
    tags=("remove_all_sd", "enable_kubernetes_sd"),
    stamp=_stamp(**{"github.com/prometheus/common/version.Version": PROMETHEUS_VERSION}),
)
"""For `python -m lab metrics`; the next two are for `python -m lab observe`."""
KIALI = Part(
    name=f"Kiali {KIALI_VERSION}",
    directory=MODULES / "kiali",
    packages=("github.com/kiali/kiali",),
    stamp=_stamp(**{"main.version": KIALI_VERSION}),
)
JAEGER = Part(
    name=f"Jaeger {JAEGER_VERSION}",
    directory=MODULES / "jaeger",
    packages=("github.com/jaegertracing/jaeger/cmd/all-in-one",),
)

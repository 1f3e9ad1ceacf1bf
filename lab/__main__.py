"""`python -m lab`: what `make up`, `make down` and `make clean` call."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import typer

from lab import preflight
from lab.build import debian, images, kiali_web, parts, tools
from lab.build.go import GoBuilder
from lab.build.istio_sources import istio_sources
from lab.build.parts import Part
from lab.errors import LabError
from lab.node import cgroups
from lab.node.cluster import Cluster
from lab.places import Places
from lab.progress import Progress
from lab.stacks import walkthrough
from lab.stacks.stacks import DEV, METRICS, OBSERVE, PLATFORM, Stacks, end_orphans

commands = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__
)


@commands.command()
def up() -> None:
    """Bring up cluster, Istio and dev stack, from any state of the machine, and send 100 requests."""
    places = Places.of_this_machine()
    with _guarded(places) as progress:
        stacks = bring_up(places, progress)
        outputs = stacks.up(DEV, places.checkout)
        urls, weights = outputs["urls"], outputs["weights"]
        if not isinstance(urls, dict) or not isinstance(weights, dict):
            raise LabError("the dev stack exports no urls or weights", fix="pulumi stack output --stack dev")
        walkthrough.show(str(outputs["url"]), urls, weights, progress)
        progress.console.print("\nsource .lab/env   then work as on any cluster: pulumi, kubectl, istioctl")


@commands.command()
def cluster() -> None:
    """Bring up the cluster and Istio alone, for tests with stacks of their own."""
    places = Places.of_this_machine()
    with _guarded(places) as progress:
        bring_up(places, progress)


@commands.command()
def metrics() -> None:
    """Bring up the cluster, Istio, and Prometheus with the metrics of every proxy."""
    places = Places.of_this_machine()
    with _guarded(places) as progress:
        bring_up(places, progress, parts.PROMETHEUS).up(METRICS, places.checkout / "mesh-platform")


@commands.command()
def observe() -> None:
    """Bring up the same, and Kiali with its web interface, Jaeger and tracing."""
    places = Places.of_this_machine()
    with _guarded(places) as progress:
        preflight.check_ports(cgroups.pids(), preflight.LOOPBACK_PORTS)
        if not kiali_web.directory(places.cache).is_dir():
            kiali_web.require_node()
        stacks = bring_up(places, progress, parts.PROMETHEUS, parts.KIALI, parts.JAEGER)
        stacks.up(METRICS, places.checkout / "mesh-platform")
        outputs = stacks.up(OBSERVE, places.checkout / "mesh-platform")
        for name in ("kiali", "jaeger"):
            progress.console.print(f"{name:>12}  {outputs[name]}", markup=False)


@commands.command()
def down() -> None:
    """Stop the lab; only its data and the cache stay on the machine."""
    places = Places.of_this_machine()
    with _guarded(places) as progress, progress.step("stop the lab"):
        take_down(places, progress)


@commands.command()
def clean() -> None:
    """Stop the lab and delete its data and the files of unfinished builds; the cache of binaries stays."""
    places = Places.of_this_machine()
    with _guarded(places) as progress, progress.step("stop the lab and delete its data"):
        take_down(places, progress)
        places.erase()
        GoBuilder(cache=places.cache, progress=progress).tidy()
        shutil.rmtree(places.environment.parent, ignore_errors=True)


def bring_up(places: Places, progress: Progress, *observers: Part) -> Stacks:
    """Bring up a cluster with Istio and return what runs stacks on it.

    Args:
        places: the lab's folders.
        progress: shows the steps.
        observers: further parts to build, and to load as images.
    """
    places.make()
    builder = GoBuilder(cache=places.cache, progress=progress)
    chosen = tools.choose()
    for tool in chosen:
        progress.console.print(f"  {tool.name}: {tool.reason}", markup=False)
    wanted = [parts.KUBE, parts.ISTIO, parts.COREDNS, parts.APPS, parts.LOAD]
    wanted += observers
    wanted += [part for tool, part in zip(chosen, (parts.CLI, parts.PROVIDER), strict=False) if not tool.path]
    missing = [part for part in wanted if not builder.has(part)]
    preflight.check_ports(cgroups.pids())
    preflight.check_disk(places.state, preflight.DISK_TO_RUN)
    if missing:
        preflight.check_disk(places.cache, preflight.DISK_TO_BUILD)
        builder.require_go()

    packages = debian.Packages(cache=places.cache, progress=progress)
    # The cluster starts as soon as its own parts exist, while Pulumi is still being built.
    with _builds(builder) as builds:
        kube = builds.submit(builder.build, parts.KUBE)
        istio = builds.submit(builder.build, parts.ISTIO)
        sources = builds.submit(istio_sources, builder)
        coredns = builds.submit(builder.build, parts.COREDNS)
        apps = builds.submit(builder.build, parts.APPS)
        load = builds.submit(builder.build, parts.LOAD)
        installed = builds.submit(tools.install, chosen, places, builder)
        observing = {part: builds.submit(builder.build, part) for part in observers}
        web = builds.submit(kiali_web.build, builder) if parts.KIALI in observers else None
        node_root = packages.unpack("node", debian.NODE)
        proxy_root = packages.unpack("proxy", debian.PROXY)
        lab = Cluster(places=places, progress=progress, kube=kube.result(), root=node_root)
        ingredients = images.Ingredients(
            coredns=coredns.result(),
            istio=istio.result(),
            istio_sources=sources.result(),
            apps=apps.result(),
            load=load.result(),
            proxy_root=proxy_root,
            observers={part: build.result() for part, build in observing.items()},
            kiali_web=web.result() if web else Path(),
        )
        lab.up(images.catalogue(ingredients, _architecture()))
        tools.link(kube.result() / "kubectl", places.binaries / "kubectl")
        tools.link(istio.result() / "istioctl", places.binaries / "istioctl")
        tools.link(load.result() / "load", places.binaries / "load")
        tools.link(sources.result() / "charts", places.checkout / ".lab/charts")
        installed.result()
    builder.tidy()

    os.environ.pop("PULUMI_CONFIG_PASSPHRASE", None)  # the user's own; that of the lab is in a file
    os.environ["PATH"] = f"{places.binaries}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    stacks = Stacks(places=places, progress=progress)
    stacks.prepare()
    stacks.up(PLATFORM, places.checkout / "mesh-platform")
    return stacks


def take_down(places: Places, progress: Progress) -> None:
    """Stop the lab and undo its changes of the machine, even if cache and state are incomplete."""
    places.make()
    packages = debian.Packages(cache=places.cache, progress=progress)
    root = packages.directory("node", debian.NODE)
    lab = Cluster(places=places, progress=progress, kube=places.cache, root=root)
    links = lab.links()
    lab.stop()
    end_orphans(places)
    if lab.network.made:
        packages.unpack("node", debian.NODE)  # for iptables, which machine and cache may lack
    lab.network.down(links)


def _architecture() -> str:
    """Return the machine's architecture, in Go's notation."""
    done = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@contextmanager
def _builds(builder: GoBuilder) -> Iterator[ThreadPoolExecutor]:
    """Run two builds at a time, which keeps two cores busy while one of them links; end all on a failure."""
    with ThreadPoolExecutor(max_workers=2) as builds:
        try:
            yield builds
        except BaseException:
            builds.shutdown(wait=False, cancel_futures=True)
            builder.abandon()
            raise


@contextmanager
def _guarded(places: Places) -> Iterator[Progress]:
    """Allow one lab command at a time, and exit with a message and a code if it fails."""
    progress, started = Progress(), False
    try:
        preflight.check_system()
        with _alone(places), progress.shown():
            started = True
            yield progress
    except LabError as error:
        progress.console.print(f"\n{error}", style="red", markup=False)
        code = 1
    except KeyboardInterrupt:
        progress.console.print("\ninterrupted")
        code = 130
    else:
        return
    if started and cgroups.pids():
        progress.console.print(
            "  the lab's processes are still running: `make up` resumes, `make down` stops them"
        )
    sys.exit(code)


@contextmanager
def _alone(places: Places) -> Iterator[None]:
    """Hold the lock of this machine's lab.

    Raises:
        LabError: another command holds it.
    """
    path = places.state.with_name(f"{places.state.name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    with path.open("r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LabError(
                f"another lab command is running, pid {lock.read() or 'unknown'}",
                fix="wait until it has ended, then run this command again",
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


if __name__ == "__main__":
    commands()

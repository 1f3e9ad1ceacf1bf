"""Probes of containers → the keys `app.probe` and `versions.NAME.probes`. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from operations.adoption.app_objects import AppObjects, container_of, port_number
from operations.errors import OperationError

Keys = dict[str, Any]
Container = Mapping[str, Any]

KINDS: Final = {"startup": "startupProbe", "readiness": "readinessProbe", "liveness": "livenessProbe"}
"""The stack file's key for each probe of a container."""

TIMES: Final = ("periodSeconds", "timeoutSeconds", "failureThreshold")


def shared_path(family: AppObjects, port: int) -> str:
    """Return the path that decides whether a pod gets traffic: readiness probes come before liveness probes.

    Args:
        family: the app's objects.
        port: the app's.

    Raises:
        OperationError: no probe has one, or a readiness probe asks otherwise than the program can.
    """
    for name, container in _containers(family):
        if (why := _unsayable(container.get("readinessProbe", {}), container, port)) is not None:
            raise OperationError(
                f"Deployment {name}: readinessProbe.httpGet has {why}, and the program asks by plain HTTP on "
                f"the app's port {port}; pods would never become ready, or not when they are",
                fix=f"if a path on port {port} answers 200 as well, name it: --probe /PATH",
            )
    said = (
        probe["httpGet"]["path"]
        for kind in ("readinessProbe", "livenessProbe")
        for _, container in _containers(family)
        if _is_sayable(probe := container.get(kind, {}), container, port)
    )
    path = next(said, None)
    if path is None:
        names = ", ".join(name for name, _ in _containers(family))
        raise OperationError(
            f"Deployment {names}: no readinessProbe with httpGet.path, and every version needs one: a pod "
            "gets traffic once its probe answers 200",
            fix="say the path: --probe /PATH",
        )
    return str(path)


def probes(container: Container, shared: Keys) -> Keys:
    """Say where the probes of one version are not as the program has them by default.

    A probe that cannot be said is left out: the report names it as lost.

    Args:
        container: the version's.
        shared: the value of `app`.
    """
    found: Keys = {}
    for key, kind in KINDS.items():
        probe = container.get(kind, {})
        if not _is_sayable(probe, container, shared["port"]):
            continue
        path = probe["httpGet"]["path"]
        # The default path is the readiness probe's alone.
        own = {} if (key == "readiness" and path == shared["probe"]) else {"path": path}
        own |= {name: probe[name] for name in TIMES if name in probe}
        if own:
            found[key] = own
    return {"probes": found} if found else {}


def _containers(family: AppObjects) -> Iterator[tuple[str, Container]]:
    for each in family.deployments.values():
        yield each["metadata"]["name"], container_of(each)


def _is_sayable(probe: Mapping[str, Any], container: Container, port: int) -> bool:
    return "path" in probe.get("httpGet", {}) and _unsayable(probe, container, port) is None


def _unsayable(probe: Mapping[str, Any], container: Container, port: int) -> str | None:
    """Name what of a probe's request the stack file has no key for; None where there is nothing."""
    request = probe.get("httpGet")
    if not request:
        return None
    asked = port_number(container, request["port"])
    found = {
        f"port {request['port']}": asked != port,
        "scheme HTTPS": request.get("scheme") == "HTTPS",
        "httpHeaders": bool(request.get("httpHeaders")),
        "host": bool(request.get("host")),
        "a query in its path": "?" in request.get("path", "/"),
    }
    return next((what for what, is_so in found.items() if is_so), None)

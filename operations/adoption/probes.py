"""Converts probes to the keys `app.probe` and `versions.NAME.probes`. Pure."""

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
        OperationError: no probe has one, or a readiness probe cannot be expressed.
    """
    for name, container in _containers(family):
        if (why := _inexpressible(container.get("readinessProbe", {}), container, port)) is not None:
            raise OperationError(
                f"Deployment {name}: readinessProbe.httpGet has {why}, and the program's probe is plain HTTP "
                f"on the app's port {port}; pods might never become ready",
                fix=f"if a path on port {port} answers 200 as well, name it: --probe /PATH",
            )
    paths = (
        probe["httpGet"]["path"]
        for kind in ("readinessProbe", "livenessProbe")
        for _, container in _containers(family)
        if _is_expressible(probe := container.get(kind, {}), container, port)
    )
    path = next(paths, None)
    if path is None:
        names = ", ".join(name for name, _ in _containers(family))
        raise OperationError(
            f"Deployment {names}: no readinessProbe with httpGet.path, and every version needs one: a pod "
            "gets traffic once its probe answers 200",
            fix="name the path: --probe /PATH",
        )
    return str(path)


def probes(container: Container, shared: Keys) -> Keys:
    """Return how the probes of a version differ from the program's defaults.

    A probe that cannot be expressed is omitted, and reported as lost.

    Args:
        container: the version's.
        shared: the value of `app`.
    """
    found: Keys = {}
    for key, kind in KINDS.items():
        probe = container.get(kind, {})
        if not _is_expressible(probe, container, shared["port"]):
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


def _is_expressible(probe: Mapping[str, Any], container: Container, port: int) -> bool:
    return "path" in probe.get("httpGet", {}) and _inexpressible(probe, container, port) is None


def _inexpressible(probe: Mapping[str, Any], container: Container, port: int) -> str | None:
    """Return the field of a probe's request that the stack file cannot express; None if there is none."""
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

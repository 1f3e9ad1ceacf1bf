"""The options of a route or service → those of a VirtualService's HTTP route. Pure: no Pulumi, no cluster."""

from components.manifests.path_rewrite import new_path
from components.manifests.route_match import Spec
from components.model.fault_injection import FaultInjection
from components.model.retries import Retries
from components.model.rewrite import Redirect, Rewrite
from components.model.route_options import Cors, HeaderChanges, Mirror
from components.model.routes import Route, Sticky
from components.model.service import Service
from components.schema.decode import encode
from components.schema.durations import seconds


def of_route(service: Service, route: Route) -> Spec:
    """Return the options of a route, completed by those of the service. For copies see `mirror`."""
    spec = _common(
        timeout=route.timeout or service.resilience.timeout,
        retries=route.retries or service.resilience.retries,
        cors=route.cors or service.cors,
        request_headers=route.request_headers or service.request_headers,
        response_headers=route.response_headers or service.response_headers,
    )
    return (
        spec
        | ({"fault": _fault(route.fault)} if route.fault else {})
        | ({"rewrite": _rewrite(route, route.rewrite)} if route.rewrite else {})
    )


def of_service(service: Service) -> Spec:
    """Return the options of the service."""
    return _common(
        timeout=service.resilience.timeout,
        retries=service.resilience.retries,
        cors=service.cors,
        request_headers=service.request_headers,
        response_headers=service.response_headers,
    )


def mirror(host: str, to: Mirror) -> Spec:
    """Return the options that mirror requests to a version."""
    return {
        "mirror": {"host": host, "subset": to.to},
        "mirrorPercentage": _percentage(to.percent),
    }


def redirect(to: Redirect) -> Spec:
    """Return a redirect."""
    written: Spec = encode(to)
    written["redirectCode"] = int(written.pop("code"))
    return {"redirect": written}


def set_cookie(sticky: Sticky, version: str) -> Spec:
    """Return the header that sets the cookie of a version, in addition to the app's own cookies."""
    age = f"; Max-Age={seconds(sticky.ttl)}" if sticky.ttl else ""
    cookie = f"{sticky.cookie}={version}; Path=/{age}; HttpOnly; SameSite=Lax"
    return {"headers": {"response": {"add": {"set-cookie": cookie}}}}


def _common(
    *,
    timeout: str | None,
    retries: Retries | None,
    cors: Cors | None,
    request_headers: HeaderChanges | None,
    response_headers: HeaderChanges | None,
) -> Spec:
    headers = {
        "request": encode(request_headers) if request_headers else None,
        "response": encode(response_headers) if response_headers else None,
    }
    spec = {
        # Without a timeout Istio sets no limit; it refuses `0s`.
        "timeout": timeout if timeout and seconds(timeout) else None,
        "retries": _retries(retries) if retries else None,
        "corsPolicy": _cors(cors) if cors else None,
        "headers": {side: changes for side, changes in headers.items() if changes},
    }
    return {key: value for key, value in spec.items() if value}


def _retries(retries: Retries) -> Spec:
    written: Spec = encode(retries)
    if retries.retry_on:
        written["retryOn"] = ",".join(retries.retry_on)
    return written


def _cors(cors: Cors) -> Spec:
    written: Spec = encode(cors)
    origins = cors.allow_origins
    written["allowOrigins"] = [{"exact": each} if isinstance(each, str) else encode(each) for each in origins]
    return written


def _fault(fault: FaultInjection) -> Spec:
    spec: Spec = {}
    if fault.delay is not None:
        spec["delay"] = {"fixedDelay": fault.delay.time, "percentage": _percentage(fault.delay.percent)}
    if fault.abort is not None:
        spec["abort"] = {"httpStatus": fault.abort.status, "percentage": _percentage(fault.abort.percent)}
    return spec


def _rewrite(route: Route, rewrite: Rewrite) -> Spec:
    written: Spec = encode(rewrite)
    if "uriRegex" in written:
        written["uriRegexRewrite"] = written.pop("uriRegex")
    if "uri" in written:
        written |= new_path(route, written.pop("uri"))
    return written


def _percentage(percent: float) -> Spec:
    return {"value": int(percent) if percent.is_integer() else percent}

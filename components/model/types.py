"""Types of names, addresses, ports and weights in the stack file."""

from typing import Annotated, Final

from components.schema.constraints import Pattern, Range

_LABEL: Final = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_NAME_PART: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
# Istio refuses a short name and an all-numeric top level domain: pkg/config/validation/agent/validation.go
_TOP: Final = rf"(?=[-0-9]*[a-z]){_LABEL}"

Label = Annotated[
    str,
    Pattern(
        pattern=_LABEL,
        description="lower case letters, digits and '-', with a letter or digit at both ends",
        example="v2",
        longest=63,
    ),
]
"""A DNS-1123 label: the name of a namespace or a subset."""

ServiceName = Annotated[
    str,
    Pattern(
        pattern=r"(?!istio-(?:proxy|init|validation)$)[a-z](?:[-a-z0-9]*[a-z0-9])?",
        description="lower case letters, digits and '-', beginning with a letter and ending with a letter or "
        "digit, and not the name of one of Istio's containers",
        example="springbootapp",
        longest=63,
    ),
]
"""A DNS-1035 label: the name of a Service."""

NamespacedName = Annotated[
    str,
    Pattern(
        pattern=rf"{_LABEL}/{_LABEL}",
        description="a namespace and a name, with '/' between them",
        example="istio-system/istio-ingressgateway",
    ),
]

ObjectName = Annotated[
    str,
    Pattern(
        pattern=rf"{_LABEL}(?:\.{_LABEL})*",
        description="lower case letters, digits, '-' and '.', with a letter or digit at both ends",
        example="worker-1",
        longest=253,
    ),
]
"""A DNS-1123 subdomain: the name of a node, a Secret, a ConfigMap."""

Repository = Annotated[
    str,
    Pattern(
        pattern=rf"(?:(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9-]+(?=:))(?::[0-9]+)?/)?"
        rf"{_NAME_PART}(?:/{_NAME_PART})*",
        description="an image repository in lower case, without tag and digest, which belong to the version",
        example="xjk27400861/springbootapp",
        longest=255,
    ),
]

Tag = Annotated[
    str,
    Pattern(
        pattern=r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}",
        description="an image tag: letters, digits, '_', '.' and '-', at most 128, not beginning with "
        "'.' or '-'",
        example="42",
    ),
]

Digest = Annotated[
    str,
    Pattern(
        pattern=r"sha256:[a-f0-9]{64}",
        description="sha256: and 64 hexadecimal digits in lower case",
        example="sha256:" + "0123456789abcdef" * 4,
    ),
]

UrlPath = Annotated[
    str,
    Pattern(
        pattern=r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*",
        description="the path of a URL, beginning with '/', without query and fragment",
        example="/hello",
        longest=1024,
    ),
]

Host = Annotated[
    str,
    Pattern(
        pattern=rf"\*|\*\.(?:{_LABEL}\.)*{_TOP}|(?:{_LABEL}\.)+{_TOP}",
        description="'*', a host name with a dot in it, or '*.' and a domain, in lower case",
        example="shop.example.com",
        longest=253,
    ),
]

Address = Annotated[
    str,
    Pattern(
        pattern=rf"{_LABEL}(?:\.{_LABEL})*|[0-9a-f]*:[0-9a-f:.]+",
        description="an IP address or a host name",
        example="127.0.0.1",
        longest=253,
    ),
]

LabelKey = Annotated[
    str,
    Pattern(
        pattern=rf"(?:{_LABEL}(?:\.{_LABEL})*/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]{{0,61}}[A-Za-z0-9])?",
        description="the key of a Kubernetes label",
        example="istio",
        longest=253,
    ),
]

LabelValue = Annotated[
    str,
    Pattern(
        pattern=r"(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?)?",
        description="the value of a Kubernetes label",
        example="ingressgateway",
        longest=63,
    ),
]

ContextName = Annotated[
    str, Pattern(pattern=r"\S+", description="the name of a context, without spaces", example="lab")
]

ClusterUid = Annotated[
    str,
    Pattern(
        pattern=r"any|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        description="a uid, 8, 4, 4, 4 and 12 hexadecimal digits in lower case, or any",
        example="6ff6c1b2-1f0e-4d0c-9f0a-2f5d1c0b7a3e",
    ),
]

Port = Annotated[int, Range(1, 65535)]
NodePort = Annotated[int, Range(30000, 32767)]
"""The default range of node ports."""

PROXY_PORTS: Final = frozenset({*range(15000, 15010), 15020, 15021, 15053, 15090})
"""Ports of the proxy in a pod: https://istio.io/latest/docs/ops/deployment/application-requirements/"""

Weight = Annotated[int, Range(0, 100)]

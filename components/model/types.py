"""The kinds of text and numbers that a stack file is made of."""

from typing import Annotated, Final

from components.schema.constraints import Form, Range

_LABEL: Final = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_NAME_PART: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
# Istio refuses a short name and an all-numeric top level domain: pkg/config/validation/agent/validation.go
_TOP: Final = rf"(?=[-0-9]*[a-z]){_LABEL}"

Label = Annotated[
    str,
    Form(
        pattern=_LABEL,
        says="lower case letters, digits and '-', with a letter or digit at both ends",
        example="v2",
        longest=63,
    ),
]
"""A DNS-1123 label, as Kubernetes wants it for the name of a namespace and Istio for the name of a subset."""

ServiceName = Annotated[
    str,
    Form(
        pattern=r"(?!istio-(?:proxy|init|validation)$)[a-z](?:[-a-z0-9]*[a-z0-9])?",
        says="lower case letters, digits and '-', beginning with a letter and ending in a letter or digit, "
        "and no name of Istio's own containers",
        example="springbootapp",
        longest=63,
    ),
]
"""A DNS-1035 label, as Kubernetes wants it for the name of a Service."""

NamespacedName = Annotated[
    str,
    Form(
        pattern=rf"{_LABEL}/{_LABEL}",
        says="a namespace and a name, with '/' between them",
        example="istio-system/istio-ingressgateway",
    ),
]

ObjectName = Annotated[
    str,
    Form(
        pattern=rf"{_LABEL}(?:\.{_LABEL})*",
        says="lower case letters, digits, '-' and '.', with a letter or digit at both ends",
        example="worker-1",
        longest=253,
    ),
]
"""A DNS-1123 subdomain: the name of a node, a Secret, a ConfigMap."""

Repository = Annotated[
    str,
    Form(
        pattern=rf"(?:(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9-]+(?=:))(?::[0-9]+)?/)?"
        rf"{_NAME_PART}(?:/{_NAME_PART})*",
        says="an image repository in lower case, without tag and digest: those belong to the version",
        example="xjk27400861/springbootapp",
        longest=255,
    ),
]

Tag = Annotated[
    str,
    Form(
        pattern=r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}",
        says="an image tag: letters, digits, '_', '.' and '-', at most 128, not beginning with '.' or '-'",
        example="42",
    ),
]

Digest = Annotated[
    str,
    Form(
        pattern=r"sha256:[a-f0-9]{64}",
        says="sha256: and 64 hexadecimal digits in lower case",
        example="sha256:" + "0123456789abcdef" * 4,
    ),
]

UrlPath = Annotated[
    str,
    Form(
        pattern=r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*",
        says="the path of a URL: it begins with '/' and has neither query nor fragment",
        example="/hello",
        longest=1024,
    ),
]

Host = Annotated[
    str,
    Form(
        pattern=rf"\*|\*\.(?:{_LABEL}\.)*{_TOP}|(?:{_LABEL}\.)+{_TOP}",
        says="'*', a host name with a dot in it, or '*.' and a domain, in lower case",
        example="shop.example.com",
        longest=253,
    ),
]

Address = Annotated[
    str,
    Form(
        pattern=rf"{_LABEL}(?:\.{_LABEL})*|[0-9a-f]*:[0-9a-f:.]+",
        says="an IP address or a host name",
        example="127.0.0.1",
        longest=253,
    ),
]

LabelKey = Annotated[
    str,
    Form(
        pattern=rf"(?:{_LABEL}(?:\.{_LABEL})*/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]{{0,61}}[A-Za-z0-9])?",
        says="the key of a Kubernetes label",
        example="istio",
        longest=253,
    ),
]

LabelValue = Annotated[
    str,
    Form(
        pattern=r"(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?)?",
        says="the value of a Kubernetes label",
        example="ingressgateway",
        longest=63,
    ),
]

ContextName = Annotated[
    str, Form(pattern=r"\S+", says="the name of a context, without spaces", example="lab")
]

ClusterUid = Annotated[
    str,
    Form(
        pattern=r"any|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        says="a uid, 8, 4, 4, 4 and 12 hexadecimal digits in lower case, or any",
        example="6ff6c1b2-1f0e-4d0c-9f0a-2f5d1c0b7a3e",
    ),
]

Port = Annotated[int, Range(1, 65535)]
NodePort = Annotated[int, Range(30000, 32767)]
"""Kubernetes' own default range for the ports it opens on every node."""

PROXY_PORTS: Final = frozenset({*range(15000, 15010), 15020, 15021, 15053, 15090})
"""Ports of a pod that its proxy takes: https://istio.io/latest/docs/ops/deployment/application-requirements/"""

Weight = Annotated[int, Range(0, 100)]

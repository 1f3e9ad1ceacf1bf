"""Types of HTTP values in the stack file: durations, expressions, headers, cookies, methods."""

from typing import Annotated, Final, Literal

from components.schema.constraints import Pattern
from components.schema.durations import Duration
from components.schema.regex import Regex

GoDuration = Annotated[str, Duration()]
"""A multiple of a millisecond, as Istio requires."""

GoDurationOrNone = Annotated[str, Duration(none="0s")]
"""A duration, or `0s` for none."""

WholeSeconds = Annotated[str, Duration(unit="1s", longest="8760h", example="1h")]
"""A duration that HTTP expresses in seconds: the age of a cookie or of a preflight response."""

Expression = Annotated[str, Regex(example=".*Mobile/14.*")]
"""An expression for the whole text; use `.*` at its ends to match a part."""

PlainText = Annotated[
    str,
    Pattern(
        pattern=r"[^\x00-\x1f\x7f]+",
        description="text without control characters",
        example="insider",
        longest=1024,
    ),
]

_FIELD_NAME: Final = r"[A-Za-z0-9!#$&'*+.^_`|~-]+"

HeaderName = Annotated[
    str,
    Pattern(
        pattern=rf"(?![Hh][Oo][Ss][Tt]$){_FIELD_NAME}",
        description="the name of a header in any case, except host, which is the authority",
        example="x-user-group",
        longest=256,
        folds=True,
    ),
]
"""HTTP compares names without case; Istio and Envoy require lower case, to which they are converted."""

HeaderValue = Annotated[
    str,
    Pattern(
        pattern=r"(?:[^\x00-\x08\x0a-\x1f\x7f%]|%%)+",
        description="the value of a header, with %% for a percent sign (% starts a command of Envoy)",
        example="canary",
        longest=1024,
    ),
]

CookieName = Annotated[
    str,
    Pattern(
        pattern=r"[A-Za-z0-9_-]+",
        description="the name of a cookie: letters, digits, '_' and '-'",
        example="mesh-version",
        longest=64,
    ),
]

ParameterName = Annotated[
    str,
    Pattern(
        pattern=r"[A-Za-z0-9_.~-]+",
        description="the name of a query parameter: letters, digits, '_', '.', '~' and '-'",
        example="debug",
        longest=64,
    ),
]

Authority = Annotated[
    str,
    Pattern(
        pattern=r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?",
        description="a host in lower case, with or without a port",
        example="shop.example.com",
        longest=253,
    ),
]

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE"]

"""The kinds of text that routes are made of: durations, expressions, headers, cookies."""

from typing import Annotated, Final, Literal

from components.schema.constraints import Pattern
from components.schema.durations import Duration
from components.schema.regex import Regex

GoDuration = Annotated[str, Duration()]
"""To the millisecond: that is what Istio takes."""

Timeout = Annotated[str, Duration(none="0s")]
"""The same, or `0s` for no limit. Istio refuses that word, so it is written as no timeout at all."""

GoDurationOrNone = Annotated[str, Duration(none="0s")]
"""The same, or none at all."""

WholeSeconds = Annotated[str, Duration(unit="1s", longest="8760h", example="1h")]
"""For what HTTP itself counts in seconds: the age of a cookie or of a preflight answer."""

Expression = Annotated[str, Regex(example=".*Mobile/14.*")]
"""It has to match the whole text: `.*` at its ends leaves them open."""

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
        description="the name of a header, in any case, other than host: that one is the authority",
        example="x-user-group",
        longest=256,
        folds=True,
    ),
]
"""HTTP compares it without case. Istio and Envoy want it in lower case, and get it so."""

HeaderValue = Annotated[
    str,
    Pattern(
        pattern=r"(?:[^\x00-\x08\x0a-\x1f\x7f%]|%%)+",
        description="the value of a header, with %% for a percent sign (Envoy reads one as a command)",
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

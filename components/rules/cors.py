"""Rules about CORS policies that browsers refuse."""

from collections.abc import Iterator

from components.model.service import Service
from components.schema.issues import Issue, Path, command
from components.schema.messages import WILDCARD_WITH_CREDENTIALS

_ANY = "*"


def stars_come_without_credentials(service: Service, at: Path) -> Iterator[Issue]:
    """With credentials a browser reads `*` as the name of a header or method: Fetch, CORS protocol."""
    places = [
        (at, service.cors),
        *((at / "routes" / nth, each.cors) for nth, each in enumerate(service.routes)),
    ]
    for place, cors in places:
        if cors is None or not cors.allow_credentials:
            continue
        here = place / "cors"
        lists = {
            "allowMethods": cors.allow_methods,
            "allowHeaders": cors.allow_headers,
            "exposeHeaders": cors.expose_headers,
        }
        for key, names in lists.items():
            if _ANY in names:
                off = command("rm", here / "allowCredentials")
                yield WILDCARD_WITH_CREDENTIALS.at(here / key, list(names), off=off)

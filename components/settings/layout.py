"""Decodes the two layouts of a stack file: one service at the top level, or several by name."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import cast

from components.model.service import App, Entry, Service
from components.model.stack import Common, ServicesFile, StackFile
from components.schema.decode import decode
from components.schema.invalid import Invalid
from components.schema.issues import Issue, Path
from components.schema.messages import MIXED_LAYOUTS
from components.schema.type_hints import keys_of

SEVERAL = "services"


def read(data: Mapping[str, object]) -> tuple[Common, Mapping[Path, Service], list[Issue]]:
    """Return the keys that services share, each service by its path in the stack file, and the issues."""
    of_one = [key for key in keys_of(Service) if key in data]
    # With a misspelt `services`, do not report every missing key of a single service.
    if not get_close_matches(SEVERAL, data.keys() - keys_of(StackFile).keys()):
        file, issues = decode(StackFile, data, Path())
        return file, {Path(): file}, issues
    several, issues = decode(ServicesFile, {key: data[key] for key in data if key not in of_one}, Path())
    if of_one:
        issues.append(MIXED_LAYOUTS.at(Path() / of_one[0], data[of_one[0]], keys=", ".join(of_one)))
    entries = {} if isinstance(several.services, Invalid) else several.services
    placed = {Path() / SEVERAL / name: _named(name, entry) for name, entry in entries.items()}
    return several, placed, issues


def _named(name: str, entry: Entry) -> Service:
    """Set the service's name to its key. An invalid value is left as it is."""
    if isinstance(entry, Invalid):
        return cast("Service", entry)
    app = entry.app if isinstance(entry.app, Invalid) else App(name=name, **vars(entry.app))
    return Service(**{**vars(entry), "app": app})

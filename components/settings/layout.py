"""The two forms of a stack file: one service at its top, or several by name. No I/O, no Pulumi."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import cast

from components.model.service import App, Entry, Service
from components.model.stack import Common, ServicesFile, StackFile
from components.schema.decode import decode
from components.schema.invalid import Invalid
from components.schema.issues import Issue, Path
from components.schema.messages import TWO_FORMS
from components.schema.type_hints import keys_of

SEVERAL = "services"


def read(data: Mapping[str, object]) -> tuple[Common, Mapping[Path, Service], list[Issue]]:
    """Read what the services have in common, and each service with its place in the stack file."""
    of_one = [key for key in keys_of(Service) if key in data]
    # A slip of the finger in `services` is no file of one service that lacks everything.
    if not get_close_matches(SEVERAL, data.keys() - keys_of(StackFile).keys()):
        file, issues = decode(StackFile, data, Path())
        return file, {Path(): file}, issues
    several, issues = decode(ServicesFile, {key: data[key] for key in data if key not in of_one}, Path())
    if of_one:
        issues.append(TWO_FORMS.at(Path() / of_one[0], data[of_one[0]], keys=", ".join(of_one)))
    entries = {} if isinstance(several.services, Invalid) else several.services
    placed = {Path() / SEVERAL / name: _named(name, entry) for name, entry in entries.items()}
    return several, placed, issues


def _named(name: str, entry: Entry) -> Service:
    """Give a service the name under which it stands. What could not be read stays as it is."""
    if isinstance(entry, Invalid):
        return cast("Service", entry)
    app = entry.app if isinstance(entry.app, Invalid) else App(name=name, **vars(entry.app))
    return Service(**{**vars(entry), "app": app})

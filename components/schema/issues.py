"""Issues of a stack file, as data: path, value, rule and fix. No I/O, no Pulumi."""

import re
import shlex
from dataclasses import dataclass
from typing import Final

import yaml

from components.schema.case_insensitive import CaseInsensitive

PROJECT: Final = "mesh-app"
"""The config namespace of the project, as `Pulumi.yaml` names it."""

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class Path:
    """A path in the stack file, in the syntax of `pulumi config set --path`."""

    namespace: str = PROJECT
    parts: tuple[str | int, ...] = ()

    def __truediv__(self, part: str | int) -> "Path":
        """Append a key, as spelled in the stack file, or an index."""
        return Path(
            self.namespace, (*self.parts, part.written if isinstance(part, CaseInsensitive) else part)
        )

    def __str__(self) -> str:
        """Format the path: `mesh-app:routes[0].headers["x.y"]`."""
        text = f"{self.namespace}:"
        for nth, part in enumerate(self.parts):
            if isinstance(part, int):
                text += f"[{part}]"
            elif _PLAIN_KEY.fullmatch(part):
                text += part if nth == 0 else f".{part}"
            else:
                text += '["' + part.replace("\\", "\\\\").replace('"', '\\"') + '"]'
        # A key can contain half of a surrogate pair, which cannot be printed.
        return text.encode(errors="backslashreplace").decode()

    @property
    def key(self) -> str:
        """The last part, as spelled in the stack file."""
        return str(self.parts[-1]) if len(self.parts) > 1 else str(self)


def flow(value: object) -> str:
    """Format a value as one line of YAML, quoted if needed."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...").strip()


def assign(path: Path, value: object) -> str:
    """Return how to set `path` to this value: a command for a scalar, a line of YAML for anything larger."""
    if isinstance(value, bool):
        return f"{command('set', path)} {flow(value)}"
    if isinstance(value, float):
        # Without the type Pulumi stores a number with a fraction as text.
        return f"{command('set', path)} --type float {value}"
    if isinstance(value, int):
        return f"{command('set', path)} {value}"
    if isinstance(value, str):
        # Without the type Pulumi stores these two words as booleans.
        as_text = "--type string " if value in ("true", "false") else ""
        return f"{command('set', path)} {as_text}{'-- ' if value.startswith('-') else ''}{shlex.quote(value)}"
    return f"in the stack file: {path.key}: {flow(value)}"


def command(verb: str, path: Path) -> str:
    """Return `pulumi config VERB --path PATH`, safe to paste into a shell."""
    return f"pulumi config {verb} --path '{path}'"


@dataclass(frozen=True, kw_only=True)
class Issue:
    """One error in the stack file, for which nothing is changed."""

    code: str
    path: Path
    value: object
    rule: str
    fix: str

    def __str__(self) -> str:
        """Format the issue for a terminal."""
        return (
            f"{self.code}  {self.path}\n"
            f"  value  {flow(self.value) if self.value is not None else '(none)'}\n"
            f"  rule   {self.rule}\n"
            f"  fix    {self.fix}"
        )


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message of `messages.py`: a code, the rule that is violated, and the fix.

    Both texts are templates. `{path}`, `{key}` (its last part), `{set}` and `{rm}` (the commands for that
    path) are always available; the caller passes the others.
    """

    code: str
    rule: str
    fix: str

    def at(self, path: Path, value: object, **words: object) -> Issue:
        """Return this message as an issue of a path in the stack file."""
        given: dict[str, object] = {
            "path": path,
            "key": path.key,
            "set": command("set", path),
            "rm": command("rm", path),
            **words,
        }
        return Issue(
            code=self.code,
            path=path,
            value=value,
            rule=self.rule.format_map(given),
            fix=self.fix.format_map(given),
        )

"""What is wrong with a stack file, as data. Nothing here prints, reads a file or knows Pulumi."""

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
    """A place in the stack file, written as `pulumi config set --path` reads it."""

    namespace: str = PROJECT
    parts: tuple[str | int, ...] = ()

    def __truediv__(self, part: str | int) -> "Path":
        """Step into a key of a mapping, as it is written there, or an index of a list."""
        return Path(
            self.namespace, (*self.parts, part.written if isinstance(part, CaseInsensitive) else part)
        )

    def __str__(self) -> str:
        """Spell the path: `mesh-app:routes[0].headers["x.y"]`."""
        text = f"{self.namespace}:"
        for nth, part in enumerate(self.parts):
            if isinstance(part, int):
                text += f"[{part}]"
            elif _PLAIN_KEY.fullmatch(part):
                text += part if nth == 0 else f".{part}"
            else:
                text += '["' + part.replace("\\", "\\\\").replace('"', '\\"') + '"]'
        # Half of a character can stand in a key, and nothing could print it.
        return text.encode(errors="backslashreplace").decode()

    @property
    def key(self) -> str:
        """The last step, as it stands in the stack file."""
        return str(self.parts[-1]) if len(self.parts) > 1 else str(self)


def flow(value: object) -> str:
    """Write a value as one line of YAML, quoted where YAML would read it as something else."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...").strip()


def assign(path: Path, value: object) -> str:
    """Say how to give `path` this value: a command for a scalar, lines of YAML for anything larger."""
    if isinstance(value, bool):
        return f"{command('set', path)} {flow(value)}"
    if isinstance(value, float):
        # Without its type Pulumi keeps a number with a fraction as text.
        return f"{command('set', path)} --type float {value}"
    if isinstance(value, int):
        return f"{command('set', path)} {value}"
    if isinstance(value, str):
        # And these two words as truth values.
        as_text = "--type string " if value in ("true", "false") else ""
        return f"{command('set', path)} {as_text}{'-- ' if value.startswith('-') else ''}{shlex.quote(value)}"
    return f"in the stack file: {path.key}: {flow(value)}"


def command(verb: str, path: Path) -> str:
    """Spell `pulumi config VERB --path PATH`, safe to paste into a shell."""
    return f"pulumi config {verb} --path '{path}'"


@dataclass(frozen=True, kw_only=True)
class Issue:
    """One thing that keeps the stack from being changed."""

    code: str
    path: Path
    value: object
    rule: str
    fix: str

    def __str__(self) -> str:
        """Lay the fault out for a terminal."""
        return (
            f"{self.code}  {self.path}\n"
            f"  value  {flow(self.value) if self.value is not None else '(none)'}\n"
            f"  rule   {self.rule}\n"
            f"  mend   {self.fix}"
        )


@dataclass(frozen=True, kw_only=True)
class Message:
    """A row of the table in `messages.py`: a code, a rule and what mends a breach of it.

    Both texts are templates. `{path}`, `{key}` (its last step), `{set}` and `{rm}` (the commands on that
    path) are always there; a message's other words come from whoever raises it.
    """

    code: str
    rule: str
    fix: str

    def at(self, path: Path, value: object, **words: object) -> Issue:
        """Raise this message at a place of the stack file."""
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

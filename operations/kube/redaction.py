"""Hide secrets in fields of Kubernetes objects: variables, headers, arguments. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from components.rollout.log_redaction import HIDDEN, resembles_secret, without_secrets
from operations.kube.fields import Item, Path

NAMED_BY_KEY: Final = ("annotations", "labels", "headers", "set", "add")
"""Maps whose keys are names that users choose. Other keys are field names of Kubernetes: `secretName`."""


def without_secret_values(value: Any, path: Path = ()) -> Any:  # noqa: ANN401 (nested plain data)
    """Hide every value that is probably a secret, by its name or its format.

    Args:
        value: the value of a field, or a whole object.
        path: the path of the field.
    """
    if isinstance(value, str):
        name = _name(path)
        return HIDDEN if name and resembles_secret(name, value) else without_secrets(value)
    if isinstance(value, Mapping):
        own = (*path, Item(label=0, value=value))  # the name of a `value` is in the same map
        return {
            key: without_secret_values(each, (*own, key) if key == "value" else (*path, key))
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [
            HIDDEN if _is_of_option(value, nth) else without_secret_values(each, path)
            for nth, each in enumerate(value)
        ]
    return value


def _name(path: Path) -> str:
    """Return the name of a field's value, as in `env[DB_PASSWORD].value`; empty if it has none."""
    *above, last = path or ("",)
    if last == "value" and above and isinstance(above[-1], Item):
        item = above[-1]
        return str(item.value.get("name", "")) if isinstance(item.value, Mapping) else str(item.label)
    return str(last) if above and above[-1] in NAMED_BY_KEY else ""


def _is_of_option(words: Sequence[Any], nth: int) -> bool:
    """Return whether a word of a command line is the secret value of an option: `--password x`."""
    option, word = words[nth - 1] if nth else None, words[nth]
    return (
        isinstance(option, str)
        and isinstance(word, str)
        and option.startswith("-")
        and "=" not in option
        and not word.startswith("-")
        and resembles_secret(option, word)
    )

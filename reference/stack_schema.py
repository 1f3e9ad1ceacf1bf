"""The JSON Schema of a whole stack file: the program's keys, the provider's, and Pulumi's own."""

from typing import Final

from components.model.service import Service
from components.model.stack import Cluster, Several, StackFile
from components.schema.issues import PROJECT
from components.schema.type_hints import keys_of
from reference.json_schema import EMPTY, Schema, Schemas, described

PROVIDER: Final = "kubernetes"

_TEXT: Final = {"type": "string"}
_TEXTS: Final = {"type": "array", "items": _TEXT}

# sdk/go/common/workspace/project.go, ProjectStack. Pulumi passes over any other key in silence.
_OF_PULUMI: Final[Schema] = {
    "secretsprovider": {"description": "What encrypts the secrets of this stack.", **_TEXT},
    "encryptedkey": {"description": "The data key, encrypted by the secrets provider.", **_TEXT},
    "encryptionsalt": {
        "description": "The salt of this machine's passphrase. Leave it out of commits.",
        **_TEXT,
    },
    "environment": {
        "description": "Pulumi ESC: the environments that this stack imports, or one of its own.",
        "anyOf": [_TEXTS, {"type": "object"}],
    },
}
_PULUMI_CONFIG: Final[Schema] = {
    "pulumi:disable-default-providers": {
        **described(
            "Providers that resources have to be given. With `kubernetes` here, nothing goes to whichever "
            "cluster was used last."
        ),
        "examples": [["kubernetes"]],
        **_TEXTS,
    },
    "pulumi:tags": {
        "description": "Tags that Pulumi Cloud shows for this stack.",
        "type": "object",
        "additionalProperties": _TEXT,
    },
}
_GIVEN: Final[Schema] = {"not": EMPTY}
_NOT_OF_ONE: Final[Schema] = {
    **EMPTY,
    "errorMessage": "the keys of one service and services exclude each other",
}


def _as_pulumi_writes(schema: Schema) -> Schema:
    """Take a truth in quotes too: Pulumi writes every whole key that is no object as text."""
    entry_points = schema.get("anyOf", [])
    return (
        {**schema, "anyOf": [*entry_points, {"enum": ["true", "false"]}]}
        if {"type": "boolean"} in entry_points
        else schema
    )


def stack_file() -> Schema:
    """Describe everything that may stand in a `Pulumi.STACK.yaml`."""
    schemas = Schemas()
    # A whole key that is empty says nothing: Pulumi.yaml gives every key such a default.
    own = schemas.table(StackFile, prefix=f"{PROJECT}:", absent=EMPTY)
    several = schemas.table(Several, prefix=f"{PROJECT}:", absent=EMPTY)
    provider = schemas.table(Cluster, prefix=f"{PROVIDER}:", absent=EMPTY)
    of_one = [f"{PROJECT}:{key}" for key in keys_of(Service)]
    choices = [*own.get("allOf", []), *provider.get("allOf", [])]
    properties = own["properties"] | several["properties"] | provider["properties"] | _PULUMI_CONFIG
    config: Schema = {
        **described("Keys are written whole, as `pulumi config set` writes them."),
        "type": "object",
        "additionalProperties": False,
        "properties": {key: _as_pulumi_writes(schema) for key, schema in properties.items()},
        "required": [each for each in (*own["required"], *provider["required"]) if each not in of_one],
        "if": {"required": several["required"], "properties": dict.fromkeys(several["required"], _GIVEN)},
        "then": {"properties": dict.fromkeys(of_one, _NOT_OF_ONE)},
        "else": {"required": [each for each in own["required"] if each in of_one]},
        # Whatever else Pulumi or another provider may read.
        "patternProperties": {rf"^(?!(?:{PROJECT}|{PROVIDER}):)[^:]+:.": True},
        **({"allOf": choices} if choices else {}),
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **described("Made by `make docs` from components/model. See docs/configuration.md."),
        "type": "object",
        "additionalProperties": False,
        "properties": {"config": config, **_OF_PULUMI},
        "required": ["config"],
        "definitions": dict(sorted(schemas.definitions.items())),
    }

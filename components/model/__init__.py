"""The keys of a stack file: frozen dataclasses, with the meaning under each field. No I/O, no Pulumi."""

"""The words of a stack file: frozen dataclasses, the meaning under each field. No I/O, no Pulumi."""

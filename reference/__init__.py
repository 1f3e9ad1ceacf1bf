"""Generates the JSON Schema of a stack file and two pages of `docs/`.

The sources are the dataclasses of `components.model` and the messages of `components.schema.messages`: types
and constraints as the decoder reads them, texts from the docstrings. No other package imports this one.
"""

"""What can be said of a stack file without running it: its JSON Schema and two pages of `docs/`.

All of it is made from the dataclasses of `components.model` and the messages in
`components.schema.messages`: types and
constraints as the decoder reads them, words from the docstrings. Nothing imports this package.
"""

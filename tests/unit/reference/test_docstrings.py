"""What stands under fields and constants, read back from the source."""

from dataclasses import dataclass

from reference import docstrings, files


@dataclass(frozen=True)
class Base:
    """Has a field that others inherit."""

    first: int
    """Told by the base,
    on two lines.

    In two paragraphs.
    """

    second: int
    third: int
    """Told by the base."""


@dataclass(frozen=True)
class Heir(Base):
    """Tells one field anew."""

    third: int
    """Told by the heir."""


def test_fields_are_told_by_the_class_that_declares_them_last() -> None:
    """Lines are joined, paragraphs kept, and a field without words has none."""
    assert docstrings.of_fields(Heir) == {
        "first": "Told by the base, on two lines.\n\nIn two paragraphs.",
        "third": "Told by the heir.",
    }


def test_constants_are_told_by_their_module() -> None:
    """A constant without words has none."""
    assert docstrings.of_constants(files) == {
        "MODELINE": "The first line of a stack file, in which editors find the schema."
    }

"""The laws as the table of `docs/policy.md`: `python -m mesh_rules.table` prints it."""

from mesh_rules.catalogue import LAWS


def markdown() -> str:
    """Write a row for each law."""
    rows = [f"| `{rule.name}` | {rule.level} | {rule.description} | {rule.example} |" for rule in LAWS]
    return "\n".join(["| law | level | what it says | what breaks it |", "|---|---|---|---|", *rows])


if __name__ == "__main__":
    print(markdown())  # noqa: T201 - what it is for

"""Prints the rules as the table of `docs/policy.md`: `python -m mesh_rules.table`."""

from mesh_rules.catalogue import RULES


def markdown() -> str:
    """Return a table with a row for each rule."""
    rows = [f"| `{rule.name}` | {rule.level} | {rule.description} | {rule.example} |" for rule in RULES]
    return "\n".join(["| name | level | rule | example of a violation |", "|---|---|---|---|", *rows])


if __name__ == "__main__":
    print(markdown())  # noqa: T201 - its purpose

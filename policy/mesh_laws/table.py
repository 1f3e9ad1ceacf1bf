"""The laws as the table of `docs/policy.md`: `python -m mesh_laws.table` prints it."""

from mesh_laws.catalogue import LAWS


def markdown() -> str:
    """Write a row for each law."""
    rows = [f"| `{law.name}` | {law.level} | {law.says} | {law.example} |" for law in LAWS]
    return "\n".join(["| law | level | what it says | what breaks it |", "|---|---|---|---|", *rows])


if __name__ == "__main__":
    print(markdown())  # noqa: T201 - what it is for

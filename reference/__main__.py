"""`python -m reference` writes all generated files."""

from pathlib import Path

from reference.files import contents

for name, text in contents().items():
    Path(name).write_text(text, encoding="utf-8")
    print(name)  # noqa: T201 - a command prints the files that it writes

"""`python -m reference` writes the files that are made from the model. Nothing else changes them."""

from pathlib import Path

from reference.files import contents

for name, text in contents().items():
    Path(name).write_text(text, encoding="utf-8")
    print(name)  # noqa: T201 - a command says what it wrote

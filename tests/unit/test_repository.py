"""What must be true of every file that is committed."""

import ast
import re
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
OWN_PATH = re.compile(rb"(?<![\w.~$}])/(?:root|home/[a-z]\w*|work)/")
"""A folder of somebody's machine; not the end of a longer path."""
ALLOWED = {*sys.stdlib_module_names, "components", "pulumi", "pulumi_kubernetes", "re2", "yaml"}
"""What requirements.txt names, the standard library, and the program itself."""


def committed(*patterns: str) -> dict[str, bytes]:
    """Files as git has them, which is not always as they lie in the folder."""
    names = subprocess.run(
        ["git", "ls-files", "--", *patterns], cwd=CHECKOUT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    contents = {}
    for name in names:
        shown = subprocess.run(["git", "show", f":{name}"], cwd=CHECKOUT, capture_output=True, check=True)
        contents[name] = shown.stdout
    assert contents
    return contents


def test_no_stack_file_carries_a_salt() -> None:
    """A salt belongs to one passphrase: on another machine the stack would ask for ours."""
    stack_files = committed("Pulumi.*.yaml", "mesh-platform/Pulumi.*.yaml")
    assert [name for name, content in stack_files.items() if b"encryptionsalt" in content] == []


def test_no_path_of_a_machine() -> None:
    """Nothing committed names a folder that only one machine has."""
    found = [name for name, content in committed(".").items() if OWN_PATH.search(content)]
    assert found == [], found


def test_the_program_imports_only_what_it_requires() -> None:
    """`pulumi up` needs no package beyond requirements.txt; what tests import is there for tests only."""
    foreign = {
        (str(path.relative_to(CHECKOUT)), name)
        for path in [CHECKOUT / "__main__.py", *(CHECKOUT / "components").rglob("*.py")]
        for node in ast.walk(ast.parse(path.read_text()))
        for name in imported(node)
        if name.split(".")[0] not in ALLOWED
    }
    assert foreign == set()


def imported(node: ast.AST) -> list[str]:
    """Modules that a statement names. One of the package's own, relative to it, is none."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []

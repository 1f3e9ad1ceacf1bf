"""What README tells people to type works as they type it."""

import re
from pathlib import Path

from tests.e2e.conftest import CHECKOUT, MakeStack, Shell

BLOCK = re.compile(r"^```sh(?P<where> own-cluster)?\n(?P<commands>.*?)^```$", re.MULTILINE | re.DOTALL)
RUN_ELSEWHERE = {"make up": "the fixture of these tests", "make test": "CI"}
"""Commands that these tests are themselves a part of."""


def commands(where: str) -> list[str]:
    """The command lines of README's blocks of one kind, in order."""
    readme = (CHECKOUT / "README.md").read_text()
    blocks = [
        match["commands"] for match in BLOCK.finditer(readme) if (match["where"] or "").strip() == where
    ]
    assert blocks
    return [line for block in blocks for line in block.splitlines()]


def test_every_command_on_the_lab(shell: Shell) -> None:
    """From `source .lab/env` to the refresh, one after the other, in one working copy."""
    stack_file = CHECKOUT / "Pulumi.dev.yaml"
    before = stack_file.read_text()
    # The working copy may hold changes that git does not have: the test puts back what it found.
    lines = [line for line in commands("") if line not in RUN_ELSEWHERE]
    assert "source .lab/env" in lines
    try:
        for line in lines:
            if line.startswith("git checkout "):
                stack_file.write_text(before)
            else:
                shell.run(line)
    finally:
        stack_file.write_text(before)
        shell.run("pulumi up --stack dev --yes --skip-preview")


def test_every_command_for_a_cluster_of_ones_own(new_stack: MakeStack) -> None:
    """The steps for a user's cluster, in a project folder of its own, with the lab as that cluster."""
    mine = new_stack("mine")
    shell, folder = mine.shell, mine.shell.folder
    (folder / "Pulumi.dev.yaml").write_text((CHECKOUT / "Pulumi.dev.yaml").read_text())
    mine.pulumi("stack rm --yes")
    Path(folder / "Pulumi.mine.yaml").unlink(missing_ok=True)
    for line in commands("own-cluster"):
        shell.run(line)
    url = shell.run("pulumi stack output url --stack mine").stdout.strip()
    assert "hello from" in shell.run(f"curl --silent --header 'Host: my.example.com' {url}").stdout

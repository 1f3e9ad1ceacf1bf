"""Project folders of a test's own: the program of the checkout, another stack file."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from operations.pulumi_stack.project import Project

CHECKOUT = Path(__file__).resolve().parents[3]


def project(folder: Path, stack: str, config: Mapping[str, object]) -> Project:
    """Put a stack file beside the checkout's program."""
    for shared in ("Pulumi.yaml", "__main__.py", "components"):
        (folder / shared).symlink_to(CHECKOUT / shared)
    (folder / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump({"config": dict(config)}))
    return Project.at(folder)

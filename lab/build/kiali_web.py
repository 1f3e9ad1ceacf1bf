"""Builds Kiali's web interface once, with npm, from the sources in Kiali's Go module.

Everything is pinned: yarn by a package-lock.json here, its packages by the yarn.lock of the module, and that
file by go.sum. No package runs a script at its installation.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from lab.build.go import GoBuilder
from lab.build.parts import KIALI, KIALI_VERSION
from lab.errors import LOG_LINES, LabError
from lab.places import filled

NODE = 20
"""The oldest major version of Node.js that Kiali's package.json allows."""

YARN = KIALI.directory / "yarn"

ENVIRONMENT = {
    "REACT_APP_IS_UPSTREAM": "true",
    "REACT_APP_NAME": "@kiali/kiali-ui",
    "REACT_APP_VERSION": KIALI_VERSION.removeprefix("v"),
    "REACT_APP_GIT_HASH": KIALI_VERSION,
    "GENERATE_SOURCEMAP": "false",
    "DISABLE_ESLINT_PLUGIN": "true",  # for people who change the sources
    "CI": "false",  # otherwise react-scripts fails at the first warning
    "BROWSERSLIST_IGNORE_OLD_DATA": "true",
}


def directory(cache: Path) -> Path:
    """Return the folder for the web interface of exactly this Kiali, which may not exist."""
    return cache / "web" / f"kiali-{KIALI.key}"


def build(builder: GoBuilder) -> Path:
    """Return the folder of the web interface, which is built if it does not exist.

    Raises:
        LabError: Node.js is missing or too old, or npm, yarn or the build failed.
    """
    target = directory(builder.cache)
    if target.is_dir():
        return target
    require_node()
    work = builder.cache / "web-work"
    shutil.rmtree(work, ignore_errors=True)  # of a build that was killed
    caches = {"npm_config_cache": str(work / "npm"), "YARN_CACHE_FOLDER": str(work / "packages")}
    environment = {**os.environ, **ENVIRONMENT, **caches}
    try:
        with builder.progress.step("build Kiali's web interface") as step, filled(target) as folder:

            def run(folder: Path, *command: str) -> None:
                code, output = builder.run(
                    command, folder, environment, lambda lines: step.describe(lines[-1].strip()[:70])
                )
                if code:
                    raise _failure(command, output)

            shutil.copytree(YARN, work / "yarn")
            run(work / "yarn", "npm", "ci", "--ignore-scripts")
            sources = work / "frontend"
            shutil.copytree(builder.module(KIALI, "github.com/kiali/kiali") / "frontend", sources)
            yarn = str(work / "yarn/node_modules/yarn/bin/yarn.js")
            run(
                sources, "node", yarn, "--non-interactive", "install", "--frozen-lockfile", "--ignore-scripts"
            )
            run(sources, "node", "node_modules/react-scripts/bin/react-scripts.js", "build")
            shutil.copytree(sources / "build", folder, dirs_exist_ok=True)
            for old in target.parent.glob("kiali-*[0-9a-f]"):
                shutil.rmtree(old)
            step.describe("")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def require_node() -> None:
    """Check that Node.js and npm are on PATH.

    Raises:
        LabError: one is missing, or Node.js is too old.
    """
    fix = f"install Node.js {NODE} or newer with npm and put both on PATH, then: make observe"
    try:
        version = subprocess.run(
            ["node", "--version"], capture_output=True, text=True, check=True
        ).stdout.strip()
        subprocess.run(["npm", "--version"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise LabError(f"Kiali's web interface is built with Node.js and npm ({error})", fix=fix) from error
    found = re.match(r"v(\d+)\.", version)
    if not found or int(found[1]) < NODE:
        raise LabError(
            f"`node --version` prints {version!r}; Kiali's web interface needs Node.js {NODE} or newer",
            fix=fix,
        )


def _failure(command: Sequence[str], output: str) -> LabError:
    words = " ".join(Path(word).name if "/" in word else word for word in command)
    return LabError(
        f"`{words}` failed; no web interface was built",
        fix="check the network and `npm config get registry`, then: make observe",
        evidence="\n".join(output.splitlines()[-LOG_LINES:]),
    )

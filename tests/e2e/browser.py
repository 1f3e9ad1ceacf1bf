"""A real browser without a window: Debian's Chromium, unpacked beside the machine's own programs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, sync_playwright

from lab.build.debian import Packages, environment
from lab.places import Places
from lab.progress import Progress

PACKAGES = tuple((Path(__file__).parent / "browser_packages.txt").read_text().split())
"""Chromium's headless shell with every library that it links to but the C library, the machine's own."""

FLAGS = (
    "--no-sandbox",  # the lab's user is root, which Chromium's sandbox refuses
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def page(width: int = 1440, height: int = 820) -> Iterator[Page]:
    """Open a page of a new browser, with an empty profile, that is as large as this."""
    cache = Places.of_this_machine().cache
    root = Packages(cache=cache, progress=Progress()).unpack("browser", PACKAGES)
    with TemporaryDirectory() as home, sync_playwright() as playwright:
        variables = environment(root)
        private = ":".join(str(folder) for folder in root.glob("usr/lib/*-linux-gnu/pulseaudio"))
        browser = playwright.chromium.launch(
            executable_path=root / "usr/lib/chromium/chromium-headless-shell",
            args=list(FLAGS),
            env={
                "HOME": home,
                "PATH": os.defpath,
                "LD_LIBRARY_PATH": f"{variables['LD_LIBRARY_PATH']}:{private}",
                "FONTCONFIG_SYSROOT": str(root),
            },
        )
        yield browser.new_page(viewport={"width": width, "height": height})
        browser.close()


def picture(of: Page, name: str) -> None:
    """Keep what a page shows, where `make pictures` says; nowhere else."""
    if folder := os.environ.get("PICTURES"):
        of.screenshot(path=Path(folder) / f"{name}.png")

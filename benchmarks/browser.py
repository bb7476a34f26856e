"""Chromium, headless, for what is measured and tested in a real browser."""

import shutil

from playwright.sync_api import Browser, Playwright

from catalog.errors import NotReady

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium(playwright: Playwright) -> Browser:
    """The one on PATH, started. Raises NotReady where there is none."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        raise NotReady("There is no chromium on PATH: `make browser` installs Debian's.")
    return playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])

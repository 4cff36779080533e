"""The browser of the tests in this folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support.browser import BROWSER_OPTIONS
from tests.support.requirements import require


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start one browser per module, because its event loop runs in this thread."""
    chromium = shutil.which("chromium")
    require(chromium, "chromium is not on PATH; install it (Debian: chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(BROWSER_OPTIONS))
        yield browser
        browser.close()

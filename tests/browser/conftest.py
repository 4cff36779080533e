"""The browser of the tests in this folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support.browser import BROWSER_OPTIONS


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start one browser per module, because its event loop runs in this thread."""
    chromium = shutil.which("chromium")
    if chromium is None:
        if os.environ.get("CI") == "true":
            pytest.fail("chromium is not on PATH, and CI must run the browser tests")
        pytest.skip("chromium is not on PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(BROWSER_OPTIONS))
        yield browser
        browser.close()

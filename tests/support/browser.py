"""Opens a page in a browser that makes no network calls of its own."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, Page

from tests.support.patience import PATIENCE

BROWSER_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)
DESK, PHONE = 1280, 400


class Visit:
    """An open page, with the errors and the requests of the browser."""

    def __init__(self, browser: Browser, address: str, **more: Any) -> None:
        self.errors: list[str] = []
        self.requests: list[str] = []
        context = browser.new_context(
            viewport={"width": more.pop("width", DESK), "height": 800}, **more
        )
        context.set_default_timeout(PATIENCE * 1000)
        self.page: Page = context.new_page()
        self.page.on("console", lambda message: self.errors.append(message.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(address)

    @property
    def requested(self) -> set[str]:
        """The addresses that the browser requested."""
        return {url for url in self.requests if not url.startswith("data:")}

    def close(self) -> None:
        self.page.context.close()

    def shows(self, text: str) -> bool:
        """Return whether the text is visible and within the width of the window."""
        element = self.page.get_by_text(text).first
        box = element.bounding_box()
        width = self.page.evaluate("innerWidth")
        return element.is_visible() and box is not None and box["x"] + box["width"] <= width

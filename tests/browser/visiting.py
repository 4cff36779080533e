"""A look at a page with a browser that keeps to itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

QUIET = (
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
    """A look at a page; notes what the browser complains about and what it asks for."""

    def __init__(self, browser: Browser, address: str, **more: Any) -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        context = browser.new_context(
            viewport={"width": more.pop("width", DESK), "height": 800}, **more
        )
        self.page: Page = context.new_page()
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(address)

    @property
    def asked(self) -> set[str]:
        """Every address that the browser asked for something."""
        return {url for url in self.requests if not url.startswith("data:")}

    def close(self) -> None:
        self.page.context.close()

    def sees(self, text: str) -> bool:
        """Tell whether the text is there, shown and within the width of the window."""
        place = self.page.get_by_text(text).first
        box = place.bounding_box()
        width = self.page.evaluate("innerWidth")
        return place.is_visible() and box is not None and box["x"] + box["width"] <= width

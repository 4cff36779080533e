"""What a browser may do here: read, and nothing else.

The API has no login: every program that reaches it can use it. A browser reaches everything that
its user reaches, and any page in it can make it send a POST. Calls that change something are
therefore refused if a page of another site sent them. Browsers name the sender in two headers that
no page can forge. curl and wget send none of the two headers and keep working.

Calls from another origin of the same site are refused as well. Another port of this host, or a
sibling of its domain, is another program with other authors and other security holes.

DNS rebinding is not stopped: an attacker can make a host name of their own point to this service.
The only protection against that is a network in which no browser reaches this service.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, request
from werkzeug.exceptions import Forbidden

from jobs.text import shortened
from web.page.render import CONTENT_SECURITY_POLICY

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
OWN_SITE = ("same-origin", "none")  # none: the user did it, not a page
DEFAULT_PORTS = {"http": 80, "https": 443}
REMEDY = "send the call with curl or wget, because the page of this service is read-only"
MAX_VALUE = 100  # characters of a header that a refusal repeats


def protect(app: Flask) -> None:
    """Refuse calls from pages of other sites, and make browsers keep answers from such pages."""
    app.before_request(_refuse_foreign_calls)
    app.after_request(_add_headers)


def _refuse_foreign_calls() -> None:
    """Raise `Forbidden` for a call that changes something and comes from another site's page."""
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in OWN_SITE:
        value = shortened(site, MAX_VALUE)
        raise Forbidden(f"Sec-Fetch-Site: {value}: a page of another origin; {REMEDY}")
    origin = request.headers.get("Origin")
    if origin is not None and not _is_own(origin, request.headers.get("Host", "")):
        value = shortened(origin, MAX_VALUE)
        raise Forbidden(
            f"Origin: {value}: not the host that was called; {REMEDY}."
            " A proxy in front must pass the Host header on unchanged"
        )


def _is_own(origin: str, host: str) -> bool:
    """Return whether a page comes from the host that it calls.

    The scheme may differ, because a proxy that speaks TLS passes calls on as plain HTTP. A missing
    port is therefore the default port of the page's scheme in both addresses.
    """
    try:
        page, called = urlsplit(origin), urlsplit(f"//{host}")
        ports = [part.port or DEFAULT_PORTS[page.scheme] for part in (page, called)]
    except (KeyError, ValueError):
        return False
    return page.hostname is not None and page.hostname == called.hostname and len({*ports}) == 1


def _add_headers(response: Response) -> Response:
    """Add headers that keep an answer from other pages, and this page from loading anything."""
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if response.mimetype == "text/html":
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.headers["Cache-Control"] = "no-store"
    return response

"""What a browser may do here: look, and nothing else.

The API has no login: who reaches it may use it. A browser reaches what its person reaches, and any
page it shows can make it send a POST. So calls that change something are refused where a browser
says that another site's page sends them. Browsers say so in two headers that no page can forge;
curl and wget send neither, and go on working.

Refused is also what comes from the same site but another origin: another port of this host or a
sibling of its domain is another program, with other authors and other holes. What is not stopped
is a host name of the attacker's that is made to point here (DNS rebinding); only a network that
does not lead here from browsers at all stops that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import request
from werkzeug.exceptions import Forbidden

from web.page import CONTENT_SECURITY_POLICY

if TYPE_CHECKING:
    from flask import Flask, Response

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
OWN_SITE = ("same-origin", "none")  # none: a person's doing, no page's
PORTS = {"http": 80, "https": 443}
FIX = "send the call with curl or wget; the page of this service only shows things"
LONGEST_VALUE = 100  # characters of a header that a refusal repeats


def protect(app: Flask) -> None:
    """Refuse what other sites' pages send, and tell browsers to keep answers apart from theirs."""
    app.before_request(_refuse_foreign_calls)
    app.after_request(_add_headers)


def _refuse_foreign_calls() -> None:
    """Let a call that changes something through only if no other site's page sent it."""
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in OWN_SITE:
        raise Forbidden(f"Sec-Fetch-Site: {site[:LONGEST_VALUE]}: a page of another origin; {FIX}")
    origin = request.headers.get("Origin")
    if origin is not None and not _is_own(origin, request.headers.get("Host", "")):
        raise Forbidden(
            f"Origin: {origin[:LONGEST_VALUE]}: not the host that was called; {FIX}."
            " A proxy in front must pass the Host header on as it came"
        )


def _is_own(origin: str, host: str) -> bool:
    """Tell whether a page comes from where it calls; a port that is left out is the scheme's.

    The scheme itself may differ: a proxy that speaks TLS hands on as plain HTTP what came to it.
    """
    try:
        page, called = urlsplit(origin), urlsplit(f"//{host}")
        ports = [part.port or PORTS[page.scheme] for part in (page, called)]
    except (KeyError, ValueError):
        return False
    return page.hostname is not None and page.hostname == called.hostname and len({*ports}) == 1


def _add_headers(response: Response) -> Response:
    """Add what makes a browser keep an answer from other pages, and the page from loading any."""
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if response.mimetype == "text/html":
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        response.headers["Cache-Control"] = "no-store"
    return response

"""The status page: a report as one HTML document that needs nothing else.

It has no script and loads nothing. It therefore works in any browser, on a network without
internet, and while the store is down. Other programs write to the store, so every text of a job is
escaped, and only http addresses become links.
"""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import timedelta, tzinfo
from functools import cache
from itertools import islice
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from jinja2.filters import do_urlencode
from markupsafe import Markup

from jobs.model import JOB_BASE
from jobs.text import encodable, shortened
from web.page import summary, timeline
from web.page.local_time import LocalTime, duration
from web.page.overview import Overview, overview
from web.status.report import UNNAMED, StatusReport, StreamReport

SERVICE = "delta-producer-background-jobs-initiator"
REFRESH_SECONDS = 30
MAX_STUCK = 20  # jobs at the top, each with what to do
MAX_STUCK_OF_MANY = 5  # above an overview, which lists their streams too
MAX_REASON = 160  # characters

_TEMPLATES = Path(__file__).parent / "templates"
_STYLE = (_TEMPLATES / "status.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

# Only the style element with this hash is allowed, so no injected style takes effect.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{_STYLE_HASH}'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
# The page with the search has a form. It changes nothing, so that the form may call this service.
SEARCH_POLICY = CONTENT_SECURITY_POLICY.replace("form-action 'none'", "form-action 'self'")


def is_overview(report: StatusReport, search: str) -> bool:
    """Return whether the page shows many streams in short, with a form to search them."""
    return bool(search) or not report.detailed


def render(report: StatusReport, zone: tzinfo, search: str = "") -> str:
    """Return the page of all streams, with all times in the zone.

    It shows everything of a few streams, and an overview of many or of those that a search finds.
    """
    many = is_overview(report, search)
    return _page(report, zone, overview(report, search) if many else None)


def render_stream(report: StatusReport, zone: tzinfo) -> str:
    """Return the page of the one stream of a report."""
    return _page(report, zone, None, only=report.streams[0])


def _page(
    report: StatusReport, zone: tzinfo, overview: Overview | None, only: StreamReport | None = None
) -> str:
    """Return a page. It never holds a lone surrogate, which could not be sent."""
    known = report.store.reachable
    local_time = LocalTime(report.now, zone)
    max_stuck = MAX_STUCK if overview is None else 0 if overview.search else MAX_STUCK_OF_MANY
    html = _template().render(
        report=report,
        local_time=local_time,
        overall=summary.overall(report),
        active_jobs=summary.active_jobs(report),
        stuck=list(islice(summary.stuck_jobs(report), max_stuck)),
        stuck_count=summary.stuck_count(report),
        uptime=duration(timedelta(seconds=report.uptime_seconds)),
        overview=overview,
        only=only,
        streams=[
            (
                stream,
                summary.of_stream(stream, jobs_known=known),
                timeline.draw(stream, local_time, report.started, jobs_known=known),
            )
            for stream in (report.streams if overview is None else ())
        ],
    )
    return encodable(html)


def is_link(uri: str) -> bool:
    """Return whether a URI may become a link; `javascript:` and similar ones are unsafe."""
    return re.match(r"https?://[^\s/]", uri, re.IGNORECASE) is not None


def stream_page(stream: StreamReport) -> str:
    """Return the path of a stream's page."""
    return do_urlencode(f"/{stream.name or UNNAMED}/")


def short_uri(uri: str) -> str:
    """Return a job's URI without the base that the URIs of all jobs share."""
    return uri.removeprefix(JOB_BASE)


def icon(tone: str) -> str:
    """Return the browser tab's icon for a data: URI: a circle if all is good, else a square."""
    colour, radius = ("2f9e5b", 8) if tone == "good" else ("d63a3a", 2)
    return (
        "%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
        f"%3Crect width='16' height='16' rx='{radius}' fill='%23{colour}'/%3E%3C/svg%3E"
    )


@cache
def _template() -> Template:
    """Return the template of every page; the first page compiles it, which takes memory."""
    return _environment().get_template("status.html")


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.tests["link"] = is_link
    environment.filters |= {
        "short_uri": short_uri,
        "stream_name": summary.stream_name,
        "kind_name": summary.kind_name,
        "stream_page": stream_page,
        "thousands": "{:,}".format,
        "brief": lambda text: shortened(text, MAX_REASON),
        "capitalized": summary.capitalized,
        "steps": summary.steps,
    }
    environment.globals |= {
        "service": SERVICE,
        "refresh_seconds": REFRESH_SECONDS,
        "style": Markup(_STYLE),  # noqa: S704 # our own file; escaping it would change its hash
        "status_tones": summary.STATUS_TONES,
        "result_tones": summary.RESULT_TONES,
        "axis": timeline.AXIS,
        "heights": timeline.HEIGHTS,
        "icon": icon,
    }
    return environment

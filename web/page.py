"""The status page: a report as HTML that stands alone.

No script, no request for anything else: one document that works in any browser, on a network
without internet, and next to a store that is down. What it shows of jobs comes from the store,
where other programs write: every text is escaped, and only http addresses become links.
"""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import timedelta, tzinfo
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from jobs.model import JOB_BASE
from web import timeline, verdicts
from web.report import StatusReport
from web.times import Wall, span

SERVICE = "delta-producer-background-jobs-initiator"
REFRESH_SECONDS = 30

_TEMPLATES = Path(__file__).parent / "templates"
_STYLE = (_TEMPLATES / "status.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

# The one style element is allowed by what it holds, so nothing that is smuggled in is.
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


def render(report: StatusReport, zone: tzinfo) -> str:
    """Return the page that shows a report, with all times in the zone.

    A store may hand over half a character (a lone surrogate), which can't be sent: it becomes `?`.
    """
    known = report.store.reachable
    wall = Wall(report.now, zone)
    html = _PAGE.render(
        report=report,
        wall=wall,
        overall=verdicts.overall(report),
        stuck=list(verdicts.stuck_jobs(report)),
        uptime=span(timedelta(seconds=report.uptime_seconds)),
        streams=[
            (
                stream,
                verdicts.of_stream(stream, jobs_known=known),
                timeline.picture(stream, wall, jobs_known=known),
            )
            for stream in report.streams
        ],
    )
    return html.encode(errors="replace").decode()


def is_link(uri: str) -> bool:
    """Tell whether a URI may be followed; `javascript:` and the like may not."""
    return re.match(r"https?://[^\s/]", uri, re.IGNORECASE) is not None


def short(uri: str) -> str:
    """Leave out of a job's URI what all of our jobs' URIs have in common."""
    return uri.removeprefix(JOB_BASE)


def icon(tone: str) -> str:
    """Draw the tab's icon as the rest of a data: address; round is good, square is not."""
    colour, radius = ("2f9e5b", 8) if tone == "good" else ("d63a3a", 2)
    return (
        "%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
        f"%3Crect width='16' height='16' rx='{radius}' fill='%23{colour}'/%3E%3C/svg%3E"
    )


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
        "short": short,
        "title_of": verdicts.title,
        "words": verdicts.words,
        "sentence": verdicts.sentence,
        "steps": verdicts.steps,
    }
    environment.globals |= {
        "service": SERVICE,
        "refresh_seconds": REFRESH_SECONDS,
        "style": Markup(_STYLE),  # noqa: S704 # our own file, hashed as it is
        "status_tones": verdicts.STATUS_TONES,
        "result_tones": verdicts.RESULT_TONES,
        "axis": timeline.AXIS,
        "heights": timeline.HEIGHTS,
        "icon": icon,
    }
    return environment


_PAGE = _environment().get_template("status.html")

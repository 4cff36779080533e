"""The health check of the container: exit status 0 if the running service is alive, otherwise 1.

It calls the service where HOST and PORT say, without a proxy. It starts often, so it imports little
and reads no configuration.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

from settings.hosts import EVERY_ADDRESS, own_url

SECONDS = 8  # for an answer; below the timeout of HEALTHCHECK in the Dockerfile
DEFAULT_PORT = "80"
MAX_REASON = 1000  # bytes of an answer


def main() -> int:
    """Print the service's answer, or why there is none, and return the exit status."""
    url = live_url(os.environ)
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=SECONDS) as answer:
            print(answer.read(MAX_REASON).decode(errors="replace"))
    except HTTPError as error:
        print(f"{url}: {error.read(MAX_REASON).decode(errors='replace')}", file=sys.stderr)
        return 1
    except (OSError, HTTPException, ValueError) as error:
        print(f"{url}: {error}", file=sys.stderr)
        return 1
    return 0


def live_url(environ: Mapping[str, str]) -> str:
    """Return the URL of the liveness check; empty variables count as unset, as in the service."""
    host = environ.get("HOST", "").strip() or EVERY_ADDRESS
    port = environ.get("PORT", "").strip() or DEFAULT_PORT
    return f"{own_url(host, port)}/health/live"


if __name__ == "__main__":
    sys.exit(main())

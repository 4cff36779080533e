"""The environment variables of a process that a test starts."""

from __future__ import annotations

import os
from collections.abc import Mapping

UNSET = {"CONFIG_FILE", "PORT", "TZ", "FLASK_APP", "MU_SPARQL_ENDPOINT"}


def environ_of(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of this process without the service's, and then the given ones."""
    inherited = {name: value for name, value in os.environ.items() if name not in UNSET}
    return {**inherited, "TZ": "UTC", **variables}

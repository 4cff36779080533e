"""The version of the service: in the image's tag, the metrics and the status."""

from typing import Final

VERSION: Final = "2.0.0"

"""The version of the service: in the tag of the image, the metrics and the status."""

from typing import Final

VERSION: Final = "2.0.0"

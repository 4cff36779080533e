"""The addresses of HOST: which of them the service listens on, and where it is called.

The health check imports this module every half minute, so it imports nothing that is slow.
"""

from __future__ import annotations

import socket
from typing import Final

EVERY_ADDRESS: Final = "*"  # of IPv6 and IPv4
_SAME: Final = (EVERY_ADDRESS, "::")
_EVERY_IPV4: Final = "0.0.0.0"  # noqa: S104 - compared, not listened on


def plain_host(text: str) -> str:
    """Return a host without the brackets of a URL; every way to write all addresses is `*`."""
    text = text.strip()
    host = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    return EVERY_ADDRESS if host in _SAME else host


def is_host(text: str) -> bool:
    """Return whether a text of the characters of hosts is a name or an address, without a port."""
    address, zone, name = text.partition("%")
    if ":" not in text:
        return not zone
    try:
        socket.inet_pton(socket.AF_INET6, address)
    except OSError:
        return False
    return bool(name) or not zone


def own_url(host: str, port: int | str) -> str:
    """Return the URL at which a service that listens on this host is called on its machine."""
    host = plain_host(host)
    called = {EVERY_ADDRESS: "localhost", _EVERY_IPV4: "127.0.0.1"}.get(host, host)
    return f"http://[{called}]:{port}" if ":" in called else f"http://{called}:{port}"

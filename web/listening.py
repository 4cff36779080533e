"""The sockets that the server listens on."""

from __future__ import annotations

import errno
import logging
import socket
from typing import Any, Final

from settings.hosts import EVERY_ADDRESS

_log = logging.getLogger(__name__)

# What a machine says of an address that it lacks, or whose family it lacks
_LACKING: Final = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL})


def listen(host: str, port: int) -> list[socket.socket]:
    """Return sockets that listen on all addresses of a host; `*` is every address of the machine.

    Addresses that the machine lacks are left out. Raise OSError if none is left, or if one of the
    others cannot be used.
    """
    if host == EVERY_ADDRESS:
        return [_every_address(port)]
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    opened: list[socket.socket] = []
    lacking: OSError | None = None
    for family, address in dict.fromkeys((family, address) for family, *_, address in found):
        try:
            opened.append(_open(family, address))
        except OSError as error:
            if error.errno not in _LACKING:
                for one in opened:
                    one.close()
                raise
            lacking = error
    if lacking and not opened:
        raise lacking
    return opened


def _every_address(port: int) -> socket.socket:
    """Return a socket for IPv6 and IPv4, or for IPv4 alone on a machine without IPv6."""
    if socket.has_dualstack_ipv6():
        try:
            return _open(socket.AF_INET6, ("::", port), both=True)
        except OSError as error:
            if error.errno not in _LACKING:
                raise
    _log.info("this machine has no IPv6, so only IPv4 is served")
    return _open(socket.AF_INET, ("", port))


def _open(family: int, address: tuple[Any, ...], *, both: bool = False) -> socket.socket:
    return socket.create_server(address, family=family, dualstack_ipv6=both)

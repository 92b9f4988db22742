"""Addresses to listen on, tried before anything is served there."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from serving.errors import InvalidConfig


def check_host(field: str, host: str) -> None:
    """Refuses what is no address of this machine; whether a port is free there is another matter.

    Raises:
        InvalidConfig: the setting `field` cannot be listened on.
    """
    try:
        family, *_ = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind((host, 0))
    except (OSError, UnicodeError) as error:
        raise InvalidConfig(field, host, "an address of this machine") from error


@contextmanager
def reserved(host: str, port: int) -> Iterator[int]:
    """Holds a port, a free one for 0, for those who share it, without taking any connection.

    Raises:
        InvalidConfig: it cannot be listened on, or another server does, even one that would share.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                # Ended connections take no port, but other listeners do, which share theirs or not.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
            holder.bind((host, port))
        except (OSError, UnicodeError) as error:
            raise InvalidConfig(
                "host and port", f"{host}:{port}", "an address that is free to listen on"
            ) from error
        yield holder.getsockname()[1]

"""Addresses to listen on, tried before anything is served there."""

import socket

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

"""Whether an address can be listened on is known before anything is served there."""

import socket
import sys
from contextlib import closing

import pytest

from serving.addresses import check_host, reserved
from serving.errors import InvalidConfig

shared = pytest.mark.skipif(sys.platform != "linux", reason="ports are shared on Linux")
HOST = "127.0.0.1"


@pytest.mark.parametrize("host", [HOST, "localhost", "0.0.0.0"])
def test_this_machines_addresses_can_be_listened_on(host: str) -> None:
    check_host("metrics_host", host)


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid", "a" * 100])
def test_others_cannot(host: str) -> None:
    with pytest.raises(InvalidConfig, match=f"metrics_host is {host}; expected an address of this"):
        check_host("metrics_host", host)


@shared
def test_a_reserved_port_is_for_those_who_share_it() -> None:
    with reserved(HOST, 0) as port, closing(socket.socket()) as sharer:
        sharer.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sharer.bind((HOST, port))


@shared
def test_a_port_is_reserved_once() -> None:
    sentence = r"host and port is 127\.0\.0\.1:\d+; expected an address that is free to listen on"
    with (
        reserved(HOST, 0) as port,
        pytest.raises(InvalidConfig, match=sentence),
        reserved(HOST, port),
    ):
        pass


@shared
@pytest.mark.parametrize("shares", [0, 1])
def test_a_port_that_somebody_listens_on_is_refused(shares: int) -> None:
    with closing(socket.socket()) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, shares)
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(InvalidConfig, match=f"{HOST}:{port}"), reserved(HOST, port):
            pass


@shared
def test_what_is_left_of_a_connection_takes_no_port() -> None:
    with closing(socket.create_server((HOST, 0), reuse_port=True)) as server:
        port = server.getsockname()[1]
        with closing(socket.create_connection((HOST, port))):
            server.accept()[0].close()  # It ends here, and waits for a minute.
    with reserved(HOST, port) as again:
        assert again == port

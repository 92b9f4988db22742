"""How a client reaches its server, and shows who it is."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc

from serving.errors import InvalidConfig
from serving.rpc.channel import client_options


@dataclass(frozen=True)
class ClientTls:
    """An encrypted connection; all files are in PEM form.

    Attributes:
        ca: certificates of the authorities that the server's may come from; None for those that
            gRPC brings along.
        certificate: the client's own, for servers that ask for it.
        key: its private key.

    Raises:
        InvalidConfig: of certificate and key only one is given.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):  # gRPC would end the process.
            raise InvalidConfig("certificate and key", "one alone", "both or none")


def open_channel(
    address: str, tls: ClientTls | None, name: str = "", *, direct: bool = False
) -> grpc.Channel:
    """A channel to a server.

    Args:
        address: ``HOST:PORT``.
        tls: how it is encrypted; None for not at all.
        name: what the server's certificate calls it, where that is not its host.
        direct: past any proxy, as for servers on this machine.

    Raises:
        InvalidConfig: a file of `tls` is not what it should be.
        OSError: a file cannot be read.
    """
    options = client_options(direct)
    if tls is None:
        return grpc.insecure_channel(address, options=options)
    names = [("grpc.ssl_target_name_override", name)] if name else []
    return grpc.secure_channel(address, _credentials(tls), options=[*options, *names])


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    """The metadata that show a token (RFC 6750), without space around it; none for an empty one.

    Raises:
        InvalidConfig: metadata cannot hold it.
    """
    token = token.strip()
    if not (token.isascii() and token.isprintable()):
        raise InvalidConfig("token", "not fit to be sent", "one line of printable ASCII characters")
    return (("authorization", f"Bearer {token}"),) if token else ()


def _credentials(tls: ClientTls) -> grpc.ChannelCredentials:
    ca, key, certificate = (
        path.read_bytes() if path else None for path in (tls.ca, tls.key, tls.certificate)
    )
    _check_files(tls)
    return grpc.ssl_channel_credentials(ca, key, certificate)


def _check_files(tls: ClientTls) -> None:
    """Refuses what gRPC would call no more than a failure to connect; pipes are read only once."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for name, path in (("ca", tls.ca), ("certificate", tls.certificate)):
        if path and path.is_file():
            with _refusing(name, path, "certificates in PEM form"):
                context.load_verify_locations(path)
    if tls.certificate and tls.certificate.is_file() and tls.key and tls.key.is_file():
        with _refusing("key", tls.key, "the certificate's in PEM form, without a password"):
            # Without a password of any kind, OpenSSL would ask on the terminal.
            context.load_cert_chain(tls.certificate, tls.key, password="")


@contextmanager
def _refusing(name: str, path: Path, allowed: str) -> Iterator[None]:
    try:
        yield
    except ssl.SSLError as error:
        raise InvalidConfig(name, f"{str(path)!r} ({error})", allowed) from error

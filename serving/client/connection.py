"""How a client reaches its server, and shows who it is."""

from dataclasses import dataclass
from pathlib import Path

import grpc

from serving.rpc.channel import client_options


@dataclass(frozen=True)
class ClientTls:
    """An encrypted connection; all files are in PEM form.

    Attributes:
        ca: certificates of the authorities that the server's may come from; None for those that
            gRPC brings along.
        certificate: the client's own, for servers that ask for it.
        key: its private key.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


def open_channel(address: str, tls: ClientTls | None, name: str = "") -> grpc.Channel:
    """A channel to a server.

    Args:
        address: ``HOST:PORT``.
        tls: how it is encrypted; None for not at all.
        name: what the server's certificate calls it, where that is not its host.

    Raises:
        OSError: a file cannot be read.
    """
    if tls is None:
        return grpc.insecure_channel(address, options=client_options())
    ca, key, certificate = (
        path.read_bytes() if path else None for path in (tls.ca, tls.key, tls.certificate)
    )
    credentials = grpc.ssl_channel_credentials(ca, key, certificate)
    names = [("grpc.ssl_target_name_override", name)] if name else []
    return grpc.secure_channel(address, credentials, options=[*client_options(), *names])


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    """The metadata that show a token (RFC 6750); none for an empty one."""
    return (("authorization", f"Bearer {token}"),) if token else ()

"""Encrypted connections, and certificates that can be replaced while the server runs."""

import ssl
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import grpc

from serving.errors import InvalidConfig
from serving.security.certificate import check_pair
from serving.security.files import Watched


@dataclass(frozen=True)
class Tls:
    """Files in PEM form; they are read again when they change.

    Raises:
        InvalidConfig: only a part is given.
    """

    tls_certificate: Path | None = None
    """The server's certificate, followed by those that lead to its authority's."""

    tls_key: Path | None = None
    """The certificate's private key."""

    tls_client_ca: Path | None = None
    """Certificates of the authorities that clients' certificates must come from; without it,
    clients need none."""

    def __post_init__(self) -> None:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise InvalidConfig("tls_certificate and tls_key", "one alone", "both or none")
        if self.tls_client_ca and not self.tls_certificate:
            raise InvalidConfig("tls_client_ca", "given", "it only beside tls_certificate")

    def __bool__(self) -> bool:
        return self.tls_certificate is not None


def server_credentials(tls: Tls) -> grpc.ServerCredentials:
    """Credentials that follow the files; where new ones do not fit, the old ones stay.

    Raises:
        InvalidConfig: the files cannot be read, or do not fit together, or the key needs a
            password, or the certificate has expired or is not valid yet.
    """
    paths = [path for path in _paths(tls) if path]
    watched = Watched("certificates", paths, partial(_configuration, tls))
    return grpc.dynamic_ssl_server_credentials(
        watched.content,
        # None, too: nothing has changed.
        lambda: watched.content if watched.renewed() else None,  # type: ignore[arg-type,return-value]
        require_client_authentication=tls.tls_client_ca is not None,
    )


def _paths(tls: Tls) -> tuple[Path | None, Path | None, Path | None]:
    return tls.tls_certificate, tls.tls_key, tls.tls_client_ca


def _configuration(tls: Tls) -> "grpc.ServerCertificateConfiguration":
    certificate, key, client_ca = _paths(tls)
    assert certificate
    assert key
    try:
        # gRPC itself would say nothing of what is wrong.
        check_pair(certificate, key)
        if client_ca:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=client_ca)
        return grpc.ssl_server_certificate_configuration(
            [(key.read_bytes(), certificate.read_bytes())],
            client_ca.read_bytes() if client_ca else None,
        )
    except (OSError, ValueError) as error:  # ssl's errors are OSErrors.
        given = ", ".join(str(path) for path in (certificate, key, client_ca) if path)
        raise InvalidConfig(
            "tls files", f"{given} ({error})", "a certificate and the key that belongs to it"
        ) from error

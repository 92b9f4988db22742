"""What a server's own certificate is worth, seen by a handshake with itself in memory."""

import ssl
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from serving.errors import InvalidConfig

# OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED. Whatever else clients may
# complain of depends on what they trust.
_NOT_NOW = (9, 10)


def check_pair(certificate: Path, key: Path) -> list[str]:
    """The names and addresses that a certificate is for.

    Args:
        certificate: PEM file, perhaps with those that lead to its authority's.
        key: PEM file of its private key.

    Raises:
        InvalidConfig: the key needs a password, or the certificate is not valid at this time.
        OSError: a file cannot be read, or the two do not belong together.
    """

    def refuse() -> NoReturn:  # OpenSSL would ask on the terminal.
        raise InvalidConfig("tls_key", f"{str(key)!r}, encrypted", "a key without a password")

    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key, refuse)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # It need not be its own authority.
    client.load_verify_locations(certificate)
    try:
        shown = _shown(server, client)
    except ssl.SSLCertVerificationError as error:
        if error.verify_code not in _NOT_NOW:
            return []
        raise InvalidConfig(
            "tls_certificate", f"{str(certificate)!r}, {error.verify_message}", "one valid today"
        ) from error
    return [str(name) for _, name in shown.get("subjectAltName", ())]


def _shown(server: ssl.SSLContext, client: ssl.SSLContext) -> dict[str, tuple[tuple[str, str]]]:
    """The certificate that the client gets to see."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(down, up)
    answering = server.wrap_bio(up, down, server_side=True)
    for side in (asking, answering, asking):
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    return asking.getpeercert() or {}  # type: ignore[return-value]

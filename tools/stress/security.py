"""Those who may not call are refused, each with the right code."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import trustme

from serving.client import ClientTls, UpscaleFailed, UpscalerClient
from tools.stress.figures import Figure
from tools.stress.load import ONCE
from tools.stress.process import ServerProcess

__all__ = ["Security"]

_TOKEN = "correct horse battery staple"


@dataclass(frozen=True)
class Security:
    """Tokens, certificates and plain connections, right ones and wrong ones."""

    def run(self) -> list[Figure]:
        """Return 1 for each case that ends as it must."""
        with tempfile.TemporaryDirectory() as folder, _server(Path(folder)) as (address, files):
            ca, other = files.ca, files.other
            good, expired, foreign = files.good, files.expired, files.foreign
            cases = [
                ("right certificate and token", ClientTls(ca, *good), _TOKEN, "OK"),
                ("no token", ClientTls(ca, *good), "", "UNAUTHENTICATED"),
                ("wrong token", ClientTls(ca, *good), "wrong", "UNAUTHENTICATED"),
                ("expired client certificate", ClientTls(ca, *expired), _TOKEN, "UNAVAILABLE"),
                (
                    "client certificate of another CA",
                    ClientTls(ca, *foreign),
                    _TOKEN,
                    "UNAVAILABLE",
                ),
                ("no client certificate", ClientTls(ca), _TOKEN, "UNAVAILABLE"),
                ("server not of the client's CA", ClientTls(other, *good), _TOKEN, "UNAVAILABLE"),
                ("plain connection", None, _TOKEN, "UNAVAILABLE"),
            ]
            return [
                Figure(f"{name} ends by {code}", _outcome(address, tls, token) == code, least=1)
                for name, tls, token, code in cases
            ]


@dataclass(frozen=True)
class _Files:
    ca: Path
    other: Path
    good: tuple[Path, Path]
    expired: tuple[Path, Path]
    foreign: tuple[Path, Path]


@contextmanager
def _server(folder: Path) -> Iterator[tuple[str, _Files]]:
    ca, other = trustme.CA(), trustme.CA()
    for authority, name in ((ca, "ca"), (other, "other")):
        authority.cert_pem.write_to_path(str(folder / f"{name}.pem"))
    yesterday = datetime.now(UTC) - timedelta(days=1)
    files = _Files(
        folder / "ca.pem",
        folder / "other.pem",
        _issued(folder / "good", ca.issue_cert("127.0.0.1")),
        _issued(folder / "expired", ca.issue_cert("127.0.0.1", not_after=yesterday)),
        _issued(folder / "foreign", other.issue_cert("127.0.0.1")),
    )
    tokens = folder / "tokens.toml"
    digest = sha256(_TOKEN.encode()).hexdigest()
    tokens.write_text(f'[[tokens]]\nname = "proof"\nsha256 = "{digest}"\n')
    certificate, key = _issued(folder / "server", ca.issue_cert("127.0.0.1"))
    options = ["--tls-certificate", str(certificate), "--tls-key", str(key)]
    options += ["--tls-client-ca", str(files.ca), "--token-file", str(tokens)]
    with ServerProcess(*options, "--log-level", "error") as server:
        yield server.address, files


def _issued(path: Path, issued: trustme.LeafCert) -> tuple[Path, Path]:
    certificate, key = path.with_suffix(".crt"), path.with_suffix(".key")
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    return certificate, key


def _outcome(address: str, tls: ClientTls | None, token: str) -> str:
    with UpscalerClient(address, ONCE, tls=tls, token=token) as client:
        try:
            client.models(timeout_s=10)
        except UpscaleFailed as failure:
            return failure.code.name
        return "OK"

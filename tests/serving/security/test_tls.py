"""Who may connect: certificates on both sides, and their renewal."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from serving.client import ClientTls, RetryPolicy, UpscaleFailed, UpscalerClient
from serving.config import ServerConfig
from serving.embedded import embedded_server
from serving.errors import InvalidConfig
from serving.security import files
from serving.security.tls import Tls, server_credentials

ONCE = RetryPolicy(attempts=1)
YESTERDAY, TOMORROW = (datetime.now(UTC) + timedelta(days=days) for days in (-1, 1))


class Authority:
    """Issues certificates into a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self._ca = trustme.CA()
        self._folder = folder
        self.file = folder / f"{name}.pem"
        self._ca.cert_pem.write_to_path(str(self.file))

    def issue(
        self, name: str, expires: datetime | None = None, begins: datetime | None = None
    ) -> tuple[Path, Path]:
        """Certificate and key."""
        issued = self._ca.issue_cert("127.0.0.1", not_after=expires, not_before=begins)
        certificate, key = (self._folder / f"{name}.{part}" for part in ("crt", "key"))
        for path, blobs in (
            (certificate, issued.cert_chain_pems),
            (key, [issued.private_key_pem]),
        ):
            partial = path.with_suffix(".part")
            partial.write_bytes(b"".join(blob.bytes() for blob in blobs))
            partial.replace(path)
        return certificate, key


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ca")


@pytest.fixture
def other(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "other")


@contextmanager
def serving(certificate: Path, key: Path, client_ca: Path | None = None) -> Iterator[str]:
    with embedded_server(ServerConfig(port=0, tls=Tls(certificate, key, client_ca))) as address:
        yield address


def encrypt(key: Path) -> None:
    """Puts a password on a private key."""
    plain = load_pem_private_key(key.read_bytes(), None)
    encryption = BestAvailableEncryption(b"password")
    key.write_bytes(plain.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))


def outcome(address: str, tls: ClientTls | None) -> str:
    with UpscalerClient(address, ONCE, tls=tls) as client:
        try:
            return client.models(timeout_s=5).default_model
        except UpscaleFailed as failure:
            return failure.code.name


def test_only_the_right_authority_is_trusted(authority: Authority, other: Authority) -> None:
    with serving(*authority.issue("server")) as address:
        assert outcome(address, ClientTls(authority.file)) == "x4-fast"
        assert outcome(address, ClientTls(other.file)) == "UNAVAILABLE"
        assert outcome(address, None) == "UNAVAILABLE"


def test_a_server_does_not_start_with_a_certificate_that_no_client_accepts(
    authority: Authority,
) -> None:
    with pytest.raises(InvalidConfig, match=r"^tls_certificate is .*server\.crt', .*has expired"):
        server_credentials(Tls(*authority.issue("server", expires=YESTERDAY)))
    with pytest.raises(InvalidConfig, match="is not yet valid; expected one valid today"):
        server_credentials(Tls(*authority.issue("server", begins=TOMORROW)))


def test_a_key_that_needs_a_password_is_refused_without_asking_for_it(authority: Authority) -> None:
    certificate, key = authority.issue("server")
    encrypt(key)
    with pytest.raises(InvalidConfig, match=r"^tls_key is .*encrypted; expected a key without"):
        server_credentials(Tls(certificate, key))


def test_clients_show_a_certificate_where_they_must(authority: Authority, other: Authority) -> None:
    with serving(*authority.issue("server"), authority.file) as address:
        trusted = authority.file
        assert outcome(address, ClientTls(trusted, *authority.issue("client"))) == "x4-fast"
        assert outcome(address, ClientTls(trusted)) == "UNAVAILABLE"
        assert outcome(address, ClientTls(trusted, *other.issue("wrong"))) == "UNAVAILABLE"
        expired = authority.issue("expired", YESTERDAY)
        assert outcome(address, ClientTls(trusted, *expired)) == "UNAVAILABLE"


def test_a_client_with_one_half_of_a_pair_is_refused(tmp_path: Path) -> None:
    for half in ("certificate", "key"):
        with pytest.raises(InvalidConfig, match=r"^certificate and key is one alone"):
            ClientTls(**{half: tmp_path})


@pytest.mark.parametrize("wrong", ["ca", "certificate", "key"])
@pytest.mark.parametrize("content", ["", "nonsense"])
def test_a_client_says_which_of_its_files_is_wrong(
    authority: Authority, tmp_path: Path, wrong: str, content: str
) -> None:
    certificate, key = authority.issue("client")
    junk = tmp_path / "junk.pem"
    junk.write_text(content)
    tls = ClientTls(**{"ca": authority.file, "certificate": certificate, "key": key, wrong: junk})
    with pytest.raises(InvalidConfig, match=rf"^{wrong} is .*junk\.pem'.*; expected .* PEM form"):
        UpscalerClient("127.0.0.1:1", tls=tls)


def test_a_client_refuses_the_key_of_another_certificate(authority: Authority) -> None:
    certificate, _ = authority.issue("client")
    _, key = authority.issue("second")
    with pytest.raises(InvalidConfig, match=r"^key is .*second\.key'.*; expected the cert"):
        UpscalerClient("127.0.0.1:1", tls=ClientTls(authority.file, certificate, key))


def test_a_client_refuses_a_key_with_a_password_without_asking_for_it(authority: Authority) -> None:
    certificate, key = authority.issue("client")
    encrypt(key)
    with pytest.raises(InvalidConfig, match=r"^key is .*client\.key'.*, without a password"):
        UpscalerClient("127.0.0.1:1", tls=ClientTls(authority.file, certificate, key))


def test_a_clients_files_may_be_pipes(authority: Authority, tmp_path: Path) -> None:
    files = authority.file, *authority.issue("client")
    pipes = [tmp_path / f"pipe{number}" for number in range(len(files))]
    for file, pipe in zip(files, pipes, strict=True):
        os.mkfifo(pipe)
        Thread(target=pipe.write_bytes, args=[file.read_bytes()], daemon=True).start()
    with serving(*authority.issue("server"), authority.file) as address:
        assert outcome(address, ClientTls(*pipes)) == "x4-fast"


def test_a_renewed_certificate_is_taken_up_and_a_broken_one_is_not(
    authority: Authority, other: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_LOOK_AFTER_S", 0)
    certificate, key = authority.issue("server")
    with serving(certificate, key) as address:
        assert outcome(address, ClientTls(authority.file)) == "x4-fast"
        other.issue("server")
        assert outcome(address, ClientTls(other.file)) == "x4-fast"
        assert outcome(address, ClientTls(authority.file)) == "UNAVAILABLE"
        authority.issue("server", expires=YESTERDAY)
        assert outcome(address, ClientTls(other.file)) == "x4-fast"
        certificate.write_text("nonsense")
        assert outcome(address, ClientTls(other.file)) == "x4-fast"


def test_a_certificate_that_comes_early_is_taken_up_in_time(
    authority: Authority, other: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_LOOK_AFTER_S", 0)
    with serving(*authority.issue("server")) as address:
        begins = datetime.now(UTC) + timedelta(seconds=3)
        other.issue("server", begins=begins)
        assert outcome(address, ClientTls(authority.file)) == "x4-fast"
        time.sleep((begins - datetime.now(UTC)).total_seconds() + 0.1)
        assert outcome(address, ClientTls(other.file)) == "x4-fast"


def test_files_that_do_not_fit_are_refused_at_the_start(
    authority: Authority, tmp_path: Path
) -> None:
    certificate, key = authority.issue("server")
    _, wrong_key = authority.issue("second")
    for pair in ((certificate, wrong_key), (certificate, tmp_path / "none"), (key, certificate)):
        with pytest.raises(InvalidConfig, match=r"^tls files is .*; expected a certificate and"):
            server_credentials(Tls(*pair))


def test_settings_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig, match="tls_certificate and tls_key is one alone"):
        Tls(tmp_path)
    with pytest.raises(InvalidConfig, match="tls_client_ca"):
        Tls(tls_client_ca=tmp_path)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_nobody_listens_to_the_world_without_being_told_to(host: str) -> None:
    with pytest.raises(InvalidConfig, match=f"host is {host}; expected a loopback address"):
        ServerConfig(host=host)
    assert ServerConfig(host=host, insecure=True).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_this_machine_needs_no_encryption(host: str) -> None:
    assert ServerConfig(host=host).host == host

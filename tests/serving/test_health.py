from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from serving.config import ServerConfig
from serving.embedded import embedded_server
from serving.health import main
from serving.security.tls import Tls


def test_a_server_that_serves(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([address]) == 0
    assert capsys.readouterr().out == "SERVING\n"


def test_a_server_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["127.0.0.1:1", "--timeout-s", "1"]) == 1
    assert capsys.readouterr().err.startswith("127.0.0.1:1: ")


def test_certificates_that_are_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["127.0.0.1:1", "--ca", "none.pem"]) == 1
    assert "none.pem" in capsys.readouterr().err


@pytest.mark.parametrize("half", ["--certificate", "--key"])
def test_half_a_clients_pair_is_refused(half: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["127.0.0.1:1", half, "client.pem"]) == 1
    assert "certificate and key is one alone" in capsys.readouterr().err


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets the server's settings in the environment."""

    def set_up(**values: object) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"UPSCALER_{name.upper()}", str(value))

    return set_up


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
def test_without_an_address_the_settings_tell_it(
    address: str, settings: Callable[..., None], host: str
) -> None:
    settings(host=host, port=address.rpartition(":")[2])
    assert main([]) == 0


def test_this_machines_server_is_not_asked_through_a_proxy(
    address: str, settings: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("grpc_proxy", "http://127.0.0.1:9")
    for exceptions in ("no_grpc_proxy", "no_proxy"):
        monkeypatch.delenv(exceptions, raising=False)
    settings(port=address.rpartition(":")[2])
    assert main([]) == 0
    assert main([address, "--timeout-s", "1"]) == 1


def test_a_file_may_tell_it_too(
    address: str, settings: Callable[..., None], tmp_path: Path
) -> None:
    path = tmp_path / "server.toml"
    path.write_text(f"port = {address.rpartition(':')[2]}\n")
    settings(config=path)
    assert main([]) == 0
    settings(port=1)
    assert main(["--timeout-s", "1"]) == 1


@contextmanager
def encrypted(folder: Path, name: str, client_ca: Path | None) -> Iterator[dict[str, object]]:
    """A server whose certificate is for another name than its address; gives its settings."""
    certificate, key = issued(trustme.CA(), folder / "server", name)
    with embedded_server(ServerConfig(port=0, tls=Tls(certificate, key, client_ca))) as address:
        told = {"tls_certificate": certificate, "tls_key": key, "tls_client_ca": client_ca}
        yield {
            "port": address.rpartition(":")[2],
            **{name: told[name] for name in told if told[name]},
        }


def issued(authority: trustme.CA, path: Path, name: str) -> tuple[Path, Path]:
    pair = authority.issue_cert(name)
    certificate, key = path.with_suffix(".crt"), path.with_suffix(".key")
    pair.cert_chain_pems[0].write_to_path(str(certificate))
    pair.private_key_pem.write_to_path(str(key))
    return certificate, key


@pytest.mark.parametrize("name", ["upscaler.example", "*.example", "192.0.2.1"])
def test_a_certificate_for_another_name_is_no_hindrance(
    tmp_path: Path, settings: Callable[..., None], name: str
) -> None:
    with encrypted(tmp_path, name, None) as told:
        settings(**told)
        assert main([]) == 0


def test_a_server_that_wants_certificates_gets_one(
    tmp_path: Path, settings: Callable[..., None]
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    certificate, key = issued(authority, tmp_path / "probe", "probe")
    with encrypted(tmp_path, "upscaler.example", tmp_path / "ca.pem") as told:
        settings(**told)
        assert main([]) == 1  # The server's own is not of that authority.
        settings(health_certificate=certificate, health_key=key)
        assert main([]) == 0


@pytest.mark.parametrize("half", ["health_certificate", "health_key"])
def test_half_of_what_it_should_show_is_refused(
    tmp_path: Path,
    settings: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
    half: str,
) -> None:
    certificate, key = issued(trustme.CA(), tmp_path / "server", "upscaler.example")
    settings(tls_certificate=certificate, tls_key=key, tls_client_ca=certificate)
    settings(**{half: "probe.pem"})
    assert main([]) == 1
    assert "health_certificate and health_key is one alone" in capsys.readouterr().err


def test_another_server_on_the_port_is_not_trusted(
    tmp_path: Path, settings: Callable[..., None]
) -> None:
    certificate, key = issued(trustme.CA(), tmp_path / "other", "upscaler.example")
    with encrypted(tmp_path, "upscaler.example", None) as told:
        settings(**told | {"tls_certificate": certificate, "tls_key": key})
        assert main([]) == 1


def test_half_a_pair_is_refused_by_a_sentence(
    settings: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    settings(tls_certificate="server.crt")
    assert main([]) == 1
    assert capsys.readouterr().err == (
        "this machine's server: tls_key is missing; expected it beside tls_certificate\n"
    )

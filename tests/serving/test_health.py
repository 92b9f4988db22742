import pytest

from serving.health import main


def test_a_server_that_serves(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([address]) == 0
    assert capsys.readouterr().out == "SERVING\n"


def test_a_server_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["127.0.0.1:1", "--timeout-s", "1"]) == 1
    assert capsys.readouterr().err.startswith("127.0.0.1:1: ")


def test_certificates_that_are_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["127.0.0.1:1", "--ca", "none.pem"]) == 1
    assert "none.pem" in capsys.readouterr().err

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from serving.client import UpscalerClient
from serving.errors import InvalidConfig
from serving.service import Service
from serving.web.__main__ import main
from tests.serving.web.conftest import start


def test_without_gradio_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("serving.web.__main__.find_spec", lambda _: None)
    assert main([]) == 2
    assert capsys.readouterr().err == (
        "error: the page needs the extra [web]: pip install 'srgan-service[web]'\n"
    )


def test_a_port_that_is_taken_is_an_error_of_one_line(address: str, tmp_path: Path) -> None:
    log = tmp_path / "stderr"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        options = ("--port", port, "--server", address)
        with start(*options, temporary=tmp_path, log=log) as process:
            assert process.wait(timeout=60) == 1
    assert str(port) in log.read_text()
    assert log.read_text().count("\n") == 1


def test_models_belong_to_a_service_inside(models: Path) -> None:
    with pytest.raises(InvalidConfig, match="models is given"):
        Service(server="localhost:1", models=(models,))


@pytest.mark.parametrize("where", ["inside", "elsewhere"])
def test_the_page_is_a_client_of_a_service_inside_or_elsewhere(
    where: str, address: str, models: Path
) -> None:
    service = Service(models=(models,)) if where == "inside" else Service(server=address)
    with service.connect() as client:
        assert isinstance(client, UpscalerClient)
        assert "nearest" in {model.name for model in client.models().models}


def test_the_options_are_explained_without_gradio() -> None:
    program = (
        "import sys; sys.modules['gradio'] = None\n"
        "from serving.web.__main__ import main\nmain(['--help'])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stderr
    for option in ("--host", "--port", "--server", "--tls", "--models"):
        assert option in shown.stdout

from collections.abc import Iterator

import pytest

from serving.config import ServerConfig
from serving.embedded import embedded_server
from tests.docs.sandbox import Sandbox, warm_python


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    home = tmp_path_factory.mktemp("docs")
    with (
        embedded_server(ServerConfig(port=0)) as server,
        warm_python(home / "python.socket"),
    ):
        yield Sandbox(home, server)

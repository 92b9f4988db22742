from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.client import UpscalerClient
from serving.config import ServerConfig
from serving.embedded import embedded_server
from serving.load.limits import Limits
from serving.model import Model, load_model
from tests.serving.networks import Network

NEAREST = "nearest"
RANDOM = "random"


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What servers find out about this machine stays out of the user's own cache."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two networks: one repeats each pixel exactly, one has random weights."""
    folder = tmp_path_factory.mktemp("models")
    Network(NEAREST, strength=0).save(folder)
    Network(RANDOM).save(folder)
    return folder


@pytest.fixture(scope="session")
def nearest(models: Path) -> Model:
    return load_model(models / f"{NEAREST}.onnx")


@pytest.fixture(scope="session")
def random(models: Path) -> Model:
    return load_model(models / f"{RANDOM}.onnx")


@pytest.fixture(scope="session")
def config(models: Path) -> ServerConfig:
    return ServerConfig(
        port=0,
        models=(models,),
        default_model=NEAREST,
        workers=2,
        tile=32,
        limits=Limits(max_input_pixels=200_000, max_output_pixels=16 * 200_000, max_message_mib=4),
    )


@pytest.fixture(scope="session")
def address(config: ServerConfig) -> Iterator[str]:
    """A running server's address."""
    with embedded_server(config) as address:
        yield address


@pytest.fixture(scope="session")
def client(address: str) -> Iterator[UpscalerClient]:
    with UpscalerClient(address) as client:
        yield client

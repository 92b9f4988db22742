"""Model files are exchanged under a running server."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from serving.catalog import Catalog
from serving.client import UpscaleFailed, UpscalerClient
from serving.config import ServerConfig
from serving.embedded import embedded_server
from serving.errors import UnknownModel
from serving.reload import renewed
from tests.serving.files import checker, enlarged, read_png, write_png
from tests.serving.networks import Network

PIXELS = checker(3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    Network("mine", strength=0).save(folder)
    return folder


def replace(folder: Path, network: Network) -> None:
    """As an operator should: written elsewhere, then renamed."""
    source = network.save(folder.parent)
    source.replace(folder / source.name)


def test_what_has_not_changed_stays_loaded(folder: Path) -> None:
    Network("second").save(folder)
    old = Catalog([folder], "mine")
    model, second = old.load("mine"), old.load("second")
    replace(folder, Network("second", seed=1))
    new, refused = renewed(old)
    assert refused == []
    assert new.load("mine") is model
    assert new.load("second") is not second
    assert old.load("second") is second


def test_models_come_and_go(folder: Path) -> None:
    old = Catalog([folder], "x4-fast")
    (folder / "mine.onnx").unlink()
    Network("second").save(folder)
    new, _ = renewed(old)
    assert "second" in new.names
    with pytest.raises(UnknownModel):
        new.load("mine")


def test_the_default_cannot_go(folder: Path) -> None:
    old = Catalog([folder], "mine")
    Network("second").save(folder)
    (folder / "mine.onnx").unlink()
    with pytest.raises(UnknownModel, match="'mine'"):
        renewed(old)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def nonsense(path: Path) -> None:
    path.write_bytes(b"nonsense" * 100)


def of_another_name(path: Path) -> None:
    shutil.copy(Network("other").save(path.parent.parent), path)


def of_a_wrong_scale(path: Path) -> None:
    metadata = Network("mine").metadata | {"scale": "2"}
    shutil.copy(Network("mine").save(path.parent.parent, metadata), path)


@pytest.mark.parametrize("spoil", [truncated, nonsense, of_another_name, of_a_wrong_scale])
def test_a_bad_file_is_refused_and_the_old_model_stays(
    folder: Path, spoil: Callable[[Path], None]
) -> None:
    old = Catalog([folder], "mine")
    model = old.load("mine")
    spoil(folder / "mine.onnx")
    new, refused = renewed(old)
    assert len(refused) == 1
    assert new.load("mine") is model
    assert new.is_current


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    config = ServerConfig(port=0, models=(folder,), default_model="mine", watch_models_s=0.05)
    with embedded_server(config) as address:
        yield address


def test_no_call_fails_while_models_are_exchanged(folder: Path, address: str) -> None:
    failures: list[UpscaleFailed] = []
    results: list[bool] = []
    ended = threading.Event()

    def call() -> None:
        with UpscalerClient(address) as client:
            while not ended.is_set():
                try:
                    pixels = read_png(client.upscale(write_png(PIXELS)).image)
                    results.append(np.array_equal(pixels, enlarged(PIXELS)))
                except UpscaleFailed as failure:
                    failures.append(failure)

    thread = threading.Thread(target=call)
    thread.start()
    for strength in (0.5, 0, 0.5):
        time.sleep(0.3)
        replace(folder, Network("mine", strength=strength))
    time.sleep(0.3)
    ended.set()
    thread.join()
    assert failures == []
    assert [plain for plain, _ in groupby(results)] == [True, False, True, False]
